"""Books: the entries of one member or retailer, on pages that chain."""
