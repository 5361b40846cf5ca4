"""Schemes as a retailer writes them: their format, their checks, and where they are kept."""
