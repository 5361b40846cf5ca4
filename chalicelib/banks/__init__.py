"""One module per bank or provider: verify, name the event, read, and tell."""
