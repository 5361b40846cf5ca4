"""The second step: the lines of one payment id become one payment, in its store's bucket.

A bank tells of a purchase several times under one id, when it is authorised and when it is cleared,
perhaps with another amount, or in parts: one payment with several amounts. The same line twice is
one line. Anything else under an id that was used before is refused: the first line counts.
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
                bad.add(job.part_at(row.offset), refused_row(_why_refused(told, row), row))
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
        if _is_of(told, row):
            told.append(row)
        else:
            others.append(row)
    return told, others


def _is_of(told: Sequence[PaymentRow], row: PaymentRow) -> bool:
    """Whether `row` tells more of the purchase: one authorisation, and any number of clearings."""
    first = told[0]
    kinds = [one.kind for one in (*told, row)]
    return (
        _PURCHASE.issuperset(kinds)
        and kinds.count("auth") <= 1
        and first.member == row.member
        and first.store == row.store
    )


def _why_refused(told: Sequence[PaymentRow], row: PaymentRow) -> IdUsedTwice:
    if (told[0].kind == "refund") is not (row.kind == "refund"):
        return IdUsedTwice("a refund needs another id than its sale", field="id")
    return IdUsedTwice("an earlier line with this id differs", field="id")


def _one_payment(told: Sequence[PaymentRow]) -> JoinedRow:
    """What is known of the payment: newest word first, the time of its authorisation."""
    newest_first = sorted(told, key=lambda row: (row.kind == "auth", -row.at, -row.offset))
    newest, first = newest_first[0], newest_first[-1]
    digits = next((row for row in newest_first if row.last_four), newest)
    return JoinedRow(
        offset=told[0].offset,
        line=told[0].line,
        id=newest.id,
        member=newest.member,
        store=newest.store,
        at=first.at,
        amounts=_amounts(newest_first),
        last_four=digits.last_four,
        last_four_kind=digits.last_four_kind,
        auth_code=next((row.auth_code for row in newest_first if row.auth_code), None),
        scheme=next((row.scheme for row in newest_first if row.scheme), None),
        kind=newest.kind,
    )


def _amounts(newest_first: Sequence[PaymentRow]) -> tuple[tuple[int, str], ...]:
    """Every amount that the till may have charged.

    Clearings that together stay within what was authorised add up, as on the platform (0056); the
    same amount at the same time is the same clearing.
    """
    told = [(row.amount_minor, row.currency) for row in newest_first]
    held = newest_first[-1]
    cleared = {(row.at, row.amount_minor) for row in newest_first if row.kind == "clearing"}
    together = sum(minor for _, minor in cleared)
    is_one_money = len({row.currency for row in newest_first}) == 1
    if held.kind == "auth" and len(cleared) > 1 and is_one_money and together <= held.amount_minor:
        told.insert(0, (together, held.currency))
    return tuple(dict.fromkeys(told))
