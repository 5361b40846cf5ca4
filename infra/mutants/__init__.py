"""Seeded mutants of the code that moves money: bugs written by hand, which the tests have to find.

Run with `make mutants`.
"""
