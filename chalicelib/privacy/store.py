"""Where the sweep of each table goes on: table `cases`."""

from pynamodb.attributes import UnicodeAttribute

from chalicelib.runtime import rows
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose


class SweepRow(rows.Row):
    """Where the sweep of one table goes on: `pk` = `sweep`, `sk` = the table."""

    Meta = rows.table_meta("cases")
    privacy = {
        "after_pk": Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP),
        "after_sk": Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP),
    }
    retention = CONFIGURED

    after_pk = UnicodeAttribute(null=True)
    after_sk = UnicodeAttribute(null=True)
