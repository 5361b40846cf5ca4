"""Returns: by id, by code and price, by description; never more than was sold."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import RetailerId
from chalicelib.receipts.canonical import Barcode, LineKind, LineReference, Receipt, ReceiptKind
from chalicelib.receipts.returns import (
    FlagKind,
    NotThatSale,
    ReturnFlag,
    apply_returns,
    codes_of,
    could_undo,
    names_no_sale,
    returnable_quantity,
    sales_referred_to,
)
from tests.makers.receipts import giving_back, line, sale

TWO = Decimal(2)
MUGS = line("1", amount=1800, description="Mug", quantity=TWO, gtin="5012345678900")
BEANS = line("2", amount=899, description="Beans 250 g", sku="BN-250")
SALE = sale(MUGS, BEANS)


def returned(receipt: Receipt) -> list[Decimal]:
    return [one.returned_quantity for one in receipt.lines]


@pytest.mark.requirement("RCP-09")
def test_a_return_of_one_of_two_leaves_one_and_a_second_of_two_is_flagged() -> None:
    first = giving_back(line("9", amount=900, description="Mug", gtin=MUGS.gtin))
    once = apply_returns(SALE, [first])
    assert [returnable_quantity(one) for one in once.sale.lines] == [Decimal(1), Decimal(1)]
    assert once.flags == ()

    second = giving_back(replace(MUGS, line_id="7"), reference="R-2")
    twice = apply_returns(SALE, [first, second])

    assert twice.sale == once.sale
    assert twice.flags == (
        ReturnFlag(FlagKind.OVER_RETURN, "R-2", "7", quantity=TWO, remaining=Decimal(1)),
    )
    assert apply_returns(once.sale, [second]) == twice


def test_finds_a_line_by_its_id_before_anything_else() -> None:
    named = line("9", description="Mug", refers_to=LineReference("A-1001", "2"))

    assert returned(apply_returns(SALE, [giving_back(named)]).sale) == [0, 1]


def test_finds_a_line_by_sku_and_price_whatever_it_is_called() -> None:
    renamed = line("9", amount=899, description="Coffee", sku="BN-250")

    assert returned(apply_returns(SALE, [giving_back(renamed)]).sale) == [0, 1]


def test_finds_a_line_by_description_where_codes_are_missing() -> None:
    described = line("9", amount=500, description="  BEANS  250 G ")

    assert returned(apply_returns(SALE, [giving_back(described)]).sale) == [0, 1]


@pytest.mark.parametrize("code", [{"sku": "M"}, {"gtin": "5012345678900"}])
def test_tells_the_same_product_at_two_prices_apart(code: dict[str, str]) -> None:
    dear, cheap = line("1", amount=900, **code), line("2", amount=450, **code)

    after = apply_returns(sale(dear, cheap), [giving_back(line("9", amount=450, **code))])

    assert returned(after.sale) == [0, 1]


def test_spreads_a_return_over_lines_that_are_alike() -> None:
    alike = sale(line("1", sku="M"), line("2", sku="M"))

    after = apply_returns(alike, [giving_back(line("9", amount=700, quantity=TWO, sku="M"))])

    assert (returned(after.sale), after.flags) == ([1, 1], ())


def test_lines_named_by_id_go_before_lines_found_by_likeness() -> None:
    alike = sale(line("1", sku="M"), line("2", sku="M"))
    by_likeness = giving_back(line("9", sku="M"), reference="R-1")
    by_id = giving_back(line("9", refers_to=LineReference("A-1001", "1")), reference="R-2")

    after = apply_returns(alike, [by_likeness, by_id])

    assert (returned(after.sale), after.flags) == ([1, 1], ())


def test_takes_part_quantities() -> None:
    cloth = sale(line("1", amount=1299, quantity=Decimal("2.5"), unit="m", sku="C"))

    part = giving_back(line("9", amount=260, quantity=Decimal("0.5"), unit="m", sku="C"))
    after = apply_returns(cloth, [part])

    assert returnable_quantity(after.sale.lines[0]) == Decimal("2.0")


def test_one_refund_line_for_the_whole_total_takes_everything_back() -> None:
    refund = giving_back(line("1", amount=SALE.total_minor, description="Refund"))

    after = apply_returns(SALE, [refund])

    assert (returned(after.sale), after.flags) == ([TWO, Decimal(1)], ())


def test_flags_a_whole_refund_of_a_sale_that_is_partly_returned() -> None:
    stated = replace(SALE, lines=(replace(MUGS, returned_quantity=Decimal(1)), BEANS))
    refund = giving_back(line("1", amount=SALE.total_minor, description="Refund"))

    after = apply_returns(stated, [refund])

    assert after.sale == stated
    assert after.flags == (ReturnFlag(FlagKind.OVER_RETURN, "R-1", "1", Decimal(1), TWO),)


def test_flags_a_line_that_was_never_sold() -> None:
    after = apply_returns(SALE, [giving_back(line("1", description="Kettle"))])

    assert after.sale == SALE
    assert after.flags == (ReturnFlag(FlagKind.NO_SUCH_LINE, "R-1", "1", Decimal(1), Decimal(0)),)


def test_an_exchange_takes_back_only_its_returned_lines() -> None:
    back = replace(BEANS, line_id="1", kind=LineKind.RETURN)
    exchange = sale(back, line("2"), reference="X-1", kind=ReceiptKind.EXCHANGE, refers_to="A-1001")

    assert returned(apply_returns(SALE, [exchange]).sale) == [0, 1]
    assert sales_referred_to(exchange) == ("A-1001",)


def test_the_newest_version_of_a_return_counts_and_a_void_one_counts_for_nothing() -> None:
    both = giving_back(replace(MUGS, line_id="1"))
    one = replace(giving_back(line("1", amount=900, gtin=MUGS.gtin)), version=2)
    void = replace(both, kind=ReceiptKind.VOID, version=3, total_minor=0, tenders=())

    assert returned(apply_returns(SALE, [one, both]).sale) == [1, 0]
    assert returned(apply_returns(SALE, [one, void, both]).sale) == [0, 0]


@pytest.mark.parametrize(
    "stranger",
    [
        giving_back(MUGS, refers_to="A-9999"),
        giving_back(MUGS, currency="EUR"),
        giving_back(MUGS, retailer_id=RetailerId("another")),
        sale(MUGS, reference="A-1002", refers_to="A-1001"),
    ],
)
def test_refuses_a_receipt_that_is_no_return_of_the_sale(stranger: Receipt) -> None:
    with pytest.raises(NotThatSale) as caught:
        apply_returns(SALE, [stranger])
    assert (caught.value.code, caught.value.field) == ("not_that_sale", "refers_to")


CODED = replace(SALE, return_reference="RET-77", barcode=Barcode("code_128", " 0042001001 "))


@pytest.mark.requirement("RCP-09")
@pytest.mark.parametrize("code", ["A-1001", "RET-77", "0042001001", " 0042001001"])
def test_a_return_names_its_sale_by_whatever_is_printed_on_it(code: str) -> None:
    by_receipt = giving_back(line("9", amount=899, sku="BN-250"), refers_to=code)
    by_line = giving_back(
        line("9", refers_to=LineReference(code, "2")), refers_to=None, reference="R-2"
    )

    assert returned(apply_returns(CODED, [by_receipt]).sale) == [0, 1]
    assert returned(apply_returns(CODED, [by_line]).sale) == [0, 1]
    assert codes_of(CODED) == ("A-1001", "RET-77", "0042001001")


def test_a_return_that_names_nothing_is_of_the_sale_it_is_given_with() -> None:
    unnamed = giving_back(line("9", amount=899, sku="BN-250"), refers_to=None)

    assert names_no_sale(unnamed)
    assert returned(apply_returns(SALE, [unnamed]).sale) == [0, 1]
    assert not names_no_sale(giving_back(MUGS))
    assert not names_no_sale(SALE)


def test_a_sale_could_be_undone_by_what_was_sold_at_the_price_that_was_paid() -> None:
    mug = giving_back(line("9", amount=900, gtin=MUGS.gtin), refers_to=None)
    dearer = giving_back(line("9", amount=950, gtin=MUGS.gtin), refers_to=None)
    cheaper_by_name = giving_back(line("9", amount=800, description="Beans 250 g"), refers_to=None)
    three = giving_back(line("9", amount=2700, gtin=MUGS.gtin, quantity=Decimal(3)), refers_to=None)
    other = giving_back(line("9", amount=900, description="Plate"), refers_to=None)

    fits = [could_undo(SALE, one) for one in (mug, dearer, cheaper_by_name, three, other)]

    assert fits == [True, False, False, False, False]
    assert not could_undo(SALE, replace(mug, currency="EUR"))
    assert not could_undo(SALE, replace(mug, retailer_id=RetailerId("another")))


def test_what_was_returned_before_cannot_be_undone_again() -> None:
    both = giving_back(replace(MUGS, line_id="1"), refers_to=None)

    assert could_undo(SALE, both)
    assert not could_undo(apply_returns(SALE, [both]).sale, both)


def test_nothing_can_be_brought_back_of_a_returned_line() -> None:
    assert returnable_quantity(replace(MUGS, kind=LineKind.RETURN)) == 0


SKUS = st.sampled_from(("A", "B", "C"))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Receipt, list[Receipt]]:
    """A sale and some returns of it, sensible or not."""
    quantities = st.decimals(0, 5, places=1, allow_nan=False)
    sold = tuple(
        line(str(place), amount=int(quantity * 100), quantity=quantity, sku=draw(SKUS))
        for place, quantity in enumerate(draw(st.lists(quantities, min_size=1, max_size=4)))
    )
    given_back = []
    for number in range(draw(st.integers(0, 4))):
        quantity = draw(quantities)
        named = draw(st.none() | st.sampled_from([one.line_id for one in sold]))
        reference = LineReference("A-1001", named) if named else None
        taken = line(
            "1",
            amount=int(quantity * 100),
            quantity=quantity,
            sku=draw(SKUS),
            description=draw(st.sampled_from(("Flat white", "Refund"))),
            refers_to=reference,
        )
        given_back.append(
            giving_back(
                taken,
                reference=f"R-{number}",
                issued_at=datetime(2026, 11, draw(st.integers(1, 20)), tzinfo=UTC),
            )
        )
    return sale(*sold), given_back


@given(histories(), st.randoms(use_true_random=False))
def test_never_gives_back_more_than_was_sold_in_any_order_however_often(
    history: tuple[Receipt, list[Receipt]], shuffled: object
) -> None:
    sold, given_back = history
    after = apply_returns(sold, given_back)

    repeated = [*given_back, *given_back]
    shuffled.shuffle(repeated)  # type: ignore[attr-defined]
    assert apply_returns(sold, repeated) == after
    for one in after.sale.lines:
        assert 0 <= one.returned_quantity <= one.quantity
    asked = sum(one.lines[0].quantity for one in given_back)
    flagged = sum(flag.quantity for flag in after.flags)
    whole = any(one.lines[0].description == "Refund" for one in given_back)
    taken = sum(one.returned_quantity for one in after.sale.lines)
    assert whole or taken == asked - flagged


@given(st.permutations([0, 1, 2]))
def test_disjoint_returns_one_after_the_other_come_to_the_same(order: list[int]) -> None:
    lines = [line(str(n), sku=f"S{n}", quantity=TWO, amount=700) for n in range(3)]
    single = [giving_back(line("1", sku=f"S{n}"), reference=f"R-{n}") for n in range(3)]
    folded = sale(*lines)
    for place in order:
        folded = apply_returns(folded, [single[place]]).sale

    assert folded == apply_returns(sale(*lines), single).sale
