"""Importing files of receipts through the public API: read, check, send, remember how far."""
