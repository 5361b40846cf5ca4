"""The private halves of the keys of envelopes."""
