"""Who wins: by the seed and the numbers of the entries alone, so that anybody can draw again. Pure.

Every entry has a rank, the HMAC-SHA-256 of its number under the seed; the smallest ranks win. So an
entry more or less moves no other's rank, and the order in which entries came or are read is nothing
to the result.
"""

import hashlib
import hmac
from collections.abc import Iterable
from heapq import nsmallest


def draw_winners(seed: str, entry_ids: Iterable[str], winners: int) -> tuple[str, ...]:
    """The numbers that win, the first drawn first; all of them where there are fewer."""
    return tuple(nsmallest(winners, entry_ids, key=lambda one: (rank_of(seed, one), one)))


def rank_of(seed: str, entry_id: str) -> str:
    """The HMAC-SHA-256 (RFC 2104) of the number under the seed, both UTF-8, as lower-case hex."""
    return hmac.new(seed.encode(), entry_id.encode(), hashlib.sha256).hexdigest()


def digest_of(entry_ids: Iterable[str]) -> str:
    """Which entries took part: the SHA-256 of their numbers in order, one to a line, as hex."""
    return hashlib.sha256("\n".join(sorted(entry_ids)).encode()).hexdigest()
