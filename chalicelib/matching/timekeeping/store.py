"""Where the clocks of a store's tills stand: table `tills`, one small row for each store."""

from datetime import datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from chalicelib.kernel.ids import StoreId
from chalicelib.matching.kept_clocks import NO_CLOCKS, StoreClocks, from_bytes
from chalicelib.matching.timekeeping.keeping import NOTHING_KEPT, KeptClocksOf
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

CLOCKS = Retention(
    name="till_clocks",
    reason="What is known of a store's tills is forgotten a hundred days after the last of it.",
    lasts=timedelta(days=100),
    since="last seen",
)


class ClocksRow(rows.Row):
    """`pk` = `<store id>#clocks`, `sk` = `clocks`. `clocks` is `StoreClocks.to_bytes`."""

    Meta = rows.table_meta("tills")
    privacy = {
        "revision": Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP),
        "clocks": Kept(Category.CONFIGURATION, Purpose.MATCHING, Erasure.KEEP),
    }
    retention = CLOCKS

    revision = NumberAttribute()
    clocks = BinaryAttribute(legacy_encoding=False)


def find_clocks(store_id: StoreId, *, now: datetime, consistent: bool) -> KeptClocksOf:
    """The clocks of the store; not `consistent`, at half the price, perhaps a revision before.

    What a later release wrote in a form of its own counts as nothing known.
    """
    row = rows.find(ClocksRow, _pk(store_id), "clocks", now=now, consistent=consistent)
    if row is None:
        return NOTHING_KEPT
    try:
        clocks = from_bytes(row.clocks)
    except ValueError:
        clocks = NO_CLOCKS
    return KeptClocksOf(clocks, int(row.revision))


def record_clocks(
    store_id: StoreId, clocks: StoreClocks, *, after_revision: int, now: datetime
) -> bool:
    """Write the clocks over those of `after_revision`; False where others stand there by now."""
    row = ClocksRow(
        _pk(store_id), "clocks", revision=after_revision + 1, clocks=clocks.to_bytes()
    ).keep_from(now)
    unchanged = ClocksRow.revision == after_revision
    if after_revision == 0:
        unchanged = ClocksRow.pk.does_not_exist() | (ClocksRow.expires_at <= rows.epoch(now))
    try:
        rows.put(row, condition=unchanged)
    except rows.ConditionFailed:
        return False
    return True


def _pk(store_id: StoreId) -> str:
    return f"{store_id}#clocks"
