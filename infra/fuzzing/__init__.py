"""Fuzzing from outside: hostile requests to the running stack, by its own description and more."""
