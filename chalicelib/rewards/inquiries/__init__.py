"""Inquiries: a member says that a purchase should have earned something, and it is looked into."""
