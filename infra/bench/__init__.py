"""Benchmarks: what a matched receipt costs, how much CPU a webhook takes, what imports cost."""
