"""A statement as comma-separated values (RFC 4180). Pure."""

import csv
import io

from chalicelib.kernel.money import Money
from chalicelib.ledger.statements import Statement

COLUMNS = (
    "retailer",
    "period",
    "campaign",
    "currency",
    "rewards",
    "given",
    "taken back",
    "reversed",
    "owed",
)
TOTAL = "TOTAL"


def to_rows(statement: Statement) -> list[tuple[str, ...]]:
    """The statement as rows of text under `COLUMNS`: a line per campaign, a total per currency.

    Amounts are in major units with the currency's own number of decimals.
    """
    lines = [
        *((line.campaign_id, line) for line in statement.lines),
        *((TOTAL, line) for line in statement.totals),
    ]
    return [
        (
            statement.retailer_id,
            statement.period.name,
            name,
            line.currency,
            str(line.given),
            Money(line.given_minor, line.currency).to_text(),
            str(line.taken_back),
            Money(line.taken_back_minor, line.currency).to_text(),
            Money(line.owed_minor, line.currency).to_text(),
        )
        for name, line in lines
    ]


def to_csv(statement: Statement) -> str:
    """The statement as a file that a spreadsheet reads."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    writer.writerows(to_rows(statement))
    return written.getvalue()
