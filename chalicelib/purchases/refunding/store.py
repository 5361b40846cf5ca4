"""Refunds that look for their purchase, and what may find it.

Table `tills`: refunds that wait, and returns that name no sale. Table `cases`: refunds that wait
for a person. All of them hold ids, or what is sealed; amounts stand as keyed hashes, which can be
compared and not read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.kernel.ids import MemberId, PaymentId, RetailerId
from chalicelib.kernel.money import Money
from chalicelib.matching.returned import money_back
from chalicelib.receipts.canonical import Receipt
from chalicelib.receipts.returns import names_no_sale
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention
from chalicelib.tills.store import UNMATCHED_RECEIPTS

WAITING_DAYS = 7  # As long as receipts of people we do not know: no return can turn up after that.
WAITING_READ_MAX = 1_000  # Of one retailer, whose refunds mostly find their purchase at once.
RETURNS_READ_MAX = 100  # Unnamed returns of one retailer and one amount within a week.
REVIEWS_READ_MAX = 500
REVIEW_DAYS = 30
_REVIEWS = "refund_reviews"

_RETURN = Kept(
    Category.RECEIPT,
    Purpose.MATCHING,
    Erasure.EXPIRE,
    encrypted=True,
    holds={"receipt": Category.RECEIPT},
)


class RefundWaitingRow(rows.Row):
    """`pk` = `refunds#<retailer id>`, `sk` = `<time of refund>#<payment id>`."""

    Meta = rows.table_meta("tills")
    privacy = {
        "member_id": Kept(Category.PSEUDONYM, Purpose.MATCHING, Erasure.EXPIRE),
        "amount_key": Kept(Category.KEY, Purpose.MATCHING, Erasure.EXPIRE),
        "waits_since": Kept(Category.OPERATION, Purpose.MATCHING, Erasure.EXPIRE),
    }
    retention = Retention(
        name="waiting_refunds",
        reason="A refund waits seven days for the purchase it gives back, and a day more to say "
        "that it found none.",
        lasts=timedelta(days=WAITING_DAYS + 1),
        since="first waited",
    )

    member_id = UnicodeAttribute()
    amount_key = UnicodeAttribute()
    waits_since = UnicodeAttribute()


class UnnamedReturnRow(rows.Row):
    """`pk` = `return#<amount key>`, `sk` = `<time of return>#<receipt id>#<version>`."""

    Meta = rows.table_meta("tills")
    privacy = {
        "received_at": Kept(Category.OPERATION, Purpose.MATCHING, Erasure.EXPIRE),
        "sealed": _RETURN,
    }
    retention = UNMATCHED_RECEIPTS

    received_at = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


class ReviewRow(rows.Row):
    """`pk` = `refund_reviews`, `sk` = `<since>#<payment id>`; `candidates` as JSON, ids alone."""

    Meta = rows.table_meta("cases")
    privacy = {
        "member_id": Kept(Category.PSEUDONYM, Purpose.SUPPORT, Erasure.EXPIRE),
        "why": Kept(Category.OPERATION, Purpose.SUPPORT, Erasure.KEEP),
        "candidates": Kept(Category.PSEUDONYM, Purpose.SUPPORT, Erasure.EXPIRE),
    }
    retention = Retention(
        name="refund_reviews",
        reason="Which purchase a refund gives back is decided by a person within thirty days.",
        lasts=timedelta(days=REVIEW_DAYS + 5),
        since="put up for review",
    )

    member_id = UnicodeAttribute()
    why = UnicodeAttribute()
    candidates = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class WaitingRefund:
    """A refund payment that waits at a retailer for its purchase to be found."""

    retailer_id: RetailerId
    payment_id: PaymentId
    member_id: MemberId
    made_at: datetime
    amount_key: str
    waits_since: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """A refund that a person is to decide. `candidates` are payments, and how probable each is, in
    millionths.
    """

    payment_id: PaymentId
    member_id: MemberId
    since: datetime
    why: str
    candidates: tuple[tuple[PaymentId, int], ...]


@dataclass(frozen=True, slots=True)
class _Returned:
    receipt: Receipt


def amount_key(retailer_id: RetailerId, amount: Money) -> str:
    """A name for an amount that came back from `retailer_id`, which says no amount."""
    return vault.lookup_key("refund_amount", retailer_id, str(amount.minor), amount.currency)


def keep_waiting(waiting: WaitingRefund) -> None:
    """Let the refund wait at its retailer; again changes nothing."""
    row = _waiting_row(waiting)
    row.member_id = waiting.member_id
    row.amount_key = waiting.amount_key
    row.waits_since = waiting.waits_since.isoformat()
    rows.put(row.keep_from(waiting.waits_since))


def stop_waiting(waiting: WaitingRefund) -> None:
    """Take it off the list."""
    rows.delete(_waiting_row(waiting))


def list_waiting(retailer_id: RetailerId, *, now: datetime) -> list[WaitingRefund]:
    """The refunds that wait at `retailer_id`, oldest first, at most 1,000."""
    found = rows.list_prefixed(
        RefundWaitingRow, f"refunds#{retailer_id}", "", now=now, limit=WAITING_READ_MAX
    )
    return [_to_waiting(row, retailer_id) for row in found]


def _waiting_row(waiting: WaitingRefund) -> RefundWaitingRow:
    return RefundWaitingRow(
        f"refunds#{waiting.retailer_id}", f"{waiting.made_at.isoformat()}#{waiting.payment_id}"
    )


def _to_waiting(row: RefundWaitingRow, retailer_id: RetailerId) -> WaitingRefund:
    made_at, _, payment_id = row.sk.partition("#")
    return WaitingRefund(
        retailer_id=retailer_id,
        payment_id=PaymentId(payment_id),
        member_id=MemberId(row.member_id),
        made_at=datetime.fromisoformat(made_at),
        amount_key=row.amount_key,
        waits_since=datetime.fromisoformat(row.waits_since),
    )


def keep_unnamed(versions: Sequence[Receipt], *, now: datetime) -> tuple[str, ...]:
    """Keep a return that names no sale where a refund of its amount looks; the keys it is under.

    Of several versions the newest is kept under the amounts of all, so that it hides the others.
    """
    returned = max(versions, key=lambda one: one.version)
    keys = {key for one in versions for key in _keys_of(one)}
    for key in sorted(keys):
        row = UnnamedReturnRow(
            f"return#{key}",
            f"{returned.issued_at.isoformat()}#{returned.receipt_id}#{returned.version:06}",
            received_at=now.isoformat(),
        )
        row.sealed = vault.seal(
            _Returned(returned),
            key=vault.platform_key("pages"),
            place=f"{row.pk}|{row.sk}",
            kept=_RETURN,
        )
        rows.put(row.keep_from(now))
    return tuple(sorted(keys))


def _keys_of(returned: Receipt) -> set[str]:
    if not names_no_sale(returned):
        return set()
    currency = returned.currency
    return {amount_key(returned.retailer_id, Money(m, currency)) for m in money_back(returned)}


def list_unnamed(key: str, *, now: datetime) -> list[Receipt]:
    """The returns that name no sale and gave back the amount of `key`, as their newest versions
    say.
    """
    found = rows.list_prefixed(
        UnnamedReturnRow, f"return#{key}", "", now=now, limit=RETURNS_READ_MAX
    )
    newest: dict[str, Receipt] = {}
    for row in found:
        returned = vault.open_sealed(
            row.sealed, _Returned, key=vault.platform_key("pages"), place=f"{row.pk}|{row.sk}"
        ).receipt
        known = newest.get(returned.receipt_id)
        if known is None or returned.version > known.version:
            newest[returned.receipt_id] = returned
    return [one for one in newest.values() if key in _keys_of(one)]


def record_review(review: Review) -> None:
    """Put a refund up for review; again changes nothing."""
    row = ReviewRow(
        _REVIEWS,
        _review_sk(review),
        member_id=review.member_id,
        why=review.why,
        candidates=json.dumps(review.candidates),
    )
    rows.put(row.keep_from(review.since))


def list_reviews(*, now: datetime) -> list[Review]:
    """The refunds that wait for a person, oldest first, at most 500."""
    found = rows.list_prefixed(ReviewRow, _REVIEWS, "", now=now, limit=REVIEWS_READ_MAX)
    return [_to_review(row) for row in found]


def remove_reviews(reviews: Sequence[Review]) -> None:
    """Take `reviews` off the list."""
    for review in reviews:
        rows.delete(ReviewRow(_REVIEWS, _review_sk(review)))


def _review_sk(review: Review) -> str:
    return f"{review.since.isoformat()}#{review.payment_id}"


def _to_review(row: ReviewRow) -> Review:
    since, _, payment_id = row.sk.partition("#")
    return Review(
        payment_id=PaymentId(payment_id),
        member_id=MemberId(row.member_id),
        since=datetime.fromisoformat(since),
        why=row.why,
        candidates=tuple((PaymentId(n), int(share)) for n, share in json.loads(row.candidates)),
    )
