"""Receipts laid out for banks: whatever the receipt, the sums hold."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.banks import flux_receipts, monzo_receipts, starling_receipts
from chalicelib.banks.layout import (
    DESCRIPTION_CHARACTERS_MAX,
    Part,
    PartKind,
    describe_quantity,
    lay_out,
)
from chalicelib.receipts import canonical
from tests.makers.banks import note, receipt

AMOUNT = st.integers(0, 100_000)


@st.composite
def lines(draw: st.DrawFn) -> canonical.Line:
    modifiers = draw(
        st.lists(st.builds(canonical.Modifier, st.text(max_size=9), AMOUNT), max_size=3)
    )
    return canonical.Line(
        line_id="1",
        description=draw(st.text(max_size=300)),
        amount_minor=sum(one.amount_minor for one in modifiers) + draw(AMOUNT),
        quantity=draw(st.decimals("0.001", "99", places=3)),
        unit=draw(st.sampled_from([None, "kg"])),
        kind=draw(st.sampled_from(canonical.LineKind)),
        modifiers=tuple(modifiers),
        taxes=tuple(draw(st.lists(st.builds(canonical.Tax, AMOUNT), max_size=2))),
    )


@st.composite
def receipts(draw: st.DrawFn) -> canonical.Receipt:
    """Receipts whose sums hold by the rule of `receipts/canonical.py`, of every kind."""
    made = receipt(
        kind=draw(st.sampled_from(canonical.ReceiptKind)),
        lines=tuple(draw(st.lists(lines(), min_size=1, max_size=4))),
        discounts=tuple(
            draw(st.lists(st.builds(canonical.Discount, st.just("Off"), AMOUNT), max_size=2))
        ),
        charges=tuple(
            draw(
                st.lists(
                    st.builds(
                        canonical.Charge,
                        st.sampled_from(canonical.ChargeKind),
                        st.just(""),
                        AMOUNT,
                    ),
                    max_size=2,
                )
            )
        ),
        taxes=tuple(draw(st.lists(st.builds(canonical.Tax, AMOUNT), max_size=2))),
        tax_included=draw(st.booleans()),
        rounding_minor=draw(st.integers(-4, 4)),
        change_minor=draw(st.sampled_from([0, 255])),
    )
    total = sum(
        line.amount_minor * (1 if line.kind is canonical.LineKind.SALE else -1)
        for line in made.lines
    )
    total -= sum(one.amount_minor for one in made.discounts)
    total += sum(one.amount_minor for one in made.charges) + made.rounding_minor
    total += 0 if made.tax_included else sum(tax.amount_minor for tax in made.taxes)
    total = -total if made.kind is canonical.ReceiptKind.RETURN else total
    by_card = draw(st.integers(0, abs(total)))
    tenders = (
        canonical.Tender(canonical.TenderKind.CARD, by_card),
        canonical.Tender(canonical.TenderKind.CASH, abs(total) - by_card + made.change_minor),
    )
    return replace(made, total_minor=total, tenders=tenders)


@given(receipts())
def test_parts_and_payments_add_up_to_the_positive_total(made: canonical.Receipt) -> None:
    layout = lay_out(made)
    assert layout.total.minor == abs(made.total_minor)
    parts = sum(part.amount_minor for part in layout.parts)
    assert parts + layout.taxes_on_top_minor == layout.total.minor
    assert sum(payment.amount_minor for payment in layout.payments) == layout.total.minor
    assert all(payment.amount_minor >= 0 for payment in layout.payments)
    for part in layout.parts:
        assert len(part.description) <= DESCRIPTION_CHARACTERS_MAX
        if part.parts:
            assert sum(one.amount_minor for one in part.parts) == part.amount_minor
            assert all(one.parts == () for one in part.parts)


@given(receipts())
def test_every_sum_that_monzo_documents_holds(made: canonical.Receipt) -> None:
    sent = monzo_receipts.render(note(receipt=made))
    assert sent.total >= 0
    assert sum(one.amount for one in sent.items) + sum(one.amount for one in sent.taxes) == (
        sent.total
    )
    assert sum(one.amount for one in sent.payments) == sent.total
    for item in sent.items:
        if item.sub_items:
            assert sum(one.amount for one in item.sub_items) == item.amount


@given(receipts())
def test_starling_gets_exact_decimals_and_whole_quantities(made: canonical.Receipt) -> None:
    sent = starling_receipts.render(note(receipt=made))
    exact = Decimal(abs(made.total_minor)) / 100
    assert sent.total_amount == exact
    assert all(item.quantity >= 1 for item in sent.items)
    for item in sent.items:
        assert item.amount == item.amount.quantize(Decimal("0.01"))
        if item.sub_items:
            assert sum(one.amount for one in item.sub_items) == item.amount


@given(receipts())
def test_both_flux_shapes_hold_the_same_total(made: canonical.Receipt) -> None:
    first = flux_receipts.render_v1(note(receipt=made))
    second = flux_receipts.render_v2(note(receipt=made))
    assert first.total_amount == second.total.amount == abs(made.total_minor)
    assert [item.amount for item in first.items] == [item.amount.amount for item in second.items]


def test_lays_out_a_lunch_part_by_part() -> None:
    layout = lay_out(receipt())
    white, cheese, scone, *others = layout.parts
    assert white == Part(
        PartKind.LINE,
        "Flat white (Extra hot)",
        450,
        tax_minor=75,
        parts=(Part(PartKind.LINE, "Flat white", 400), Part(PartKind.LINE, "Oat milk", 50)),
    )
    assert cheese == Part(PartKind.LINE, "Cheese", 1096, Decimal("0.274"), "kg")
    assert scone == Part(PartKind.LINE, "Scone (Warmed)", 300, Decimal(2))
    assert others == [
        Part(PartKind.DISCOUNT, "Happy hour", -200),
        Part(PartKind.SERVICE, "Service", 100),
        Part(PartKind.ROUNDING, "Rounding", -1),
    ]
    assert [payment.amount_minor for payment in layout.payments] == [1000, 745]


def test_what_is_given_back_is_laid_out_with_positive_sums() -> None:
    made = receipt(
        kind=canonical.ReceiptKind.RETURN,
        lines=(canonical.Line("1", "Scone", 150, kind=canonical.LineKind.RETURN),),
        discounts=(),
        charges=(),
        rounding_minor=0,
        total_minor=150,
        change_minor=0,
        tenders=(canonical.Tender(canonical.TenderKind.CARD, 150),),
    )
    assert lay_out(made).parts == (Part(PartKind.LINE, "Scone", 150),)


def test_shows_a_difference_as_a_part_of_its_own() -> None:
    made = receipt(total_minor=1750)
    assert lay_out(made).parts[-1] == Part(PartKind.ROUNDING, "Adjustment", 5)


def test_takes_change_off_cash_before_anything_else() -> None:
    made = receipt(
        change_minor=300,
        tenders=(
            canonical.Tender(canonical.TenderKind.VOUCHER, 1945),
            canonical.Tender(canonical.TenderKind.CASH, 100),
        ),
    )
    assert [(one.tender.kind.value, one.amount_minor) for one in lay_out(made).payments] == [
        ("voucher", 1745)
    ]


def test_cuts_a_description_that_nobody_could_read() -> None:
    made = receipt(lines=(canonical.Line("1", "x" * 300, 1846),))
    assert lay_out(made).parts[0].description == "x" * 249 + "…"


def test_writes_quantities_as_people_read_them() -> None:
    assert describe_quantity(Decimal("0.2740"), "kg") == "0.274 kg"
    assert describe_quantity(Decimal("100"), None) == "100"
