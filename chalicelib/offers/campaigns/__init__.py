"""Campaigns as retailers make them: what is offered, to whom, when, and out of which budget."""
