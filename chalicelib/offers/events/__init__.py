"""What members did with offers: seen, opened, clicked, each counted once."""
