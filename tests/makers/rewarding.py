"""Purchases at a bakery with a stamp card, settled as the worker does it."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards import store as cards
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.members import service as members
from chalicelib.members.model import Member
from chalicelib.purchases import service as purchases
from chalicelib.purchases.messages import decode_reward
from chalicelib.receipts.canonical import Line, LineKind, Receipt, ReceiptKind
from chalicelib.rewards import service
from chalicelib.runtime import queues, vault
from tests.makers.members import numbered
from tests.makers.network import BAKERY
from tests.makers.purchases import OPENED_AT, PAID_AT, SALE, SHOP, event, open_town, queued, receive
from tests.makers.schemes import shape_of, stamps

ADA = numbered(1).member_id
SCHEME = f"{BAKERY}.coffee"
COFFEE = {"kind": "item", "id": "coffee", "when": {"lines": {"categories": ["Coffee"]}}}
DAY = timedelta(days=1)
SETTLED_AT = PAID_AT + timedelta(minutes=5)


def open_bakery(**more: Any) -> None:
    """The town, and the bakery's card: a stamp a coffee, two full cards at most a purchase."""
    open_town()
    schemes.forget()
    card = {"places": 5, "reward": {"kind": "fixed_cashback", "amount_minor": 300}}
    write_scheme(**({"card": card} | more))


def write_scheme(name: str = "coffee", *, now: datetime = OPENED_AT, **more: Any) -> None:
    """A version of a scheme of the bakery."""
    schemes.record_scheme(BAKERY, name, shape_of(stamps(COFFEE, **more)), now=now)


def bought(
    name: str, coffees: int, *, at: datetime = PAID_AT, version: int = 1, till: str | None = None
) -> Receipt:
    """A receipt of `coffees` at £1.00 each, its code as on the payment called `name`."""
    line = Line("1", "Flat white", coffees * 100, Decimal(coffees), category=("Coffee",))
    tender = replace(
        SALE.tenders[0], amount_minor=coffees * 100, card=CardFacts(auth_code=f"C{name}")
    )
    return replace(
        SALE,
        reference=f"R-{name}",
        version=version,
        issued_at=at,
        total_minor=coffees * 100,
        lines=(line,),
        tenders=(tender,),
        till=till,
    )


def gives_back(name: str, coffees: int, *, reference: str, at: datetime) -> Receipt:
    """The till took back `coffees` of the sale of `name`."""
    sale = bought(name, coffees, at=at)
    line = replace(sale.lines[0], kind=LineKind.RETURN)
    return replace(
        sale,
        reference=reference,
        kind=ReceiptKind.RETURN,
        lines=(line,),
        refers_to=f"R-{name}",
    )


def buy(name: str, coffees: int = 1, *, at: datetime = PAID_AT) -> PaymentId:
    """Ada pays, and the receipt comes; what follows is queued and nothing of it is done."""
    code = CardFacts(auth_code=f"C{name}")
    amount = Money(coffees * 100, "GBP")
    told = event(name, made_at=at, occurred_at=at, amount=amount, card=code)
    purchases.record_payment(told, now=at + timedelta(seconds=5))
    receive(bought(name, coffees, at=at), now=at + timedelta(minutes=1))
    return told.payment_id


def bring_back(name: str, coffees: int, *, reference: str, at: datetime) -> None:
    """Ada brings `coffees` back; what follows is queued."""
    receive(gives_back(name, coffees, reference=reference, at=at), place=SHOP, now=at)


def settle(*, now: datetime = SETTLED_AT) -> list[str]:
    """Do all that is queued for rewards; returns the messages, to be given again."""
    bodies = queued(queues.REWARDS)
    settle_again(bodies, now=now)
    return bodies


def settle_again(bodies: list[str], *, now: datetime = SETTLED_AT) -> None:
    """The same messages once more."""
    for body in bodies:
        service.settle(decode_reward(body), now=now)


def member(member_id: MemberId = ADA, *, now: datetime = SETTLED_AT) -> Member:
    """The member as they stand."""
    found = members.find_member(member_id, now=now)
    assert found is not None
    return found


def holder(scheme_id: str = SCHEME, *, now: datetime = SETTLED_AT) -> Holder:
    """Ada's card, and what opens it."""
    ada = member(now=now)
    assert ada.salt is not None
    return Holder(ADA, scheme_id, vault.member_key(ada.salt))


def card(scheme_id: str = SCHEME, *, now: datetime = SETTLED_AT) -> Card | None:
    """Ada's card as it stands."""
    return cards.find_card(holder(scheme_id, now=now), now=now)


def money(*, now: datetime = SETTLED_AT) -> tuple[Balances, ...]:
    """What Ada has in money."""
    return ledger.balances_of(ADA, now=now)
