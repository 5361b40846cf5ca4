"""What the routes of schemes take and answer, beside the rule format itself."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.kernel.refusals import Misshapen
from chalicelib.kernel.times import to_text
from chalicelib.loyalty.sale import SaleLine
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.loyalty.schemes.service import Kept
from chalicelib.loyalty.schemes.store import VersionMark
from chalicelib.loyalty.what_if import Missing, WhatIf
from chalicelib.receipts.limits import QUANTITY_MAX, TEXT_LENGTH_MAX
from chalicelib.runtime import wire

LINES_MAX = 500
AMOUNT_MAX = 100_000_000  # A million pounds is no basket.

Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_LENGTH_MAX)]
Quantity = Annotated[Decimal, Meta(extra_json_schema={"examples": ["1", "0.347"]})]


class SchemeAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One version of a scheme. `document` is what was written, with its start as it came to be and
    without what it says by default.

    `ends_at` also tells of an operator who ended it. Banks and members know it by `scheme_id`.
    """

    scheme_id: str
    version: int
    starts_at: str
    document: SchemeShape
    ends_at: str | None = None


class SchemesAnswer(msgspec.Struct, frozen=True):
    """The newest version of each scheme, ended ones too."""

    schemes: tuple[SchemeAnswer, ...]


class VersionAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A version and from when on it holds; `ended_at`, where an operator ended the scheme."""

    version: int
    starts_at: str
    ended_at: str | None = None


class VersionsAnswer(msgspec.Struct, frozen=True):
    """Every version, oldest first."""

    versions: tuple[VersionAnswer, ...]


class BasketLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would be bought: `amount_minor` is what the line costs, with tax, after discounts."""

    amount_minor: Amount
    description: Text = ""
    quantity: Quantity = Decimal(1)
    unit: Annotated[str, Meta(max_length=20)] | None = None
    net_minor: Amount | None = None
    gtin: Annotated[str, Meta(max_length=14)] | None = None
    sku: Text | None = None
    category: Annotated[tuple[Text, ...], Meta(max_length=10)] = ()


class BasketBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A basket in a store of the retailer's, by its own number; `at` a time, or else now.

    `own_tender_minor` would be paid by the retailer's vouchers, gift cards or loyalty.
    """

    store: Text
    lines: Annotated[tuple[BasketLine, ...], Meta(min_length=1, max_length=LINES_MAX)]
    currency: Annotated[str, Meta(min_length=3, max_length=3)] = "GBP"
    at: Annotated[str, Meta(max_length=40)] | None = None
    own_tender_minor: Amount = 0


class EarnedShare(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one line (by its place in the basket; none, for the visit) would earn by a rule."""

    rule: str
    units: int
    line: int | None = None


class NothingEarned(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule that would give nothing, and the code of why; `by` is what stood before it."""

    rule: str
    why: str
    missing_minor: int = 0
    missing_items: int = 0
    by: str = ""


class MissingAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What more would earn more: `£1.20 more for 1 stamp`."""

    units: int
    words: str
    rule: str = ""
    missing_minor: int = 0
    missing_items: int = 0


class WhatIfAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the basket would earn, rule by rule, and what is missing for more.

    `barred`: it earns nothing for now all the same, because `stamps_off`, `stamps_were_off`,
    `not_joined`, `before_joining` or `left_scheme`.
    """

    scheme_id: str
    version: int
    units: int
    why: str
    words: tuple[str, ...]
    earned: tuple[EarnedShare, ...] = ()
    nothing: tuple[NothingEarned, ...] = ()
    missing: MissingAnswer | None = None
    tier: str = ""
    barred: str = ""


def read_document(sent: Any) -> SchemeShape:
    """The document of a scheme, strictly: a field that nobody knows is a mistake, not ignored.

    :raises Misshapen: naming the first field that is not as documented.
    """
    return wire.convert_document(sent, SchemeShape)


def to_answer(kept: Kept) -> SchemeAnswer:
    """A version, as it is shown."""
    scheme = kept.scheme
    return SchemeAnswer(
        scheme.scheme_id,
        scheme.version,
        to_text(scheme.starts_at),
        kept.shape,
        to_text(scheme.ends_at) if scheme.ends_at is not None else None,
    )


def to_version(mark: VersionMark) -> VersionAnswer:
    """What is known of a version without reading it."""
    ended = to_text(mark.ended_at) if mark.ended_at is not None else None
    return VersionAnswer(mark.version, to_text(mark.starts_at), ended)


def to_lines(basket: BasketBody) -> tuple[SaleLine, ...]:
    """The lines of a basket; each is called by its place.

    :raises Misshapen: a quantity is nought or less, over a million, or finer than a thousandth.
    """
    for place, line in enumerate(basket.lines):
        if not _is_quantity(line.quantity):
            raise Misshapen("the quantity is out of range", field=f"lines[{place}].quantity")
    return tuple(
        SaleLine(
            line_id=f"{place:04}",
            description=line.description,
            quantity=line.quantity,
            unit=line.unit,
            gross_minor=line.amount_minor,
            net_minor=line.amount_minor if line.net_minor is None else line.net_minor,
            gtin=line.gtin,
            sku=line.sku,
            category=line.category,
        )
        for place, line in enumerate(basket.lines)
    )


def _is_quantity(quantity: Decimal) -> bool:
    is_within = quantity.is_finite() and 0 < quantity <= QUANTITY_MAX
    return is_within and quantity == round(quantity, 3)


def to_what_if(scheme_id: str, found: WhatIf, *, barred: str = "") -> WhatIfAnswer:
    """What a basket would earn, as it is shown."""
    award = found.award
    return WhatIfAnswer(
        scheme_id=scheme_id,
        version=award.version,
        units=award.units,
        why=award.why.value,
        words=found.words,
        earned=tuple(
            EarnedShare(one.rule_id, one.units, int(one.line_id) if one.line_id else None)
            for one in award.shares
        ),
        nothing=tuple(
            NothingEarned(one.rule_id, one.why.value, one.missing_minor, one.missing_items, one.by)
            for one in award.lost
        ),
        missing=_to_missing(found.missing),
        tier=award.tier_id,
        barred=barred,
    )


def _to_missing(one: Missing | None) -> MissingAnswer | None:
    if one is None:
        return None
    return MissingAnswer(one.units, one.words, one.rule_id, one.minor, one.items)
