"""The local stack: embedded AWS, queue and schedule pump, sandbox bank and till, the demo."""
