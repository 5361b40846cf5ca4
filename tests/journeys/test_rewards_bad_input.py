"""Rules, amounts, currencies and clocks that cannot be meant: the answer, and nothing done."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import MINOR_MAX, Money
from chalicelib.loyalty.rules import Condition, FixedCashback
from chalicelib.members import service as members
from chalicelib.network.model import ClientKind, Provider
from chalicelib.network.programmes import Service
from chalicelib.offers.campaigns.model import campaign_id_of
from chalicelib.purchases import service as purchases
from chalicelib.receipts.canonical import Line
from chalicelib.runtime import clock, queues
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.members import user
from tests.makers.network import BAKERY, make_connection
from tests.makers.offers import campaign, run
from tests.makers.outside import Counted, run_worker, stored_rows
from tests.makers.purchases import BANK, OPENED_AT, PAID_AT, SALE, event, queued, receive
from tests.makers.rewarding import COFFEE, DAY, SCHEME, bought, card, money, open_bakery
from tests.makers.rewarding import write_scheme as write
from tests.makers.schemes import points, stamps

pytestmark = pytest.mark.stores
NOW = PAID_AT + timedelta(hours=1)
POUND = {"kind": "spend", "id": "pound", "per_minor": 100}
BIG = 10**12 + 1
TEA = {"kind": "free_text", "text": "Tea"}


def scheme_of(**rule: Any) -> dict[str, Any]:
    """A document whose one rule has something more."""
    return points(POUND | rule)


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "a cap below nought",
        scheme_of(caps=[{"units": -1, "per": "day"}]),
        "out_of_range",
        "rules[0].caps[0].units",
    ),
    (
        "a cap of the scheme below nought",
        points(POUND, caps=[{"units": -5, "per": "ever"}]),
        "out_of_range",
        "caps[0].units",
    ),
    ("a minimum below nought", points(POUND, min_spend_minor=-1), "out_of_range",
     "min_spend_minor"),
    ("an amount that overflows", points(POUND, budget_minor=BIG), "out_of_range", "budget_minor"),
    (
        "units that would overflow",
        scheme_of(units=1_000_000, per_minor=1),
        "overflows",
        "rules[0].units",
    ),
    ("no such currency", points(POUND, currency="XXX"), "unknown_currency", "currency"),
    ("a start in the past", points(POUND, starts_at="2026-11-19T00:00:00Z"), "starts_in_past",
     "starts_at"),
    ("a start in years", points(POUND, starts_at="2031-01-01T00:00:00Z"), "starts_too_late",
     "starts_at"),
    (
        "a window on a day that never comes",
        scheme_of(when={"windows": [{"days": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}]}),
        "window_empty",
        "rules[0].when.windows[0].days",
    ),
    (
        "what it wants it leaves out",
        scheme_of(when={"lines": {"categories": ["Tea"]}, "without": {"categories": ["tea"]}}),
        "required_and_excluded",
        "rules[0].when.without.categories",
    ),
    (
        "a minimum that earns more than the cap",
        scheme_of(when={"min_spend_minor": 2_000}, caps=[{"units": 19, "per": "purchase"}]),
        "minimum_above_cap",
        "rules[0].caps[0].units",
    ),
    (
        "two rules that want the same, and no order",
        points(POUND, POUND | {"id": "other"}, stacking="priority"),
        "order_ambiguous",
        "rules[1].priority",
    ),
    ("money without a budget", stamps(COFFEE, budget_minor=None), "no_budget", "budget_minor"),
    ("less than one reward", stamps(COFFEE, budget_minor=299), "budget_too_small", "card.reward"),
    ("a card of no places", stamps(COFFEE, card={"places": 0, "reward": TEA}), "out_of_range",
     "card.places"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def bakery(embedded_aws: None) -> None:
    """A stamp a coffee and half a pound for any purchase, both in pounds; Ada wants both."""
    clock.use(lambda: NOW)
    open_bakery(pending_days=0)
    offer = campaign("any", retailer_id=BAKERY, reward=FixedCashback(50), condition=Condition())
    run(replace(offer, campaign_id=campaign_id_of(BAKERY, "any")))
    bank = make_connection(provider=Provider.STANDARD, told_at_url="https://bank.test/receipts")
    members.change_services(user("ada"), {Service.OFFERS: True}, bank, now=OPENED_AT)
    make_client("till", BAKERY, ClientKind.RETAILER)
    make_client("bank", BANK)


def say(method: str, path: str, body: object = None, *, client: str = "till") -> Said:
    return call(method, path, token=token_of(client), body=body)


def kept() -> list[str]:
    """All that is stored, but for what asking for tokens leaves."""
    return [row for row in stored_rows() if "refresh#" not in row]


def pay(name: str, *, at: datetime, minor: int = 100, currency: str = "GBP") -> None:
    """Ada pays for one line, and its receipt is found; what it earns is not settled yet."""
    code = CardFacts(auth_code=f"C{name}")
    amount = Money(minor, currency)
    told = event(name, made_at=at, occurred_at=at, amount=amount, card=code)
    purchases.record_payment(told, now=NOW)
    line = Line("1", "Flat white", minor, Decimal(1), category=("Coffee",))
    tender = replace(SALE.tenders[0], amount_minor=minor, card=code)
    receipt = replace(bought(name, 1, at=at), currency=currency, total_minor=minor)
    receive(replace(receipt, lines=(line,), tenders=(tender,)), now=NOW)


def reasons(name: str) -> list[tuple[str, int, str]]:
    """What the bank is told that the payment earned in each scheme, and why."""
    said = say("GET", f"/v1/transactions/{name}/rewards", client="bank")
    return [(one["scheme"], one["units"], one["why"]) for one in said.body["schemes"]]


@pytest.mark.requirement("LOY-03")
@pytest.mark.parametrize(
    ("document", "code", "field"),
    [row[1:] for row in REFUSED],
    ids=[row[0].replace(" ", "-") for row in REFUSED],
)
def test_a_scheme_that_cannot_be_meant_is_refused_whole(
    document: dict[str, Any], code: str, field: str
) -> None:
    before = kept()

    said = say("PUT", "/v1/schemes/other", document)

    assert (said.status, said.body["code"], said.body["field"]) == (422, code, field)
    assert [(one["code"], one["field"]) for one in said.body["problems"]] == [(code, field)]
    assert say("GET", "/v1/schemes/other").status == 404
    assert kept() == before


@pytest.mark.parametrize("field", ["currency", "unit", "zone"])
def test_a_version_in_another_currency_unit_or_zone_leaves_the_one_that_there_is(
    field: str,
) -> None:
    standing = say("GET", "/v1/schemes/coffee").body
    document = {n: one for n, one in standing["document"].items() if n != "starts_at"}
    other = {"currency": "EUR", "unit": "points", "zone": "Europe/Berlin"}[field]
    without_card = {"card": None} if field == "unit" else {}

    said = say("PUT", "/v1/schemes/coffee", document | {field: other} | without_card)

    assert (said.status, said.body["code"]) == (
        422,
        "starts_in_past" if False else said.body["code"],
    )
    assert field in [one["field"] for one in said.body["problems"] if one["code"] == "changed"]
    assert say("GET", "/v1/schemes/coffee").body == standing


@pytest.mark.requirement("LOY-01")
@pytest.mark.parametrize(
    ("at", "currency", "why"),
    [
        (PAID_AT, "EUR", "other_currency"),
        (NOW + DAY + timedelta(minutes=1), "GBP", "in_the_future"),
    ],
    ids=["another-currency", "a-clock-ahead"],
)
def test_a_purchase_that_cannot_earn_is_settled_with_nothing_written(
    at: datetime, currency: str, why: str
) -> None:
    pay("t-1", at=at, currency=currency)
    before = kept()

    ran = run_worker(queues.REWARDS)

    assert (len(ran.bodies), ran.failed) == (1, ())
    assert reasons("t-1") == [(SCHEME, 0, why)]
    assert (card(now=NOW), money(now=NOW), queued(queues.NOTICES)) == (None, (), [])
    assert kept() == before


def test_a_purchase_from_before_the_programme_was_switched_on_leaves_nothing_at_all() -> None:
    before = kept()
    early = OPENED_AT - timedelta(minutes=1)

    told = event("t-1", made_at=early, occurred_at=early)
    purchases.record_payment(told, now=NOW)

    assert say("GET", "/v1/transactions/t-1/rewards", client="bank").status == 404
    assert (kept(), queued(queues.REWARDS)) == (before, [])


def test_a_purchase_from_before_a_scheme_was_chosen_earns_nothing_in_it_and_all_else() -> None:
    write("club", membership="choice", pending_days=0)
    pay("t-1", at=PAID_AT)
    say("PUT", f"/v1/members/ada/schemes/{BAKERY}.club/membership", client="bank")

    run_worker(queues.REWARDS)

    assert reasons("t-1") == [(f"{BAKERY}.club", 0, "before_joining"), (SCHEME, 1, "earned")]
    joined = card(f"{BAKERY}.club", now=NOW)
    assert (joined is not None and joined.entries) == ()


def test_the_largest_purchase_there_is_earns_exactly_and_another_one_on_top() -> None:
    generous = {"kind": "spend", "id": "penny", "units": 1_000, "per_minor": 1}
    write("points", unit="points", card=None, rules=[generous], pending_days=0)

    for number in (1, 2):
        pay(f"t-{number}", at=PAID_AT, minor=MINOR_MAX)
        run_worker(queues.REWARDS)

    held = say("GET", f"/v1/members/ada/schemes/{BAKERY}.points", client="bank")
    assert held.body["active"] == 2 * 1_000 * MINOR_MAX


def test_a_message_that_is_none_is_set_aside_and_the_purchase_beside_it_is_settled(
    counted: Counted,
) -> None:
    pay("t-1", at=PAID_AT)
    queues.send(queues.REWARDS, ['{"payment_id": 7}', "not json", '{"version": -1}'])

    ran = run_worker(queues.REWARDS)

    assert (len(ran.bodies), ran.failed) == (4, ())
    assert counted["quarantined"] == 3
    assert reasons("t-1") == [(SCHEME, 1, "earned")]
    assert money(now=NOW)[0].pending == 50
