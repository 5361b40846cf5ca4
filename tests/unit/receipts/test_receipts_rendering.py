"""The receipt as JSON, as a till prints it, and as a page."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given

from chalicelib.kernel.money import EXPONENT_BY_CURRENCY
from chalicelib.receipts import code128
from chalicelib.receipts.canonical import (
    Barcode,
    Charge,
    ChargeKind,
    Discount,
    Fiscal,
    LineKind,
    LineReference,
    Modifier,
    Receipt,
    ReceiptKind,
    Tax,
    Tender,
    TenderKind,
)
from chalicelib.receipts.drawing import WIDTH, draw
from chalicelib.receipts.page import draw_page
from chalicelib.receipts.public_shapes import PublicReceipt
from chalicelib.receipts.rendering import return_by, to_public
from chalicelib.runtime import wire
from chalicelib.tills import native
from chalicelib.tills.native_reading import read_batch
from tests.makers.events import event
from tests.makers.receipts import (
    NOW,
    RETAILER,
    STORE,
    giving_back,
    line,
    receipts,
    sale,
    with_sums,
)


def documented(name: str = "till_native_receipt") -> Receipt:
    now = NOW + timedelta(days=3)
    (taken,) = read_batch(event(name), now=now).taken
    return native.to_receipt(taken.receipt, retailer_id=RETAILER.retailer_id, store=STORE, now=now)


def public(receipt: Receipt) -> PublicReceipt:
    return to_public(receipt, retailer=RETAILER, store=STORE)


def drawn(receipt: Receipt) -> str:
    return draw(receipt, retailer=RETAILER, store=STORE)


def page(receipt: Receipt) -> str:
    return draw_page(receipt, retailer=RETAILER, store=STORE)


@pytest.mark.requirement("RCP-04")
def test_shows_the_six_header_fields_and_every_line() -> None:
    shown = json.loads(wire.to_json(public(documented())))

    assert shown["retailer"] == {
        "name": "Bean & Leaf",
        "vat_number": "GB 000 0000 00",
        "website": "https://bean.example",
    }
    assert shown["total"] == {"minor": 1552, "currency": "GBP", "text": "15.52"}
    assert shown["tenders"][0] == {
        "kind": "card",
        "amount": {"minor": 1052, "currency": "GBP", "text": "10.52"},
        "scheme": "visa",
        "last_four": "1234",
        "last_four_kind": "device",
        "auth_code": "01A2B3",
    }
    assert shown["currency"] == "GBP"
    assert shown["issued_at"] == "2026-11-20T09:15:30Z"
    assert shown["store"] == {
        "name": "Leeds, Briggate",
        "reference": "0042",
        "zone": "Europe/London",
        "address": "12 Briggate, Leeds",
        "postcode": "LS1 6HD",
        "latitude": 53.797,
        "longitude": -1.543,
        "phone": "0113 496 0000",
    }
    assert [one["description"] for one in shown["lines"]] == [
        "Flat white",
        "Bananas, loose",
        "Enamel mug, green",
        "Birthday biscuit",
    ]
    assert shown["lines"][1]["quantity"] == "0.347"


@pytest.mark.requirement("RCP-08")
def test_shows_what_a_store_needs_to_take_goods_back() -> None:
    shown = json.loads(wire.to_json(public(documented())))

    assert shown["return"] == {
        "reference": "RET-LDS-0187",
        "by": "2026-12-20",
        "barcode": {"symbology": "code_128", "value": "RET-LDS-0187"},
    }


@pytest.mark.requirement("RCP-08")
def test_a_return_reference_and_a_day_are_there_without_the_retailers_help() -> None:
    late = sale(issued_at=datetime(2026, 7, 14, 23, 30, tzinfo=UTC))

    shown = public(late)

    assert shown.return_ is not None
    assert shown.return_.reference == "A-1001"
    assert shown.return_.by == date(2026, 8, 14)
    assert return_by(late, retailer=replace(RETAILER, return_days=0), store=STORE) == date(
        2026, 7, 15
    )


@pytest.mark.parametrize("kind", [ReceiptKind.RETURN, ReceiptKind.VOID])
def test_what_was_not_sold_cannot_be_returned(kind: ReceiptKind) -> None:
    shown = public(giving_back(line(), kind=kind))

    assert shown.return_ is None
    assert shown.lines[0].returnable_quantity == 0


@pytest.mark.requirement("RCP-09")
def test_shows_what_may_still_be_brought_back() -> None:
    part = line(quantity=Decimal("2.5"), returned_quantity=Decimal("0.5"), unit="m")

    assert public(sale(part)).lines[0].returnable_quantity == Decimal("2.0")


@pytest.mark.requirement("RCP-07")
def test_half_past_midnight_in_summer_is_the_stores_new_day() -> None:
    shown = public(sale(issued_at=datetime(2026, 7, 14, 23, 30, tzinfo=UTC)))

    assert shown.business_day == date(2026, 7, 15)
    assert shown.local_time == "2026-07-15T00:30:00+01:00"
    assert shown.issued_at == "2026-07-14T23:30:00Z"


@pytest.mark.requirement("RCP-06")
@pytest.mark.parametrize(
    ("currency", "text"), [("JPY", "1480"), ("GBP", "14.80"), ("KWD", "1.480")]
)
def test_amounts_have_their_currencys_own_decimals(currency: str, text: str) -> None:
    assert public(sale(line(amount=1480), currency=currency)).total.text == text
    assert f"TOTAL {currency}" in drawn(sale(line(amount=1480), currency=currency))


@given(receipts())
def test_any_receipt_is_shown_as_its_schema_says(receipt: Receipt) -> None:
    shown = wire.to_json(public(receipt))

    assert msgspec.json.decode(shown, type=PublicReceipt) == public(receipt)
    assert msgspec.json.schema(PublicReceipt)["$ref"] == "#/$defs/PublicReceipt"


DRAWN = """\
               BEAN & LEAF
             Leeds, Briggate
       12 Briggate, Leeds, LS1 6HD
              0113 496 0000
          VAT no. GB 000 0000 00
------------------------------------------
20/11/2026 09:15                    Till 3
Receipt LDS-3-1120-0187
           COLLECTION NUMBER 87
------------------------------------------
2 x Flat white                        7.80
    at 3.50 each
  + 2 x Oat milk (0.80)
  Own cup                            -0.50
0.347 kg Bananas, loose               0.42
    at 1.20 per kg
Enamel mug, green                    12.00
Birthday biscuit                      0.00
------------------------------------------
Member week 25%                      -4.93
Paper bag                             0.10
Tip                                   0.63
TOTAL GBP                            15.52
------------------------------------------
Visa **** 1234                       10.52
  auth code 01A2B3
Gift card                             5.00
------------------------------------------
incl. VAT 20% (A)                     2.29
------------------------------------------
           Return by 20/12/2026
           quoting RET-LDS-0187
     ||| || | |||| ||| | || ||| | ||
               RET-LDS-0187
        Thank you for calling in.
"""


@pytest.mark.requirement("RCP-08")
def test_prints_as_a_till_would() -> None:
    assert drawn(documented()) == DRAWN


def test_prints_an_exchange_with_what_came_back_taken_off() -> None:
    text = drawn(documented("till_native_exchange"))

    assert "*** EXCHANGE ***" in text
    assert "RETURNED Enamel mug, green          -12.00" in text
    assert "TOTAL GBP                            -3.01" in text


def test_prints_what_was_refunded_brought_back_and_given_as_change() -> None:
    assert "TOTAL REFUNDED GBP                    3.50" in drawn(giving_back(line()))
    assert "    brought back: 0.5" in drawn(sale(line(returned_quantity=Decimal("0.5"))))
    cash = replace(sale(change_minor=150), tenders=(Tender(TenderKind.CASH, 500),))
    assert "Cash                                  5.00\nChange" in drawn(cash)


def test_prints_tax_on_top_with_the_sums() -> None:
    text = drawn(sale(taxes=(Tax(70, rate=Decimal("0.2")),), tax_included=False, rounding_minor=-1))

    assert "VAT 20%                               0.70\nRounding" in text
    assert "incl." not in text


def test_prints_nothing_that_a_terminal_would_obey() -> None:
    text = drawn(sale(line(description="Tea\x1b[2J\r\n\u202eevil")))

    assert "\x1b" not in text
    assert "Tea [2J evil" in text


def test_breaks_long_and_wide_words_within_the_paper() -> None:
    wide = line(description="抹茶ラテ" * 10 + "x" * 90)

    rows = drawn(sale(wide, currency="JPY")).splitlines()

    assert max(len(row) + sum(ord(c) > 0x2E80 for c in row) for row in rows) == WIDTH


@given(receipts())
def test_the_printed_column_adds_up_to_the_total(receipt: Receipt) -> None:
    named = replace(
        receipt,
        lines=tuple(
            replace(
                one,
                description="Thing",
                unit=None,
                modifiers=(),
                returned_quantity=Decimal(0),
                discounts=tuple(Discount("Off", each.amount_minor) for each in one.discounts),
            )
            for one in receipt.lines
        ),
        charges=tuple(Charge(ChargeKind.TIP, "Tip", one.amount_minor) for one in receipt.charges),
        taxes=tuple(Tax(one.amount_minor) for one in receipt.taxes),
        tenders=(),
        notes=(),
        barcode=None,
        reference="A-1",
        till=None,
        refers_to=None,
        collection_number=None,
        return_reference=None,
    )
    _, _, *rest = drawn(named).split("-" * WIDTH + "\n")
    rows = [row for part in rest[:2] for row in part.splitlines()]
    *parts, total = [
        int(re.sub(r"[^0-9-]", "", row.rsplit(maxsplit=1)[-1]))
        for row in rows
        if re.search(r"\S +-?[0-9.]+$", row)
    ]

    assert sum(parts) == total == named.total_minor
    assert all(len(row) <= WIDTH for row in rows)
    assert EXPONENT_BY_CURRENCY[named.currency] in (0, 2, 3)


class _Page(HTMLParser):
    """Collects tags and text, and notices tags that are not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Push."""
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)
        assert not any(name.startswith("on") or name in {"src", "href"} for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        """Pop."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect."""
        if self.open and self.open[-1] != "style":
            self.text.append(data)


@pytest.mark.requirement("RCP-08")
def test_the_page_shows_the_return_reference_its_barcode_and_the_day() -> None:
    read = _Page(page(documented()))
    text = " ".join(" ".join(read.text).split())

    assert "Bring them by 20/12/2026 and quote RET-LDS-0187 ." in text
    assert read.tags.count("svg") == 1
    assert code128.to_svg("RET-LDS-0187") in page(documented())
    assert "Visa **** 1234 auth code 01A2B3 10.52" in text
    assert "Total GBP 15.52" in text


@given(receipts())
def test_any_receipt_makes_a_well_formed_page_without_scripts(receipt: Receipt) -> None:
    read = _Page(page(receipt))

    assert read.open == []
    assert "script" not in read.tags


def test_the_page_escapes_what_the_till_sent() -> None:
    evil = "<script>alert(1)</script>"
    receipt = sale(
        line(description=evil, modifiers=(Modifier(evil),), discounts=(Discount(evil, 1),)),
        notes=(evil,),
        till=evil,
        barcode=Barcode("code_128", evil),
        charges=(Charge(ChargeKind.TIP, evil, 1),),
    )

    assert evil not in page(receipt)
    assert page(receipt).count("&lt;script&gt;") == 7


@pytest.mark.parametrize("barcode", [Barcode("qr", "X"), Barcode("code_128", "é")])
def test_a_barcode_that_cannot_be_drawn_is_written_out(barcode: Barcode) -> None:
    html = page(sale(barcode=barcode))

    assert "<svg" not in html
    assert f"<p>{barcode.value}</p>" in html


def test_carries_a_fiscal_block_and_line_references_untouched() -> None:
    fiscal = Fiscal("kassensichv", "V0;1;Beleg", signature="c2ln", qr="V0;qr")
    back = line(kind=LineKind.RETURN, refers_to=LineReference("A-0", "7"))
    receipt = with_sums(sale(back, line("2"), kind=ReceiptKind.EXCHANGE, fiscal=fiscal))

    shown = public(receipt)

    assert msgspec.structs.asdict(shown.fiscal) == {  # type: ignore[arg-type]
        "scheme": "kassensichv",
        "payload": "V0;1;Beleg",
        "signature": "c2ln",
        "qr": "V0;qr",
    }
    assert (shown.lines[0].refers_to_receipt, shown.lines[0].refers_to_line) == ("A-0", "7")
