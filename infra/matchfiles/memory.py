"""How much memory this process has needed at most."""

import resource
import sys


def peak_bytes() -> int:
    """The largest resident size so far, in bytes (Linux counts in KiB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
