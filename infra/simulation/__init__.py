"""The simulated AWS, and the schedules of faults that are played on it."""
