"""What receipts say of money that comes back: what may, what did, and whose card it went to."""

from chalicelib.kernel.cards import LastFourKind
from chalicelib.matching.refunds import CLOCKS_APART, RETURN_TO_REFUND, RefundSignals
from chalicelib.receipts.canonical import LineKind, Receipt, ReceiptKind, Tender
from chalicelib.receipts.returns import returnable_quantity

_SUMS_MAX = 4_096


def money_back(returned: Receipt) -> tuple[int, ...]:
    """What the till gave back onto cards for `returned`, one amount per card; of a receipt that
    does not say how, all of it. In minor units, positive; nothing for a return that was voided.
    """
    if returned.kind is ReceiptKind.VOID:
        return ()
    if returned.kind is ReceiptKind.EXCHANGE and returned.total_minor >= 0:
        return ()  # The customer paid.
    on_cards = tuple(tender.amount_minor for tender in returned.card_tenders)
    if not returned.tenders:
        on_cards = (abs(returned.total_minor),)
    return tuple(minor for minor in on_cards if minor > 0)


def is_tied(refund: RefundSignals, returned: Receipt) -> bool:
    """Whether `refund` and `returned`, of the same amount, were made by one customer: cards agree
    in digits of one kind, or nothing of the card is said and both were made within the hour.
    """
    if returned.retailer_id not in refund.retailers or returned.currency != refund.amount.currency:
        return False
    apart = abs(refund.made_at - returned.issued_at)
    tenders = [t for t in returned.card_tenders if t.amount_minor == refund.amount.minor]
    agreed = [_digits_agree(refund, tender) for tender in tenders]
    if True in agreed:
        return apart <= RETURN_TO_REFUND
    return False not in agreed and apart <= CLOCKS_APART


def _digits_agree(refund: RefundSignals, tender: Tender) -> bool | None:
    """None where the two cannot be compared: one is missing, or they end different numbers."""
    theirs = tender.card.last_four
    ours = [refund.card.last_four] if refund.card.last_four else refund.known_last_fours
    if theirs is None or theirs.kind is LastFourKind.UNKNOWN:
        return None
    alike = [one for one in ours if one.kind is theirs.kind]
    return any(one.digits == theirs.digits for one in alike) if alike else None


def amounts_givable(sale: Receipt) -> frozenset[int]:
    """What may come back for some of the goods of `sale` (after its returns), in minor units.

    Each remaining unit of a line alone, some of it, and lines together, as long as they are few.
    """
    sums = {0}
    for line in sale.lines:
        remaining = returnable_quantity(line)
        if line.kind is not LineKind.SALE or remaining <= 0 or line.amount_minor <= 0:
            continue
        units = int(remaining) if remaining == int(remaining) else 1
        whole = round(line.amount_minor * remaining / line.quantity)  # to even, as tills round
        of_line = {round(whole * count / units) for count in range(1, min(units, 20) + 1)}
        more = {known + one for known in sums for one in of_line}
        sums |= more if len(sums) + len(more) <= _SUMS_MAX else of_line
    return frozenset(sums - {0})
