"""Cards: what one member has earned in one scheme, what became of it, and where it is kept."""
