"""What of a purchase was given back, each refund once, however many times and ways it was told.

A bank's own link makes a refund an event of the payment; without one, the refund payment was found
to be of the purchase (`LinkedRefund`). The same refund may be told in both ways, which its name at
the bank shows, or by two sources (a bank and a card network), which have no name in common: of two
sources that tell of one amount, each tells of the same refunds. What came back in another currency
than was paid does not count, and is flagged: nobody says what it is worth.
"""

from collections import Counter
from dataclasses import dataclass

from chalicelib.kernel.money import Money
from chalicelib.matching.payment import PaymentState
from chalicelib.purchases.model import Purchase

# Flags of a purchase: more was given back than was paid; something was, in another currency.
OVER_REFUND, OTHER_CURRENCY_REFUND = "over_refund", "other_currency_refund"


@dataclass(frozen=True, slots=True)
class Refunded:
    """What was given back: never more than was paid. `told_minor` is what was told of, in all.

    `has_other_currency`: the bank told of a refund in another currency, which is not in it.
    """

    paid_minor: int
    told_minor: int
    has_other_currency: bool = False

    @property
    def minor(self) -> int:
        """What counts as given back."""
        return min(self.told_minor, self.paid_minor)

    @property
    def remaining_minor(self) -> int:
        """What may still be given back."""
        return self.paid_minor - self.minor

    @property
    def is_over(self) -> bool:
        """Whether more was told of than was paid: a person should look at it."""
        return self.told_minor > self.paid_minor


def refunded(purchase: Purchase) -> Refunded:
    """What was given back of `purchase`."""
    paid = purchase.payment.amount
    by_source = _amounts_by_source(purchase, paid)
    told: Counter[int] = Counter()
    for amounts in by_source.values():
        told |= amounts  # the greater number of each amount
    others = [one for one in _all_of(purchase) if one.currency != paid.currency]
    told_minor = sum(minor * times for minor, times in told.items())
    return Refunded(paid.minor, told_minor, has_other_currency=bool(others))


def status_of(purchase: Purchase) -> PaymentState:
    """Where the payment stands, the refunds that were found included."""
    state = purchase.payment.state
    if state in (PaymentState.REVERSED, PaymentState.REFUND_ONLY):
        return state
    back = refunded(purchase)
    return PaymentState.REFUNDED if back.remaining_minor == 0 < back.paid_minor else state


def flags_of(back: Refunded) -> set[str]:
    """What a person should look at."""
    over = {OVER_REFUND} if back.is_over else set()
    return over | ({OTHER_CURRENCY_REFUND} if back.has_other_currency else set())


def _all_of(purchase: Purchase) -> list[Money]:
    told = [refund.amount for refund in purchase.payment.refunds]
    return told + [found.amount for found in purchase.refunds]


def _amounts_by_source(purchase: Purchase, paid: Money) -> dict[str, Counter[int]]:
    payment = purchase.payment
    told = [one.amount for one in payment.refunds if one.amount.currency == paid.currency]
    by_source = {payment.connection_id: Counter(amount.minor for amount in told)}
    linked = {refund.name for refund in payment.refunds}
    for found in purchase.refunds:
        is_linked = found.connection_id == payment.connection_id and found.transaction_id in linked
        if found.amount.currency == paid.currency and not is_linked:
            by_source.setdefault(found.connection_id, Counter())[found.amount.minor] += 1
    return {str(source): amounts for source, amounts in by_source.items()}
