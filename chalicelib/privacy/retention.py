"""The sweep: deleting and counting what DynamoDB's TTL has missed.

TTL deletes within days and promises no time. Readers never see what has expired; this job makes
sure it is also gone, and counts it. It reads each table a bounded stretch per run and remembers
where it stopped, so that its cost is the same whatever the table's size.
"""

from datetime import datetime, timedelta

from chalicelib.privacy.store import SweepRow
from chalicelib.runtime import observability, rows, sweeping

TABLES = ("tills", "wallets", "people", "network", "money", "cases")
ROWS_PER_TABLE_AND_RUN = 5_000  # At one run an hour, 120,000 rows a table and day.
GRACE = timedelta(hours=1)  # DynamoDB usually deletes within this; it does so for nothing.


def sweep(*, now: datetime, grace: timedelta = GRACE) -> dict[str, int]:
    """Delete what expired more than `grace` ago; returns how many rows by table.

    One call covers at most `ROWS_PER_TABLE_AND_RUN` rows of each table and goes on where the last
    one stopped.
    """
    deleted: dict[str, int] = {}
    for table in TABLES:
        row = rows.find(SweepRow, "sweep", table, now=now) or SweepRow("sweep", table)
        after = (row.after_pk, row.after_sk) if row.after_pk and row.after_sk else None
        swept = sweeping.sweep_expired(
            table, expired_before=now - grace, after=after, rows_max=ROWS_PER_TABLE_AND_RUN
        )
        row.after_pk, row.after_sk = swept.stopped_at or (None, None)
        rows.put(row)
        deleted[table] = swept.deleted
        observability.count("retention_swept", by=swept.deleted, table=table)
    return deleted
