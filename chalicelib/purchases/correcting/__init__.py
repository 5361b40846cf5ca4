"""What people say of a match: that it is wrong, or which receipt is theirs."""
