"""Connections at rest: their rows, their keys, and how keys follow one another."""
