"""Returns: which lines of a sale were taken back, and how much may still be.

A return (or exchange) names the sale for the whole receipt or line by line: by the retailer's
receipt reference, by its return reference, or by its barcode as it was scanned (`codes_of`). One
that names nothing at all is of the sale that it is given with: somebody has found that out by what
both say. Without a line's id, the line is found by product code and price, else by description.
More than remains is never taken back: it is flagged, and nothing of it applied. The sale is given
as its retailer sent it, with all its returns at once, so that neither order nor repetition counts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from fractions import Fraction

from chalicelib.kernel.ids import ReceiptId
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.receipts.canonical import Line, LineKind, Receipt, ReceiptKind

NOTHING = Decimal(0)


class NotThatSale(NotAllowed):
    """The return is of another sale, another retailer or another currency than the one given."""

    code = "not_that_sale"


class FlagKind(Enum):
    """Why a returned line was not applied."""

    OVER_RETURN = "over_return"  # more than remained
    NO_SUCH_LINE = "no_such_line"  # nothing like it was sold


@dataclass(frozen=True, slots=True)
class ReturnFlag:
    """A returned line that was not applied: of which return, how much, and how much remained."""

    kind: FlagKind
    return_reference: str
    return_line_id: str
    quantity: Decimal
    remaining: Decimal


@dataclass(frozen=True, slots=True)
class Returned:
    """The sale with `returned_quantity` on its lines, and what could not be applied."""

    sale: Receipt
    flags: tuple[ReturnFlag, ...]


@dataclass(frozen=True, slots=True)
class _Given:
    """One returned line that refers to the sale."""

    receipt: Receipt
    line: Line
    line_id: str | None


def returnable_quantity(line: Line) -> Decimal:
    """How much of `line` may still be brought back; nothing of a line that was itself a return."""
    if line.kind is LineKind.RETURN:
        return NOTHING
    return max(line.quantity - line.returned_quantity, NOTHING)


def codes_of(sale: Receipt) -> tuple[str, ...]:
    """What a return may call `sale` by, its reference first: each once, without blanks around."""
    printed = (
        sale.reference,
        sale.return_reference,
        sale.barcode.value if sale.barcode is not None else None,
    )
    return tuple(dict.fromkeys(tidy_code(code) for code in printed if code and tidy_code(code)))


def tidy_code(code: str) -> str:
    """`code` as it is compared: scanners and people add blanks at its ends, and nothing else."""
    return code.strip()


def sales_referred_to(receipt: Receipt) -> tuple[str, ...]:
    """The codes of the sales whose lines `receipt` takes back, each once, in order."""
    if receipt.kind not in (ReceiptKind.RETURN, ReceiptKind.EXCHANGE):
        return ()
    named = (
        line.refers_to.receipt_reference if line.refers_to else receipt.refers_to
        for line in receipt.lines
        if line.kind is LineKind.RETURN
    )
    return tuple(dict.fromkeys(tidy_code(code) for code in named if code and tidy_code(code)))


def names_no_sale(receipt: Receipt) -> bool:
    """Whether `receipt` takes goods back and says of no line which sale it was sold in."""
    return (
        receipt.kind in (ReceiptKind.RETURN, ReceiptKind.EXCHANGE)
        and any(line.kind is LineKind.RETURN for line in receipt.lines)
        and not sales_referred_to(receipt)
    )


def could_undo(sale: Receipt, returned: Receipt) -> bool:
    """Whether everything that `returned` takes back was sold in `sale` and is still with the buyer.

    By product and by the price that was paid; give `sale` after its earlier returns.
    """
    if returned.retailer_id != sale.retailer_id or returned.currency != sale.currency:
        return False
    lines = list(sale.lines)
    for line in returned.lines:
        if line.kind is LineKind.RETURN:
            entry = _Given(returned, line, None)
            alike = [at for at in _candidates(lines, entry) if _same_price(lines[at], line)]
            if not alike or _take_from(lines, alike, entry):
                return False
    return True


def apply_returns(sale: Receipt, returns: Sequence[Receipt]) -> Returned:
    """`sale` after `returns`: the same for any order of them, and for any repetition.

    Give the sale as it was sent. Quantities that it already states as returned are kept, and count.
    Of several versions of one return the newest counts; a voided one counts for nothing.
    :raises NotThatSale: one of `returns` does not refer to `sale`.
    """
    lines = list(sale.lines)
    flags: list[ReturnFlag] = []
    given: list[_Given] = []
    for returned in _in_force(sale, returns):
        given += _given_lines(sale, returned)
    # Lines named by id go first: what is found by likeness takes what they leave.
    for entry in sorted(given, key=lambda entry: entry.line_id is None):
        take = _take_whole if _is_whole_refund(sale, entry.receipt) else _take
        flags += take(lines, entry)
    return Returned(replace(sale, lines=tuple(lines)), tuple(flags))


def _in_force(sale: Receipt, returns: Iterable[Receipt]) -> list[Receipt]:
    newest: dict[ReceiptId, Receipt] = {}
    for returned in returns:
        _require_of_sale(sale, returned)
        known = newest.get(returned.receipt_id)
        if known is None or returned.version > known.version:
            newest[returned.receipt_id] = returned
    kept = (one for one in newest.values() if one.kind is not ReceiptKind.VOID)
    return sorted(kept, key=lambda one: (one.issued_at, one.reference))


def _require_of_sale(sale: Receipt, returned: Receipt) -> None:
    if returned.retailer_id != sale.retailer_id or returned.currency != sale.currency:
        raise NotThatSale("the return is of another retailer or currency", field="refers_to")
    voided = returned.kind is ReceiptKind.VOID
    named = set(codes_of(sale)) & set(sales_referred_to(returned))
    if not voided and not named and not names_no_sale(returned):
        raise NotThatSale("the return refers to another receipt", field="refers_to")


def _given_lines(sale: Receipt, returned: Receipt) -> list[_Given]:
    given = []
    codes = codes_of(sale)
    is_given_with = names_no_sale(returned)
    for line in returned.lines:
        code = line.refers_to.receipt_reference if line.refers_to else returned.refers_to
        is_of_sale = is_given_with or (code is not None and tidy_code(code) in codes)
        if line.kind is LineKind.RETURN and is_of_sale:
            line_id = line.refers_to.line_id if line.refers_to else None
            given.append(_Given(returned, line, line_id))
    return given


def _is_whole_refund(sale: Receipt, returned: Receipt) -> bool:
    """A till that refunds a whole receipt may print one line for it, like nothing that was sold."""
    return (
        returned.kind is ReceiptKind.RETURN
        and len(returned.lines) == 1
        and returned.total_minor == sale.total_minor
        and (returned.refers_to is not None or names_no_sale(returned))
        and returned.lines[0].refers_to is None
        and not _candidates(sale.lines, _Given(returned, returned.lines[0], None))
    )


def _take_whole(lines: list[Line], entry: _Given) -> list[ReturnFlag]:
    sold = [index for index, line in enumerate(lines) if line.kind is LineKind.SALE]
    if any(lines[index].returned_quantity for index in sold):
        remaining = sum((returnable_quantity(lines[index]) for index in sold), NOTHING)
        return [_flag(FlagKind.OVER_RETURN, entry, remaining)]
    for index in sold:
        lines[index] = replace(lines[index], returned_quantity=lines[index].quantity)
    return []


def _take(lines: list[Line], entry: _Given) -> list[ReturnFlag]:
    found = _candidates(lines, entry)
    if not found:
        return [_flag(FlagKind.NO_SUCH_LINE, entry, NOTHING)]
    return _take_from(lines, found, entry)


def _take_from(lines: list[Line], found: Sequence[int], entry: _Given) -> list[ReturnFlag]:
    remaining = sum((returnable_quantity(lines[index]) for index in found), NOTHING)
    if entry.line.quantity > remaining:
        return [_flag(FlagKind.OVER_RETURN, entry, remaining)]
    wanted = entry.line.quantity
    for index in found:
        taken = min(wanted, returnable_quantity(lines[index]))
        lines[index] = replace(
            lines[index], returned_quantity=lines[index].returned_quantity + taken
        )
        wanted -= taken
    return []


def _candidates(lines: Sequence[Line], entry: _Given) -> list[int]:
    """The sold lines that `entry` may mean, by the strongest likeness that finds any."""
    sold = [(index, line) for index, line in enumerate(lines) if line.kind is LineKind.SALE]
    if entry.line_id is not None:
        return [index for index, line in sold if line.line_id == entry.line_id]
    for alike in _LIKENESSES:
        found = [index for index, line in sold if alike(line, entry.line)]
        if found:
            return found
    return []


def _same_gtin(sold: Line, returned: Line) -> bool:
    return sold.gtin is not None and sold.gtin == returned.gtin and _same_price(sold, returned)


def _same_sku(sold: Line, returned: Line) -> bool:
    return sold.sku is not None and sold.sku == returned.sku and _same_price(sold, returned)


def _same_description(sold: Line, returned: Line) -> bool:
    return _tidied(sold.description) == _tidied(returned.description)


_LIKENESSES: tuple[Callable[[Line, Line], bool], ...] = (_same_gtin, _same_sku, _same_description)


def _same_price(sold: Line, returned: Line) -> bool:
    """Whether what is given back per unit is what was paid per unit, to the minor unit."""
    difference = _paid_per_unit(sold) - _paid_per_unit(returned)
    finest = min(abs(sold.quantity), abs(returned.quantity))
    return abs(difference) * (Fraction(finest) or 1) <= 1


def _paid_per_unit(line: Line) -> Fraction:
    return Fraction(line.amount_minor) / (Fraction(line.quantity) or 1)


def _tidied(text: str) -> str:
    return " ".join(text.casefold().split())


def _flag(kind: FlagKind, entry: _Given, remaining: Decimal) -> ReturnFlag:
    return ReturnFlag(
        kind=kind,
        return_reference=entry.receipt.reference,
        return_line_id=entry.line.line_id,
        quantity=entry.line.quantity,
        remaining=remaining,
    )
