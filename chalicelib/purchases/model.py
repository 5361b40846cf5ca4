"""A purchase: a payment and its receipt, once joined; or a payment that ended without one."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum

from chalicelib.kernel.ids import ConnectionId, MemberId, PaymentId
from chalicelib.kernel.money import Money
from chalicelib.matching.outcome import MODEL, Matched
from chalicelib.matching.payment import Payment
from chalicelib.matching.shares import to_share
from chalicelib.matching.why import BY_HAND, Why
from chalicelib.receipts.canonical import Receipt
from chalicelib.receipts.returns import Returned, apply_returns


class Ending(Enum):
    """Why a payment ended without a receipt."""

    NO_RECEIPT_CAME = "no_receipt_came"
    STAYED_AMBIGUOUS = "stayed_ambiguous"
    PAYMENT_REVERSED = "payment_reversed"
    REFUND_UNLINKED = "refund_unlinked"
    REFUND_LINKED = "refund_linked"  # it is of a purchase we know: `refund_of` says which
    REFUND_IN_REVIEW = "refund_in_review"  # a person is to say which purchase it is of


class Cause(Enum):
    """Why a purchase has a new version."""

    JOINED = "joined"
    ENDED = "ended"
    AUTHORISED = "authorised"
    CLEARED = "cleared"
    REVERSED = "reversed"
    REFUNDED = "refunded"
    REFUND_FOUND = "refund_found"
    REFUND_MOVED = "refund_moved"
    CORRECTED = "corrected"
    VOIDED = "voided"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Change:
    """What made a version: amounts in minor units of `currency`, a receipt's own `reference`.

    `detail` is the version of the receipt, of a correction.
    """

    cause: Cause
    version: int = 1
    at: datetime | None = None
    amount_minor: int = 0
    currency: str = ""
    reference: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LinkedRefund:
    """A refund payment that was found to be of a purchase, though its bank did not say so.

    `transaction_id` is the bank's name of it, `at` when it was made; `why` and its probability in
    millionths are the decision's.
    """

    payment_id: PaymentId
    connection_id: ConnectionId
    transaction_id: str
    amount: Money
    at: datetime
    why: str
    per_million: int = 1_000_000


@dataclass(frozen=True, slots=True)
class RefundOf:
    """The purchase that a refund payment gives back, and where it lies."""

    payment_id: PaymentId
    anchored_at: datetime
    why: str
    per_million: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Clue:
    """One thing that both sides may say: `what` (`auth_code`, `time`, …), and how they stand.

    `stand` is `agrees`, `differs` or `unknown`.
    """

    what: str
    stand: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a receipt was joined: the rule's word, what agreed, and how far the clocks were apart.

    - `probability`, of it and of the best other explanation (`runner_up`), lies between 0 and 1;
      `threshold` is what it had to reach. None where a rule without numbers or a person decided.
    - `evidence` is everything that was weighed, what differs and what nobody said included.
    - `note` is what a member of staff said who joined the two by hand.
    """

    why: str
    model: str
    agreements: tuple[str, ...]
    seconds_apart: int
    probability: Decimal | None = None
    runner_up: Decimal | None = None
    threshold: Decimal | None = None
    evidence: tuple[Clue, ...] = ()
    note: str | None = None


class WithdrawnWhy(Enum):
    """Why a receipt was taken away again."""

    NOT_MINE = "not_mine"  # the person who paid said so
    BY_STAFF = "by_staff"
    CONTRADICTED = "contradicted"  # by what came to be known later


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That the purchase had a receipt and lost it; nothing of the receipt itself.

    `version` is the first without it. `why` is the value of a `WithdrawnWhy`, `detail` a code that
    says more (what contradicted), `note` what a member of staff said who did it. `matched_at` and
    `matched_why` tell of the match that it ended.
    """

    version: int
    at: datetime
    why: str
    detail: str = ""
    matched_at: datetime | None = None
    matched_why: str = ""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Purchase:
    """One purchase of one member, in its newest version.

    - `part` is the part of the receipt (index of the card tender) this payment holds.
    - `same_as` names the payment that tells of the same purchase through another source.
    - `returns` are the return receipts applied to it, so that none is applied twice.
    - `told_reference` is what the bank calls the receipt, where it gave it a name.
    - `withdrawals` tell of receipts that it had before, oldest first.
    - `refunds` are the refund payments that were found to be of it; those that the bank links by
      itself are among the payment's events.
    - `refund_of`, of a refund payment: the purchase that it gives back.
    - `changes` say what made each version (`history`).
    """

    member_id: MemberId
    payment: Payment
    version: int
    receipt: Receipt | None = None
    part: int = 0
    reason: Reason | None = None
    matched_at: datetime | None = None
    ending: Ending | None = None
    same_as: PaymentId | None = None
    returns: tuple[Receipt, ...] = ()
    told_reference: str | None = None
    withdrawals: tuple[Withdrawal, ...] = ()
    refunds: tuple[LinkedRefund, ...] = ()
    refund_of: RefundOf | None = None
    changes: tuple[Change, ...] = ()

    @property
    def is_withdrawn(self) -> bool:
        """Whether it had a receipt that was taken away, and has had no other since."""
        return self.receipt is None and bool(self.withdrawals)

    @property
    def after_returns(self) -> Returned:
        """The sale with the quantities taken back, and what of the returns could not be applied.

        Only of a purchase that has a receipt.
        """
        if self.receipt is None:
            raise ValueError("the purchase has no receipt")
        return apply_returns(self.receipt, self.returns)

    @property
    def external_id(self) -> str:
        """Our name of this purchase's receipt at the bank: one for all its versions."""
        return f"cf-{self.payment.payment_id}"


@dataclass(frozen=True, slots=True)
class KnownPayment:
    """A recorded payment and whose it is. `is_new` where this call wrote it first."""

    payment: Payment
    member_id: MemberId
    first_seen_at: datetime
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the purchase of a payment lies, known without opening anything."""

    payment_id: PaymentId
    member_id: MemberId
    anchored_at: datetime
    first_seen_at: datetime | None = None


def joined(
    known: KnownPayment,
    matched: Matched,
    *,
    before: Purchase | None,
    now: datetime,
    threshold: Decimal | None = None,
    note: str | None = None,
) -> Purchase:
    """The purchase that `matched` makes of a payment; `before` is its version without a receipt."""
    refused = (*(before.payment.refused if before else ()), *known.payment.refused)
    is_weighed = matched.why not in (*BY_HAND, Why.HELD_ALREADY)
    others = tuple(r for r in dict.fromkeys(refused) if r != matched.part.receipt_id)
    return Purchase(
        member_id=known.member_id,
        payment=replace(known.payment, refused=others),
        version=before.version + 1 if before else 1,
        told_reference=before.told_reference if before else None,
        withdrawals=before.withdrawals if before else (),
        refunds=before.refunds if before else (),
        changes=before.changes if before else (),
        receipt=matched.part.receipt,
        part=matched.part.index,
        reason=Reason(
            why=matched.why.value,
            model=MODEL,
            agreements=tuple(sorted(a.value for a in matched.evidence.agreements)),
            seconds_apart=matched.evidence.seconds_apart,
            probability=to_share(matched.probability) if is_weighed else None,
            runner_up=to_share(matched.runner_up) if is_weighed else None,
            threshold=threshold if is_weighed else None,
            evidence=tuple(
                Clue(one.value, "differs")
                for one in sorted(matched.evidence.contradictions, key=lambda c: c.value)
            ),
            note=note,
        ),
        matched_at=now,
        same_as=matched.same_as,
    )
