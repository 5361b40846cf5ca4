"""Errands: purchases of which bank and till both tell, with evidence enough that they must match.

Each is made from its number alone, so that any of a hundred thousand can be made again: its own
amount, auth code and time, at a till whose clock is right.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.network.model import Provider
from infra.local.card_payments import GIVES_NO_AUTH_CODE, CardPayment, Phase, Telling
from infra.local.town import Brand, Person, Shop

AMOUNT_MINOR_MIN = 1_100
AMOUNTS = 4_001  # A prime: neighbours in time have amounts of their own.


@dataclass(frozen=True, slots=True)
class Errand:
    """One purchase, as both halves know it."""

    brand: Brand
    shop: Shop
    payment: CardPayment
    receipt: dict[str, Any]

    @property
    def transaction_id(self) -> str:
        """What the bank calls it."""
        return self.payment.transaction_id

    @property
    def telling(self) -> Telling:
        """The bank's message that the card was presented."""
        paid = self.payment
        return Telling(f"{paid.transaction_id}-auth", paid, Phase.AUTHORISED, paid.made_at)


def errand(number: int, person: Person, brand: Brand, shop: Shop, *, at: datetime) -> Errand:
    """The errand `number` of `person`, at `shop` (in pounds), paid at `at`."""
    minor = AMOUNT_MINOR_MIN + number % AMOUNTS
    code = f"{number % 10**6:06d}"
    payment = CardPayment(
        transaction_id=_transaction_id(person.provider, number),
        person=person,
        shop=shop,
        made_at=at,
        amount_minor=minor,
        local_minor=minor,
        local_currency=shop.currency,
        auth_code=code,
        by_phone=False,
    )
    tender: dict[str, Any] = {"kind": "card", "amount_minor": minor, "scheme": person.scheme}
    if person.provider in GIVES_NO_AUTH_CODE:
        tender |= {"last_four": person.card_digits, "last_four_kind": "card"}
    else:
        tender |= {"auth_code": code}
    return Errand(brand, shop, payment, receipt_of(number, shop, minor, tender, at=at))


def receipt_of(
    number: int, shop: Shop, minor: int, tender: dict[str, Any], *, at: datetime
) -> dict[str, Any]:
    """A native receipt of two lines that come to `minor`."""
    return {
        "reference": f"E-{shop.reference}-{number:06d}",
        "issued_at": at.isoformat(timespec="seconds"),
        "currency": shop.currency,
        "store": shop.reference,
        "till": shop.tills[0].name,
        "mid": shop.mid,
        "tid": shop.tid,
        "total_minor": minor,
        "lines": [
            {"description": "Lentils, 500 g", "sku": "LEN500", "amount_minor": 340},
            {"description": "Everything else", "amount_minor": minor - 340},
        ],
        "tenders": [tender],
    }


def strangers_receipt(number: int, shop: Shop, *, at: datetime) -> dict[str, Any]:
    """A receipt that belongs to nobody here."""
    minor = AMOUNT_MINOR_MIN + number % AMOUNTS
    tender = {"kind": "card", "amount_minor": minor, "auth_code": f"S{number % 10**5:05d}"}
    return receipt_of(number, shop, minor, tender, at=at)


def _transaction_id(provider: Provider, number: int) -> str:
    if provider in (Provider.STARLING, Provider.FIDEL):
        return f"e5e5e5e5-0000-4000-8000-{number:012d}"
    return ("tx_0000E" if provider is Provider.MONZO else "errand-") + f"{number:06d}"
