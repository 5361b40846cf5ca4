"""A late purchase stands as if its card kept everything: its own caps, tier and streaks."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.rules import Cap, EarnRule, Tier, Tiering
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.terms import Downgrade, Measure, Per, RefundPolicy, RuleKind, Span, Stacking
from tests.makers.loyalty import SOLD_AT, STAMP_A_VISIT, sale_line, scheme, sold
from tests.makers.wallets import Wallet

DAY = timedelta(days=1)
A_DAY = scheme(STAMP_A_VISIT, caps=(Cap(1, Per.DAY),), pending_days=0)
LADDER = Tiering(
    tiers=(Tier("bronze", "Bronze", 0), Tier("gold", "Gold", 4, multiplier=Fraction(3))),
    measure=Measure.VISITS,
    span=Span.MONTH,
    downgrade=Downgrade.ONE_DOWN,
)
TIERED = scheme(STAMP_A_VISIT, tiering=LADDER, pending_days=0)
EVERYTHING = scheme(
    EarnRule("visit", RuleKind.VISIT, caps=(Cap(4, Per.WEEK),)),
    EarnRule("days", RuleKind.STREAK, units=5, per=3, step=Per.DAY),
    stacking=Stacking.ALL,
    caps=(Cap(8, Per.DAY), Cap(60, Per.MONTH), Cap(110, Per.EVER)),
    tiering=LADDER,
    refund_policy=RefundPolicy.NEGATIVE,
    pending_days=0,
)


def visit(day: int, name: str = "", **more: object) -> Sale:
    at = SOLD_AT + day * DAY + timedelta(minutes=len(name))
    return sold(purchase_id=PaymentId(f"d{day:02}{name}"), sold_at=at, **more)


def corrected(sale: Sale) -> Sale:
    lines = (sale_line(gross=400),)
    return replace(sale, version=2, lines=lines, total_minor=400, paid_minor=400, due_minor=400)


def back(sale: Sale) -> Sale:
    lines = tuple(one._replace(returned_quantity=one.quantity) for one in sale.lines)
    return replace(sale, version=3, lines=lines)


def test_a_late_purchase_does_not_pass_the_cap_of_its_day() -> None:
    for days in (5, 14, 40):
        wallet = Wallet(A_DAY)
        wallet.settle(*(visit(day) for day in range(days)))

        wallet.settle(visit(0, "late"))

        assert wallet.units == days


def test_a_late_purchase_has_the_tier_of_its_own_time() -> None:
    for days in (8, 14):
        wallet = Wallet(TIERED)
        wallet.settle(*(visit(day) for day in range(days)))
        before = wallet.units

        wallet.settle(visit(1, "late"))

        assert (before, wallet.units - before) == (4 + 3 * (days - 4), 1)


def test_a_late_purchase_that_is_corrected_has_the_tier_of_its_own_time_still() -> None:
    wallet = Wallet(TIERED)
    wallet.settle(*(visit(day) for day in range(14)))
    wallet.settle(visit(1, "late"))
    before = wallet.units
    assert wallet.card is not None
    assert wallet.card.find_entry("d01late") is not None

    wallet.settle(corrected(visit(1, "late")), corrected(visit(0)))

    assert wallet.units == before


@settings(max_examples=60)
@given(st.lists(st.integers(0, 60), min_size=14, max_size=45), st.integers(0, 2**16))
def test_what_is_told_late_earns_the_same_whatever_is_in_the_history(
    days: list[int], seed: int
) -> None:
    sales = [visit(day, "b" * days[:at].count(day)) for at, day in enumerate(days)]
    random = Random(seed)
    sales += [corrected(one) for one in random.sample(sales, 6)]
    sales += [back(one) for one in random.sample(sales, 6)]
    told = random.sample(sales, len(sales))
    wallet, whole = Wallet(EVERYTHING), Wallet(EVERYTHING, has_history=False)

    for one in (wallet, whole):
        one.settle(*told)

    assert wallet.left == whole.left
    assert wallet.units == whole.units
