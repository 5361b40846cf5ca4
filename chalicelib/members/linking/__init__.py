"""Linking: the accounts, cards and users by which a payment finds its member."""
