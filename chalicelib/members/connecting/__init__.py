"""A member's consent at a bank: tickets on the way there, tokens that come back."""
