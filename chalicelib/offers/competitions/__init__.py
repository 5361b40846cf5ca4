"""Competitions: prizes of retailers, who entered, and a draw that anybody can check."""
