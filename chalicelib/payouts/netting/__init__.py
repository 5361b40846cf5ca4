"""Netting: each night, what a member may be paid is paid in one sum, or waits for a reason."""
