"""The words around amounts, on paper and on the page."""

from decimal import Decimal

import pytest

from chalicelib.receipts.drawing import describe_tax
from chalicelib.receipts.page import draw_page
from tests.makers.banks import note


@pytest.mark.parametrize(
    ("description", "rate", "words"),
    [
        (None, Decimal("0.20"), "VAT 20%"),
        (None, Decimal("0.175"), "VAT 17.5%"),
        ("VAT 20%", Decimal("0.20"), "VAT 20%"),
        ("Moms", Decimal("0.25"), "Moms 25%"),
        (None, None, "VAT"),
    ],
)
def test_a_tax_reads_with_its_rate_once(
    description: str | None, rate: Decimal | None, words: str
) -> None:
    assert describe_tax(description, rate) == words


@pytest.mark.requirement("RCP-08")
def test_the_page_writes_rates_names_and_minus_signs_as_people_do() -> None:
    told = note()

    page = draw_page(told.receipt, retailer=told.retailer, store=told.store)

    assert "VAT 20%" in page
    assert "E+1" not in page
    assert "<td>−0.01</td>" in page
    assert "Visa" in page
