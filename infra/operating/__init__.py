"""What the operator's commands do, apart from how they look."""
