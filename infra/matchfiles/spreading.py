"""The first step: a part of a file is read, and spread: payments by id, receipts by store.

Payments go by id first because what one line says depends on the others of its id.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from chalicelib.kernel.pan import mask_card_numbers
from chalicelib.kernel.refusals import Rejected
from infra.matchfiles.buckets import Spreader
from infra.matchfiles.cutting import FilePart, RawLine, lines_of
from infra.matchfiles.job import Job
from infra.matchfiles.lines import read_payment, read_receipt
from infra.matchfiles.memory import peak_bytes
from infra.matchfiles.rows import PAYMENTS, RECEIPTS, PaymentRow, ReceiptRow, RefusedRow

REFUSED = {PAYMENTS: "refused-payments", RECEIPTS: "refused-receipts"}
PAYMENTS_BY_ID = "payments-by-id"
RECEIPTS_BY_STORE = "receipts-by-store"


@dataclass(frozen=True, slots=True)
class Spread:
    """What came of a part: how many lines begin in it, blank ones too, and how many were of use."""

    part: FilePart
    lines: int
    taken: int
    refused: int
    peak_bytes: int


def spread_payments(job: Job, part: FilePart) -> Spread:
    """Spread the payments of `part` by id."""

    def keep(line: RawLine, rows: Spreader) -> None:
        row = read_payment(line.raw, offset=line.offset, number=line.number)
        rows.add(job.bucket_of_id(row.id), row)

    return _spread(job, part, keep, name=PAYMENTS, kind=PAYMENTS_BY_ID)


def spread_receipts(job: Job, part: FilePart) -> Spread:
    """Spread the receipts of `part` by store."""

    def keep(line: RawLine, rows: Spreader) -> None:
        row = read_receipt(line.raw, offset=line.offset, number=line.number)
        rows.add(job.bucket_of_store(row.store), row)

    return _spread(job, part, keep, name=RECEIPTS, kind=RECEIPTS_BY_STORE)


def refused_row(refusal: Rejected, row: PaymentRow | ReceiptRow | RawLine) -> RefusedRow:
    """The refusal of a line, as it is written down."""
    number = row.number if isinstance(row, RawLine) else row.line
    detail = mask_card_numbers(refusal.detail)
    return RefusedRow(row.offset, number, refusal.code, refusal.field, detail)


def _spread(
    job: Job,
    part: FilePart,
    keep: Callable[[RawLine, Spreader], None],
    *,
    name: str,
    kind: str,
) -> Spread:
    lines = taken = refused = 0
    with ExitStack() as stack:
        rows = stack.enter_context(Spreader(job.folder, kind))
        bad = stack.enter_context(Spreader(job.folder, REFUSED[name]))
        for line in lines_of(part):
            lines = line.number
            if not line.raw.strip():
                continue
            try:
                keep(line, rows)
            except Rejected as refusal:
                bad.add(job.part_at(line.offset), refused_row(refusal, line))
                refused += 1
            else:
                taken += 1
    return Spread(part, lines, taken, refused, peak_bytes())
