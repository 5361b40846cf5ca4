"""What a payment and its receipt say alike, as both stand now. Pure.

A purchase keeps why its receipt was joined, and that stays the record of the decision. The till may
correct the receipt afterwards, and the bank may say more: what is told of the two has to be true of
what is shown.
"""

from collections.abc import Iterator

from chalicelib.kernel.cards import LastFour
from chalicelib.matching.outcome import Agreement
from chalicelib.matching.payment import Payment
from chalicelib.matching.rates import Digits, digits_of
from chalicelib.matching.scene import slip_of
from chalicelib.matching.shelf import sums_of
from chalicelib.matching.signals import Part, parts_of
from chalicelib.network.identifiers import IdentifierKind
from chalicelib.purchases.model import Cause, Clue, Purchase

AGREES, DIFFERS, UNKNOWN = "agrees", "differs", "unknown"

# Facts of the card that a rule may compare; those it does not name, not both sides said.
COMPARED = (
    Agreement.AUTH_CODE,
    Agreement.LAST_FOUR,
    Agreement.SCHEME,
    Agreement.MID,
    Agreement.TID,
)
# Digits that agree with what is known of the member stand in for those that the bank would send.
OF_MEMBER = frozenset({Agreement.REGISTERED_CARD.value, Agreement.DEVICE.value})
# How the amounts relate where they differ. The words are part of the API.
HIGHER, LOWER, OTHER_CURRENCY = "bank_higher", "bank_lower", "other_currency"


def clues_of(purchase: Purchase) -> tuple[Clue, ...]:
    """Everything that was weighed, as it stands now; what nobody says is unknown.

    What was weighed with more than the two sides (the clock of the till, cards of the member) is
    what it was then, but for digits where the receipt was corrected: nobody knows which it had.
    """
    reason = purchase.reason
    if reason is None:
        return ()
    stands = dict.fromkeys(reason.agreements, AGREES)
    stands |= {clue.what: clue.stand for clue in reason.evidence}
    is_known = not OF_MEMBER.isdisjoint(stands)
    now = dict(_compared(purchase))
    if is_corrected(purchase):
        for what in {*OF_MEMBER, *(fact.value for fact in COMPARED)} & set(stands):
            stands[what] = UNKNOWN
    stands |= {what: stand for what, stand in now.items() if stand != UNKNOWN or what == "amount"}
    for fact in COMPARED:
        if not (is_known and fact is Agreement.LAST_FOUR):
            stands.setdefault(fact.value, UNKNOWN)
    return tuple(Clue(what, stand) for what, stand in stands.items())


def agreements_of(purchase: Purchase) -> list[str]:
    """What the receipt was joined by, as far as it agrees now."""
    agreeing = {clue.what for clue in clues_of(purchase) if clue.stand == AGREES}
    return [what for what in _joined_by(purchase) if what in agreeing]


def no_longer_holds(purchase: Purchase) -> bool:
    """Whether something agreed when the receipt was joined and does not agree now."""
    return len(agreements_of(purchase)) < len(_joined_by(purchase))


def is_corrected(purchase: Purchase) -> bool:
    """Whether the receipt was corrected, or declared void, since it was joined."""
    joined = [at for at, one in enumerate(purchase.changes) if one.cause is Cause.JOINED]
    since = purchase.changes[joined[-1] + 1 :] if joined else purchase.changes
    return any(one.cause in (Cause.CORRECTED, Cause.VOIDED) for one in since)


def relation_of(purchase: Purchase) -> str | None:
    """How the amounts relate where they differ; None where they agree or nobody knows."""
    payment, part = purchase.payment, _part_of(purchase)
    if part is None or not payment.amounts or _is_equal(payment, part):
        return None
    told = [one for one in payment.amounts if one.currency == part.receipt.currency]
    if not told:
        return OTHER_CURRENCY
    newest = payment.amount if payment.amount in told else told[-1]
    return HIGHER if newest.minor > part.amount_minor else LOWER


def _joined_by(purchase: Purchase) -> tuple[str, ...]:
    return purchase.reason.agreements if purchase.reason else ()


def _compared(purchase: Purchase) -> Iterator[tuple[str, str]]:
    """Each fact that the two sides alone decide, and how it stands."""
    payment, part = purchase.payment, _part_of(purchase)
    if part is None:
        yield Agreement.AMOUNT.value, UNKNOWN
        return
    yield Agreement.AMOUNT.value, _stand_of_amount(payment, part)
    card = payment.card
    yield Agreement.AUTH_CODE.value, _stand(card.auth_code, part.card.auth_code)
    yield Agreement.LAST_FOUR.value, _stand_of_digits(card.last_four, part.card.last_four)
    yield Agreement.SCHEME.value, _stand(card.scheme, part.card.scheme)
    for fact, kind, theirs in (
        (Agreement.MID, IdentifierKind.MID, part.mid),
        (Agreement.TID, IdentifierKind.TID, part.tid),
    ):
        ours = {one.value for one in payment.merchant if one.kind is kind}
        yield fact.value, _stand(theirs if theirs in ours else next(iter(ours), None), theirs)


def _part_of(purchase: Purchase) -> Part | None:
    """The part of the receipt that the payment holds; a void receipt has none."""
    parts = parts_of(purchase.receipt) if purchase.receipt else ()
    return next((part for part in parts if part.index == purchase.part), None)


def _stand_of_amount(payment: Payment, part: Part) -> str:
    if _is_equal(payment, part):
        return AGREES
    currencies = {amount.currency for amount in payment.amounts}
    return DIFFERS if part.receipt.currency in currencies else UNKNOWN


def _is_equal(payment: Payment, part: Part) -> bool:
    """Whether the till printed a sum that the bank told, with the tip it knows of or without."""
    printed, currency = sums_of(slip_of(part)), part.receipt.currency
    return any(one.minor in printed and one.currency == currency for one in payment.amounts)


def _stand_of_digits(ours: LastFour | None, theirs: LastFour | None) -> str:
    """Digits of two kinds say nothing, and those of an unsaid kind only where they agree."""
    if ours is None or theirs is None:
        return UNKNOWN
    kinds = digits_of(ours, theirs)
    if ours.digits == theirs.digits:
        return UNKNOWN if kinds is Digits.OTHER_KIND else AGREES
    return DIFFERS if kinds is Digits.SAME_KIND else UNKNOWN


def _stand(ours: str | None, theirs: str | None) -> str:
    if ours is None or theirs is None:
        return UNKNOWN
    return AGREES if ours == theirs else DIFFERS
