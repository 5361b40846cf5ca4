"""A sale, as schemes and offers see it: what was bought with one payment, and what of it is left.

Amounts are whole minor units of the receipt's currency. A line's amount is what it really cost:
after its own discounts, after its share of discounts over the whole receipt, and with its share of
tax that stands on top. All shares are by largest remainder, so that they come to what was shared.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from chalicelib.kernel.ids import PaymentId, ReceiptId, RetailerId, StoreId
from chalicelib.loyalty.amounts import CHARGE_PREFIX, amounts_of
from chalicelib.loyalty.moneyback import given_back_minor, paid_minor, swapped_minor
from chalicelib.matching.payment import Payment, PaymentState
from chalicelib.matching.signals import parts_of
from chalicelib.network.model import Store
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.refunds import status_of
from chalicelib.receipts.canonical import (
    ChargeKind,
    LineKind,
    Receipt,
    ReceiptKind,
    TenderKind,
)

OWN_TENDERS = frozenset({TenderKind.LOYALTY, TenderKind.VOUCHER, TenderKind.GIFT_CARD})
NOTHING = Decimal(0)
NO_RECEIPT = ReceiptId("")  # Of a purchase that lost the one it had.
_ALL, _NONE = Fraction(1), Fraction(0)  # Most sales are paid whole and keep all their goods.


class SaleLine(NamedTuple):
    """One line sold, or (`is_return`) taken back in an exchange.

    - `gross_minor` with tax, `net_minor` without; both of the whole line, whoever paid for it.
    - `returned_quantity` of `quantity` came back since; `swapped_minor` of its value went into
      other goods, in an exchange, and not back to whoever paid.
    """

    line_id: str
    description: str
    quantity: Decimal
    unit: str | None
    gross_minor: int
    net_minor: int
    gtin: str | None = None
    sku: str | None = None
    category: tuple[str, ...] = ()
    returned_quantity: Decimal = NOTHING
    swapped_minor: int = 0
    is_return: bool = False


@dataclass(frozen=True, slots=True)
class SaleCharge:
    """A charge on top of the lines: a tip, delivery, a bag."""

    charge_id: str
    kind: ChargeKind
    gross_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Sale:
    """What was bought with one payment, after everything that is known of it.

    - `sold_at` is the bank's time of the payment, in UTC; `zone` the store's. `told_from` is the
      earliest that any word of the bank gave; None: that one.
    - `due_minor` is what the lines sold and the charges came to; `total_minor` what was to be paid
      (less, in an exchange). `paid_minor` of it was paid by this payment, `own_tender_minor` by the
      retailer's own loyalty, vouchers and gift cards.
    - `refunded_minor` was given back to this payment beyond what the returned lines account for.
    - `is_withdrawn`: nothing of it counts (any more): the receipt was somebody else's or is void,
      or the payment was reversed. `is_refunded`: all that was paid was given back.
    - `is_largest_part`: of several payments of one receipt, visits and items are this one's.
    - `is_told_twice`: another source tells of the same payment, and that one earns.
    """

    purchase_id: PaymentId
    version: int
    retailer_id: RetailerId
    store_id: StoreId
    zone: str
    sold_at: datetime
    currency: str
    lines: tuple[SaleLine, ...]
    total_minor: int
    paid_minor: int
    due_minor: int
    charges: tuple[SaleCharge, ...] = ()
    own_tender_minor: int = 0
    refunded_minor: int = 0
    is_withdrawn: bool = False
    is_refunded: bool = False
    is_exchange: bool = False
    is_largest_part: bool = True
    is_told_twice: bool = False
    receipt_id: ReceiptId = NO_RECEIPT
    told_from: datetime | None = None

    @property
    def earliest_at(self) -> datetime:
        """No later than it was ever said to be sold: a further word of the bank moves `sold_at`
        either way, and this only back.
        """
        return self.sold_at if self.told_from is None else min(self.sold_at, self.told_from)

    @property
    def sold(self) -> tuple[SaleLine, ...]:
        """The lines sold, without those taken back in an exchange."""
        return tuple([line for line in self.lines if not line.is_return])

    @property
    def paid_share(self) -> Fraction:
        """Which share of what was due this payment paid, between nought and one."""
        if self.due_minor <= 0:
            return _NONE
        if self.paid_minor >= self.due_minor:
            return _ALL
        return Fraction(max(self.paid_minor, 0), self.due_minor)


def sale_of(purchase: Purchase, store: Store | None) -> Sale:
    """What `purchase`, made in `store`, says to schemes and offers.

    One without a receipt (it lost the one it had) is a sale of nothing, withdrawn, at no store.
    :raises ValueError: a bug: it has a receipt, and no store was given.
    """
    receipt, payment = purchase.receipt, purchase.payment
    if receipt is None:
        return _sale_of_nothing(purchase, store)
    if store is None:
        raise ValueError("the purchase has a receipt, so its store is known")
    lines, charges = _amounts(purchase)
    due = sum(line.gross_minor for line in lines if not line.is_return)
    due += sum(charge.gross_minor for charge in charges) + receipt.rounding_minor
    paid = min(paid_minor(purchase), max(due, 0))
    sale = Sale(
        purchase_id=payment.payment_id,
        version=purchase.version,
        retailer_id=receipt.retailer_id,
        store_id=store.store_id,
        zone=store.zone,
        sold_at=payment.made_at,
        currency=receipt.currency,
        lines=lines,
        total_minor=receipt.total_minor,
        paid_minor=paid,
        due_minor=due,
        charges=charges,
        own_tender_minor=_own_tender_minor(receipt),
        is_withdrawn=_counts_no_more(purchase, receipt),
        is_refunded=status_of(purchase) is PaymentState.REFUNDED,
        is_exchange=receipt.kind is ReceiptKind.EXCHANGE,
        is_largest_part=_is_largest_part(receipt, purchase.part),
        is_told_twice=purchase.same_as is not None,
        receipt_id=receipt.receipt_id,
        told_from=_told_from(payment),
    )
    by_lines = int(returned_minor(sale) * sale.paid_share)
    beyond = max(given_back_minor(purchase, paid=paid) - by_lines, 0)
    return replace(sale, refunded_minor=min(beyond, paid - by_lines))


def returned_share(line: SaleLine) -> Fraction:
    """Which share of what `line` cost went back to whoever paid, between nought and one."""
    if line.quantity <= 0 or not line.returned_quantity:
        return _NONE
    share = min(Fraction(line.returned_quantity) / Fraction(line.quantity), _ALL)
    if not line.swapped_minor or line.gross_minor <= 0:
        return share
    return max(share - Fraction(line.swapped_minor, line.gross_minor), _NONE)


def returned_minor(sale: Sale) -> Fraction:
    """What the returned lines of `sale` cost, less what went into other goods; exactly."""
    back = [line for line in sale.lines if line.returned_quantity and not line.is_return]
    if not back:
        return _NONE
    return sum((line.gross_minor * returned_share(line) for line in back), _NONE)


def _sale_of_nothing(purchase: Purchase, store: Store | None) -> Sale:
    payment = purchase.payment
    return Sale(
        purchase_id=payment.payment_id,
        version=purchase.version,
        retailer_id=store.retailer_id if store else RetailerId(""),
        store_id=store.store_id if store else StoreId(""),
        zone=store.zone if store else "UTC",
        sold_at=payment.made_at,
        currency=payment.amount.currency,
        lines=(),
        total_minor=0,
        paid_minor=0,
        due_minor=0,
        is_withdrawn=True,
        told_from=_told_from(payment),
    )


def _told_from(payment: Payment) -> datetime:
    return min(payment.anchored_at, *(event.made_at for event in payment.events))


def _counts_no_more(purchase: Purchase, receipt: Receipt) -> bool:
    is_void = receipt.kind in (ReceiptKind.VOID, ReceiptKind.RETURN)
    gone = (PaymentState.REVERSED, PaymentState.REFUND_ONLY)
    return is_void or purchase.payment.state in gone


def _own_tender_minor(receipt: Receipt) -> int:
    return sum(tender.amount_minor for tender in receipt.tenders if tender.kind in OWN_TENDERS)


def _is_largest_part(receipt: Receipt, part: int) -> bool:
    """Whether no other part of `receipt` is larger, and no earlier one as large."""
    sizes = {one.index: one.amount_minor for one in parts_of(receipt)}
    return not sizes or part == max(sizes, key=lambda index: (sizes[index], -index))


def _amounts(purchase: Purchase) -> tuple[tuple[SaleLine, ...], tuple[SaleCharge, ...]]:
    after = purchase.after_returns.sale
    amounts = amounts_of(after)
    swapped = swapped_minor(purchase, after, amounts.gross)
    lines = tuple(
        SaleLine(
            line_id=line.line_id,
            description=line.description,
            quantity=line.quantity,
            unit=line.unit,
            gross_minor=gross,
            net_minor=max(gross - tax, 0),
            gtin=line.gtin,
            sku=line.sku,
            category=line.category,
            returned_quantity=line.returned_quantity,
            swapped_minor=into_goods,
            is_return=line.kind is LineKind.RETURN,
        )
        for line, gross, tax, into_goods in zip(
            after.lines, amounts.gross, amounts.tax, swapped, strict=True
        )
    )
    charges = tuple(
        SaleCharge(
            charge_id=f"{CHARGE_PREFIX}{at}",
            kind=charge.kind,
            gross_minor=amounts.gross_of_charges[at],
            net_minor=max(amounts.gross_of_charges[at] - amounts.tax_of_charges[at], 0),
        )
        for at, charge in enumerate(after.charges)
    )
    return lines, charges
