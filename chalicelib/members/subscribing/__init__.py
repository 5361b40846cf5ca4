"""Subscribing: who of a bank's members consented to marketing about which topic."""
