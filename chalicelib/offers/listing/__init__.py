"""What offers a member sees, in which order, and why."""
