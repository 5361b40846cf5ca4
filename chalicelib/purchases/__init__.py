"""A payment and its receipt, once joined; and payments while they wait."""
