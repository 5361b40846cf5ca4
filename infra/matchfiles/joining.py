"""The second step: the lines of one payment id become one payment, in its store's bucket.

A bank tells of a purchase twice under one id, when it is authorised and when it is cleared, perhaps
with another amount: one payment with two amounts. The same line twice is one line. Anything else
under an id that was used before is refused: the first line counts.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from chalicelib.kernel.refusals import Conflicting
from infra.matchfiles import buckets
from infra.matchfiles.buckets import Spreader
from infra.matchfiles.job import Job
from infra.matchfiles.memory import peak_bytes
from infra.matchfiles.rows import PAYMENTS, JoinedRow, PaymentRow
from infra.matchfiles.spreading import PAYMENTS_BY_ID, REFUSED, refused_row

PAYMENTS_BY_STORE = "payments-by-store"
_PURCHASE = {"auth", "clearing"}


class IdUsedTwice(Conflicting):
    """An earlier line has the same id and says something else."""

    code = "id_used_twice"


@dataclass(frozen=True, slots=True)
class Joined:
    """What came of a bucket of ids. `repeated` lines said what an earlier one had said."""

    payments: int
    repeated: int
    refused: int
    peak_bytes: int


def join_payments(job: Job, bucket: str) -> Joined:
    """Join the lines of each id in `bucket`, and delete it."""
    payments = repeated = refused = 0
    rows = buckets.rows_of(job.folder, PAYMENTS_BY_ID, bucket, PaymentRow)
    rows.sort(key=attrgetter("id"))  # Stable: the lines of an id stay in their order.
    with ExitStack() as stack:
        joined = stack.enter_context(Spreader(job.folder, PAYMENTS_BY_STORE))
        bad = stack.enter_context(Spreader(job.folder, REFUSED[PAYMENTS]))
        for _, same in groupby(rows, key=attrgetter("id")):
            lines = list(same)
            told, others = _sorted_out(lines)
            for row in others:
                refusal = IdUsedTwice("an earlier line with this id differs", field="id")
                bad.add(job.part_at(row.offset), refused_row(refusal, row))
            one = _one_payment(told)
            joined.add(job.bucket_of_store(one.store), one)
            payments += 1
            refused += len(others)
            repeated += len(lines) - len(told) - len(others)
    buckets.drop(job.folder, PAYMENTS_BY_ID, bucket)
    return Joined(payments, repeated, refused, peak_bytes())


def _sorted_out(lines: Sequence[PaymentRow]) -> tuple[list[PaymentRow], list[PaymentRow]]:
    """The lines of one payment, and those that are refused; repetitions are in neither."""
    told, others = [lines[0]], []
    for row in lines[1:]:
        if any(row.content == known.content for known in told):
            continue
        if len(told) == 1 and _is_other_half(told[0], row):
            told.append(row)
        else:
            others.append(row)
    return told, others


def _is_other_half(first: PaymentRow, row: PaymentRow) -> bool:
    return (
        {first.kind, row.kind} == _PURCHASE
        and first.member == row.member
        and first.store == row.store
    )


def _one_payment(told: Sequence[PaymentRow]) -> JoinedRow:
    """What is known of the payment: newest word first, the time of its authorisation."""
    ordered = sorted(told, key=lambda row: row.kind != "auth")
    auth, newest = ordered[0], ordered[-1]
    amounts = tuple(dict.fromkeys((row.amount_minor, row.currency) for row in (newest, auth)))
    digits = newest if newest.last_four else auth
    return JoinedRow(
        offset=told[0].offset,
        line=told[0].line,
        id=newest.id,
        member=newest.member,
        store=newest.store,
        at=auth.at,
        amounts=amounts,
        last_four=digits.last_four,
        last_four_kind=digits.last_four_kind,
        auth_code=newest.auth_code or auth.auth_code,
        scheme=newest.scheme or auth.scheme,
        kind=newest.kind,
    )
