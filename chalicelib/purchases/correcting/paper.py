"""A paper receipt that somebody holds: which receipt its number means, and if it may be theirs.

Whoever holds the paper knows its number; that alone is not enough, because numbers are printed one
after the other. So what the receipt says must not contradict what the bank says: the shop, the day,
the amount, the card. Here a person's word stands in for the closeness of the clocks, and nothing
else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.kernel.money import Money
from chalicelib.matching.amounts import Relation
from chalicelib.matching.decision import evidence_of
from chalicelib.matching.evidence import Said, facts_of
from chalicelib.matching.outcome import Agreement, Evidence
from chalicelib.matching.rates import BELIEVED
from chalicelib.matching.scene import charge_of, slip_of
from chalicelib.matching.signals import Part, PaymentSignals, parts_of
from chalicelib.matching.weighing import Pair
from chalicelib.receipts.canonical import Receipt

NUMBER_CHARACTERS_MAX = 200
# The same day by a till whose clock is set to any zone of the world.
SAME_DAY = timedelta(hours=14)
# Of a bill and its tip; another sum and another hour are two things that a number would stand for.
TIP_WITHIN = timedelta(hours=3)
NEAR = timedelta(minutes=10)  # Whoever paid the very sum then has the better claim.
TIP_PERCENT_MAX = 35  # Of the bill; more is hardly a tip, and needs the card to agree.
CLOCK_SPREAD_SECONDS = 75  # Of a till of which nothing is known: four of them are five minutes.
# A card has other digits than the phone it is in, and one member may have several of both.
DIGITS_OF_ANY_NUMBER = frozenset({"digits_unsaid", "digits_registered", "digits_of_device"})
OF_THE_CARD = frozenset(
    {Agreement.AUTH_CODE, Agreement.LAST_FOUR, Agreement.REGISTERED_CARD, Agreement.DEVICE}
    | {Agreement.PAR}
)


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on the paper: the retailer's `reference`, or the `barcode` as scanned."""

    reference: str | None = None
    barcode: str | None = None

    def names(self, receipt: Receipt) -> bool:
        """Whether this number is `receipt`'s."""
        if self.reference is not None:
            return self.reference in (receipt.reference, receipt.return_reference)
        printed = receipt.barcode.value if receipt.barcode else None
        return self.barcode is not None and self.barcode in (printed, receipt.return_reference)


def named_by(paper: Paper, receipts: Iterable[Receipt]) -> Receipt | None:
    """The one receipt that `paper` names; None where there is none, or where there are several."""
    found = [receipt for receipt in receipts if paper.names(receipt)]
    return found[0] if len(found) == 1 else None


def fitting(payment: PaymentSignals, receipt: Receipt) -> list[tuple[Part, Evidence]]:
    """The parts of `receipt` that nothing contradicts; those whose amount is equal come first."""
    if receipt.store_id not in payment.stores:
        return []
    weighed = ((part, weigh_by_hand(payment, part)) for part in parts_of(receipt))
    fits = [
        (part, evidence)
        for part, evidence in weighed
        if not evidence.contradictions and _may_be(evidence)
    ]
    return sorted(fits, key=lambda one: Agreement.AMOUNT not in one[1].agreements)


def weigh_by_hand(payment: PaymentSignals, part: Part) -> Evidence:
    """What both sides say, whatever their shops, amounts and times.

    Digits that may end different numbers (a card and a phone) speak where they agree, and say
    nothing where they do not.
    """
    charge, slip = charge_of(payment), slip_of(part)
    facts = facts_of(charge, slip, Said([slip]), BELIEVED)
    apart = round((part.receipt.issued_at - payment.made_at).total_seconds())
    pair = Pair(
        place=0,
        weight=1,
        apart=apart,
        off_clock=apart,
        spread=CLOCK_SPREAD_SECONDS,
        relation=_relation(payment.amounts, part),
        facts=tuple(f for f in facts if f.agrees or f.what not in DIGITS_OF_ANY_NUMBER),
    )
    return evidence_of(pair)


def _may_be(evidence: Evidence) -> bool:
    """Whether day and amount allow it: the sum itself, soon a tip, or any where the card agrees."""
    if abs(evidence.seconds_apart) > SAME_DAY.total_seconds():
        return False
    if evidence.relation is Relation.EQUAL:
        return True
    is_soon = abs(evidence.seconds_apart) <= TIP_WITHIN.total_seconds()
    if evidence.relation is Relation.TIP_ADDED and is_soon:
        return True
    return bool(evidence.agreements & OF_THE_CARD)


def is_rather_of(rival: PaymentSignals, part: Part, evidence: Evidence) -> bool:
    """Whether `part` fits `rival` better than whom `evidence` is about: it is the very sum, and
    nearer in time.
    """
    if evidence.agreements & OF_THE_CARD:
        return False
    apart = abs(part.receipt.issued_at - rival.made_at)
    is_nearer = apart.total_seconds() < abs(evidence.seconds_apart)
    is_its_sum = _relation(rival.amounts, part) is Relation.EQUAL
    is_near = abs(evidence.seconds_apart) <= NEAR.total_seconds()
    return is_its_sum and is_nearer and not (is_near and evidence.relation is Relation.EQUAL)


def _relation(amounts: Sequence[Money], part: Part) -> Relation:
    """How what was charged relates to what was printed."""
    printed = part.amount_minor
    charged = [one.minor for one in amounts if one.currency == part.receipt.currency]
    if not charged:
        return Relation.CONVERTED
    if printed in charged:
        return Relation.EQUAL
    most = printed + printed * TIP_PERCENT_MAX // 100
    if any(printed < minor <= most for minor in charged):
        return Relation.TIP_ADDED
    return Relation.PART if max(charged) < printed else Relation.ABOVE_CLEARING
