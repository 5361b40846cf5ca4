"""The rules a receipt must keep before it is believed: its sums, its kind, its time.

Each refusal says which rule failed (`code`) and where (`field`, such as `lines[2].amount_minor`).
Ranges and lengths are in `limits.py`.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_never

from chalicelib.kernel.refusals import NotAllowed
from chalicelib.receipts.canonical import Line, LineKind, Receipt, ReceiptKind
from chalicelib.receipts.limits import check_limits

AHEAD_MAX = timedelta(hours=24)  # A till whose clock is a day wrong is a till to be mended.
BEHIND_MAX = timedelta(days=90)  # Banks show 90 days of history: older receipts meet no payment.
MEASURED_TOLERANCE_MINOR = 1  # 0.347 kg at 12.99 a kilo is rounded once, to the minor unit.


class SumsDiffer(NotAllowed):
    """The parts of the receipt do not come to what it says."""

    code = "sums"


class KindMismatch(NotAllowed):
    """The receipt's lines, total or tenders do not fit its kind."""

    code = "kind"


class TimeOutOfRange(NotAllowed):
    """The receipt says it was issued too far from now, either way."""

    code = "time_range"


def check(receipt: Receipt, *, now: datetime) -> None:
    """Refuse a receipt that breaks any rule.

    :raises NotAllowed: a subclass, whose `code` names the rule and `field` the place.
    :raises TooMany: a list is over its limit (more than 500 lines).
    """
    check_content(receipt)
    check_time(receipt.issued_at, now=now)


def check_content(receipt: Receipt) -> None:
    """As `check`, without the clock."""
    _check_kind(receipt)
    check_limits(receipt)
    for index, line in enumerate(receipt.lines):
        _check_line(line, f"lines[{index}]", tax_included=receipt.tax_included)
    if receipt.kind is not ReceiptKind.VOID:
        _check_sums(receipt)


def check_time(issued_at: datetime, *, now: datetime, tolerance: timedelta = timedelta(0)) -> None:
    """Refuse a time more than a day ahead of `now` or more than 90 days behind it.

    `tolerance` widens both bounds, for a time whose zone is not known yet.
    :raises TimeOutOfRange: with the code `time_in_future` or `time_in_past`.
    """
    if issued_at > now + AHEAD_MAX + tolerance:
        raise TimeOutOfRange(
            "issued more than 24 hours in the future", field="issued_at", code="time_in_future"
        )
    if issued_at < now - BEHIND_MAX - tolerance:
        raise TimeOutOfRange(
            "issued more than 90 days in the past", field="issued_at", code="time_in_past"
        )


def parts_total_minor(receipt: Receipt) -> int:
    """What lines, discounts, charges, taxes on top and rounding come to, in minor units.

    The formula is in `canonical.py`. Of a return receipt it is what is given back, and positive.
    """
    mirrored = receipt.kind is ReceiptKind.RETURN
    lines = sum(
        line.amount_minor if (line.kind is LineKind.SALE) != mirrored else -line.amount_minor
        for line in receipt.lines
    )
    discounts = sum(discount.amount_minor for discount in receipt.discounts)
    charges = sum(charge.amount_minor for charge in receipt.charges)
    on_top = 0 if receipt.tax_included else sum(tax.amount_minor for tax in receipt.taxes)
    return lines - discounts + charges + on_top + receipt.rounding_minor


def _check_sums(receipt: Receipt) -> None:
    if parts_total_minor(receipt) != receipt.total_minor:
        raise SumsDiffer(
            "lines, discounts, charges, taxes and rounding do not come to the total",
            field="total_minor",
            code="total_mismatch",
        )
    paid = sum(tender.amount_minor for tender in receipt.tenders)
    if paid != abs(receipt.total_minor) + receipt.change_minor:
        raise SumsDiffer(
            "the tenders do not come to the total and the change",
            field="tenders",
            code="tenders_mismatch",
        )
    if not receipt.tax_included or receipt.kind is ReceiptKind.EXCHANGE:
        return
    if sum(tax.amount_minor for tax in receipt.taxes) > receipt.total_minor:
        raise SumsDiffer("the taxes exceed the total", field="taxes", code="taxes_exceed_total")


def _check_kind(receipt: Receipt) -> None:
    kinds = {line.kind for line in receipt.lines}
    match receipt.kind:
        case ReceiptKind.SALE:
            _require_lines(kinds == {LineKind.SALE}, "a sale has lines sold, and no others")
        case ReceiptKind.RETURN:
            _require_lines(kinds == {LineKind.RETURN}, "a return has lines taken back, only")
        case ReceiptKind.EXCHANGE:
            _require_lines(len(kinds) == 2, "an exchange has lines sold and lines taken back")
        case ReceiptKind.VOID:
            if receipt.total_minor or receipt.tenders or receipt.change_minor:
                raise KindMismatch(
                    "a void receipt has no total and no tenders",
                    field="total_minor",
                    code="void_with_money",
                )
        case never:
            assert_never(never)


def _require_lines(condition: object, rule: str) -> None:
    if not condition:
        raise KindMismatch(rule, field="lines", code="lines_of_kind")


def _check_line(line: Line, at: str, *, tax_included: bool) -> None:
    modifiers = sum(modifier.amount_minor for modifier in line.modifiers)
    discounts = sum(discount.amount_minor for discount in line.discounts)
    if modifiers > line.amount_minor + discounts:
        raise SumsDiffer(
            "the modifiers exceed the line", field=f"{at}.modifiers", code="modifiers_exceed_line"
        )
    taxes = sum(tax.amount_minor for tax in line.taxes)
    if tax_included and taxes > line.amount_minor:
        raise SumsDiffer("the taxes exceed the line", field=f"{at}.taxes", code="taxes_exceed_line")
    if line.unit_price_minor is None:
        return
    expected = line.unit_price_minor * line.quantity + modifiers - discounts
    tolerance = MEASURED_TOLERANCE_MINOR if _is_measured(line) else 0
    if abs(expected - Decimal(line.amount_minor)) > tolerance:
        raise SumsDiffer(
            "unit price times quantity, with modifiers, less discounts, is not the line's amount",
            field=f"{at}.amount_minor",
            code="line_price_mismatch",
        )


def _is_measured(line: Line) -> bool:
    return line.unit is not None or line.quantity != line.quantity.to_integral_value()
