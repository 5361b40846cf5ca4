"""Back-tests: a draft offer or scheme, tried on purchases that were made, by the live code."""
