"""The platform's own signing keys at rest: public halves in rows, private halves in one secret."""
