"""What a payment paid of its receipt, and how much of that came back, in the receipt's currency."""

from collections.abc import Sequence
from fractions import Fraction

from chalicelib.matching.payment import Payment
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.refunds import refunded
from chalicelib.receipts.canonical import LineKind, Receipt, ReceiptKind, TenderKind
from chalicelib.receipts.returns import apply_returns


def paid_minor(purchase: Purchase) -> int:
    """What the payment paid of the receipt: its tender, less change that was given out of it.

    A tip that the bank knows and the till does not is no part of it. Where the bank never spoke of
    as much as the tender, in its currency, the card paid only what the bank says.
    """
    receipt = purchase.receipt
    if receipt is None:
        return 0
    tender = _tender_minor(receipt, purchase.part)
    told = _told_minor(purchase.payment, receipt.currency)
    return tender if told is None else min(tender, told)


def given_back_minor(purchase: Purchase, *, paid: int) -> int:
    """What of `paid` came back: refunds, however they were told of, and what was reversed in part.

    Refunds in another currency count by their share of what the bank charged, rounded half to even.
    """
    receipt, payment = purchase.receipt, purchase.payment
    if receipt is None:
        return 0
    back = refunded(purchase)
    if payment.amount.currency != receipt.currency:
        share = Fraction(back.minor, back.paid_minor) if back.paid_minor else Fraction(0)
        return round(paid * share)
    reversed_minor = max(paid - payment.amount.minor, 0)
    return min(back.minor + reversed_minor, paid)


def swapped_minor(purchase: Purchase, after: Receipt, gross: Sequence[int]) -> tuple[int, ...]:
    """What of each line's value, once it came back, went into other goods in an exchange.

    An exchange gives back only what its new goods did not cost; the rest of the value stays with
    the sale it was earned in, because the exchange's own payment paid only the difference. Rounded
    down. `after` is the receipt after all returns, `gross` what its lines cost.
    """
    exchanges = [one for one in purchase.returns if one.kind is ReceiptKind.EXCHANGE]
    if not exchanges or purchase.receipt is None:
        return (0,) * len(gross)
    others = [one for one in purchase.returns if one.kind is not ReceiptKind.EXCHANGE]
    without = apply_returns(purchase.receipt, others).sale
    kept = _share_kept_in_goods(exchanges)
    swapped = []
    for line, before, cost in zip(after.lines, without.lines, gross, strict=True):
        quantity = line.returned_quantity - before.returned_quantity
        share = Fraction(quantity) / Fraction(line.quantity) if line.quantity > 0 else Fraction(0)
        swapped.append(int(cost * max(share, Fraction(0)) * kept))
    return tuple(swapped)


def _share_kept_in_goods(exchanges: Sequence[Receipt]) -> Fraction:
    brought = sum(
        line.amount_minor for one in exchanges for line in one.lines if line.kind is LineKind.RETURN
    )
    paid_out = sum(max(-one.total_minor, 0) for one in exchanges)
    if brought <= 0:
        return Fraction(0)
    return max(Fraction(brought - paid_out, brought), Fraction(0))


def _tender_minor(receipt: Receipt, part: int) -> int:
    tenders = receipt.card_tenders
    if not 0 <= part < len(tenders):
        return max(receipt.total_minor, 0)  # A till that prints no tenders was paid by one card.
    amount = tenders[part].amount_minor
    cash = sum(one.amount_minor for one in receipt.tenders if one.kind is TenderKind.CASH)
    change = max(receipt.change_minor - cash, 0)  # Change is given out of cash first.
    largest = max(range(len(tenders)), key=lambda at: (tenders[at].amount_minor, -at))
    return max(amount - change, 0) if part == largest else amount


def _told_minor(payment: Payment, currency: str) -> int | None:
    """The most that the bank ever said was charged in `currency`; None where it never spoke in it.

    An order that leaves in parcels is charged bit by bit, and a pump asks for one pound before it
    gives any fuel: the last word may be more than the first, and what was reversed was charged.
    """
    return max((one.minor for one in payment.amounts if one.currency == currency), default=None)
