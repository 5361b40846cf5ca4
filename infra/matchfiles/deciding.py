"""The third step: a portion's rows become the matcher's charges and slips, its outcomes answers."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.matching.batches import Outcome, match_jointly
from chalicelib.matching.sides import Charge, ChargeKind, Slip
from chalicelib.matching.why import Why
from infra.matchfiles import buckets
from infra.matchfiles.buckets import Spreader
from infra.matchfiles.job import Job
from infra.matchfiles.joining import PAYMENTS_BY_STORE, IdUsedTwice
from infra.matchfiles.memory import peak_bytes
from infra.matchfiles.portions import Portion
from infra.matchfiles.rows import (
    RECEIPTS,
    AnswerRow,
    ClaimRow,
    JoinedRow,
    ReceiptRow,
)
from infra.matchfiles.spreading import RECEIPTS_BY_STORE, REFUSED, refused_row

ANSWERS = "answers"
CLAIMS = "claims"
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a portion's receipts: how many there were, how many lines were no more."""

    receipts: int
    repeated: int
    refused: int
    peak_bytes: int


def decide(job: Job, portion: Portion) -> Decided:
    """Answer for the payments of `portion`, and delete its rows."""
    receipts, repeated, refused = _receipts(job, portion)
    payments = buckets.rows_of(job.folder, PAYMENTS_BY_STORE, portion.bucket, JoinedRow)
    outcomes = match_jointly(
        [_charge(row) for row in payments if _has_amount(row)],
        _slips(receipts),
        threshold=job.threshold,
    )
    outcome_by_id = {outcome.payment_id: outcome for outcome in outcomes}
    with ExitStack() as stack:
        answered = stack.enter_context(Spreader(job.folder, ANSWERS))
        claimed = stack.enter_context(Spreader(job.folder, CLAIMS))
        for row in payments:
            if not portion.owns(row.at):
                continue
            answer, receipt = _answer(row, outcome_by_id.get(row.id), receipts)
            answered.add(job.part_at(row.offset), answer)
            if receipt is not None and portion.is_shared(receipt.at):
                is_same = answer.reason == Why.SAME_PURCHASE.value
                claim = ClaimRow(row.offset, row.line, receipt.offset, is_same)
                claimed.add(portion.origin, claim)
    for kind in (PAYMENTS_BY_STORE, RECEIPTS_BY_STORE):
        buckets.drop(job.folder, kind, portion.bucket)
    owned = sum(portion.owns(row.at) for row in receipts)
    return Decided(owned, repeated, refused, peak_bytes())


def disputed_payments(job: Job, origin: str) -> list[int]:
    """The offsets of payments to which two slices of one store gave the same receipt.

    An authorisation and its clearing, of one second, are decided in one slice and are one holder.
    """
    claims = buckets.rows_of(job.folder, CLAIMS, origin, ClaimRow)
    holders = Counter(claim.receipt_offset for claim in claims if not claim.is_same_purchase)
    return [claim.offset for claim in claims if holders[claim.receipt_offset] > 1]


def _receipts(job: Job, portion: Portion) -> tuple[list[ReceiptRow], int, int]:
    """Each receipt of the portion once, and how many lines were repetitions or are refused."""
    rows = buckets.rows_of(job.folder, RECEIPTS_BY_STORE, portion.bucket, ReceiptRow)
    known: dict[tuple[str, str], ReceiptRow] = {}
    repeated = refused = 0
    with Spreader(job.folder, REFUSED[RECEIPTS]) as bad:
        for row in rows:
            first = known.setdefault((row.store, row.id), row)
            if first is row or not portion.owns(row.at):
                continue
            if first.content == row.content:
                repeated += 1
                continue
            refused += 1
            refusal = IdUsedTwice("an earlier receipt of the store has this id", field="id")
            bad.add(job.part_at(row.offset), refused_row(refusal, row))
    return list(known.values()), repeated, refused


def _slips(receipts: Sequence[ReceiptRow]) -> list[Slip]:
    """The card payments of `receipts`, which are named by their place among them.

    A receipt's id is its store's; two stores may use the same. A total of nought was no payment.
    """
    place = {}
    if any(row.refers_to for row in receipts):
        place = {(row.store, row.id): str(index) for index, row in enumerate(receipts)}
    return [
        Slip(
            receipt_id=str(index),
            part=0,
            store=row.store,
            till=row.till,
            at=row.at,
            amount_minor=row.total_minor,
            currency=row.currency,
            tip_minor=row.tip_minor,
            last_four=_last_four(row.last_four, row.last_four_kind),
            auth_code=row.auth_code,
            scheme=row.scheme,
            is_return=row.is_return,
            refers_to=place.get((row.store, row.refers_to)) if row.refers_to else None,
        )
        for index, row in enumerate(receipts)
        if row.total_minor
    ]


def _has_amount(row: JoinedRow) -> bool:
    """Banks list checks of a card as payments of nought. No receipt is theirs."""
    return any(minor for minor, _ in row.amounts)


def _charge(row: JoinedRow) -> Charge:
    return Charge(
        payment_id=row.id,
        member_id=row.member,
        at=row.at,
        amounts=row.amounts,
        stores=(row.store,),
        last_four=_last_four(row.last_four, row.last_four_kind),
        auth_code=row.auth_code,
        scheme=row.scheme,
        kind=ChargeKind(row.kind),
    )


@lru_cache(maxsize=40_000)  # Ten thousand endings of four kinds.
def _last_four(digits: str | None, kind: str) -> LastFour | None:
    return LastFour(digits, LastFourKind(kind)) if digits else None


def _answer(
    row: JoinedRow, outcome: Outcome | None, receipts: Sequence[ReceiptRow]
) -> tuple[AnswerRow, ReceiptRow | None]:
    """The answer to a payment, and the receipt that it was given."""
    if outcome is None:
        none = Why.NO_RECEIPT_YET.value
        return AnswerRow(row.offset, row.line, row.id, None, 0.0, none), None
    given = None if outcome.receipt_id is None else receipts[int(outcome.receipt_id)]
    # Rounded down: what is nearly certain is not said to be certain.
    probability = int(outcome.probability * _MILLION) / _MILLION
    receipt_id = None if given is None else given.id
    answer = AnswerRow(row.offset, row.line, row.id, receipt_id, probability, outcome.why.value)
    return answer, given
