"""Machine clients: their secrets and scopes, the tokens they are given, the keys that sign."""
