"""Leaving: the gate closes at once, and what is kept runs out on its last clock."""

from datetime import datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.purchases import store as purchases_store
from chalicelib.runtime import observability


def end_retention(member_id: MemberId, *, left_at: datetime, now: datetime) -> None:
    """Put everything that was kept while the member was one on its last clock."""
    changed = purchases_store.end_retention(member_id, left_at=left_at, now=now)
    observability.count("purchases_on_last_clock", by=changed)
