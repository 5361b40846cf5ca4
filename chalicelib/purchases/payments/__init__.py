"""Payments as their banks told them, found by the banks' own names."""
