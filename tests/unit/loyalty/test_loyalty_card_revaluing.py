"""Full cards that stay full while goods of their purchase come back: worth what it gives now."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.cards import archiving
from chalicelib.loyalty.cards.applying import bring_up
from chalicelib.loyalty.cards.filling import with_leases
from chalicelib.loyalty.cards.model import WAITING, Back, Card
from chalicelib.loyalty.cards.past import Past
from chalicelib.loyalty.cards.reviving import with_fills_of
from chalicelib.loyalty.cards.valuing import excluded, filling_of, later_worth, new_worth
from chalicelib.loyalty.rules import (
    EVERY_LINE,
    Condition,
    EarnRule,
    ItemPrice,
    Matching,
    PercentCashback,
    Reward,
    Scheme,
    StampCard,
)
from chalicelib.loyalty.sale import Sale, SaleLine
from chalicelib.loyalty.terms import RefundPolicy, Rounding, RuleKind, Unit
from tests.makers.cards import EMPTY, SOLD_AT, after, worth
from tests.makers.loyalty import sale_line, scheme, sold

DAY = timedelta(days=1)
AT = SOLD_AT + DAY
ITEM = EarnRule("item", RuleKind.ITEM)
OF_TEN = Condition(lines=Matching(categories=("Ten",)))
VISIT = EarnRule("visit", RuleKind.VISIT, when=OF_TEN)
TEN = sale_line("1", gross=100, category=("Ten",))
TV = sale_line("2", gross=100_000)


def of(reward: Reward, places: int = 1, *rules: EarnRule) -> Scheme:
    return scheme(*(rules or (ITEM,)), unit=Unit.STAMPS, card=StampCard(places, reward))


def percent(share: int, places: int = 1, *rules: EarnRule) -> Scheme:
    reward = PercentCashback(Fraction(share, 100), 100_000, rounding=Rounding.HALF_UP)
    return of(reward, places, *rules)


def back(line: SaleLine, quantity: int | str = 1) -> SaleLine:
    return line._replace(returned_quantity=Decimal(quantity))


def bought(*lines: SaleLine, version: int = 1, name: str = "p") -> Sale:
    return sold(*lines, purchase_id=PaymentId(name), version=version, sold_at=SOLD_AT)


def settled(
    made: Scheme,
    *sales: Sale,
    card: Card = EMPTY,
    lease: int | None = 1,
    policy: RefundPolicy = RefundPolicy.NEGATIVE,
    is_excluded: bool = False,
    days: int = 1,
) -> Card:
    """`card` after `sales`, paid of the lease of that number."""
    for sale in sales:
        entry = card.find_entry(sale.purchase_id)
        known = (
            later_worth(card, entry, made, sale)
            if entry is not None
            else new_worth(card, made, sale, return_days=30)
        )
        card = bring_up(
            card,
            excluded(known) if is_excluded else known,
            filling=filling_of(made, sale, is_excluded=is_excluded),
            policy=policy,
            at=SOLD_AT + days * DAY,
        )
        card = with_leases(card, lambda _: lease, cause=sale.purchase_id)
    return card


def minors(card: Card) -> list[int]:
    return [fill.worth_minor for fill in card.fills if not fill.undone_by]


def fours(gross: int = 4_000, back: int = 0) -> Sale:
    line = sale_line(gross=gross, quantity=Decimal(4), returned_quantity=Decimal(back))
    return bought(line, version=1 + back)


FIVES = [sale_line(str(at), gross=500 if at < 4 else 499) for at in range(1, 5)]
DEAR = [sale_line("1", gross=400), sale_line("2", gross=50), sale_line("3", gross=50)]


@pytest.mark.requirement("LOY-04")
@pytest.mark.parametrize(
    ("made", "before", "after", "given", "left"),
    [
        (percent(10, 1, VISIT), bought(TEN, TV), bought(TEN, back(TV), version=2), 10_010, 10),
        (percent(100), fours(), fours(back=3), 4_000, 1_000),
        (
            percent(33, 2),
            bought(*FIVES),
            bought(back(FIVES[0]), back(FIVES[1]), *FIVES[2:], version=2),
            1_320,
            330,
        ),
        (
            of(ItemPrice(EVERY_LINE, 300), 2),
            bought(*DEAR),
            bought(back(DEAR[0]), *DEAR[1:], version=2),
            300,
            50,
        ),
        (
            of(ItemPrice(EVERY_LINE, 300), 1, EarnRule("visit", RuleKind.VISIT)),
            bought(sale_line(gross=200, quantity=Decimal("1.5"), unit="kg")),
            bought(
                back(sale_line(gross=200, quantity=Decimal("1.5"), unit="kg"), "0.9"), version=2
            ),
            200,
            80,
        ),
        (
            percent(10, 1, EarnRule("visit", RuleKind.VISIT)),
            bought(TV),
            replace(bought(TV, version=2), refunded_minor=25_000),
            10_000,
            7_500,
        ),
    ],
)
def test_what_stays_full_is_worth_what_the_purchase_gives_now(
    made: Scheme, before: Sale, after: Sale, given: int, left: int
) -> None:
    whole = settled(made, before)
    late, early = settled(made, after, card=whole), settled(made, after)

    assert (sum(minors(whole)), sum(minors(late)), minors(early)) == (given, left, minors(late))
    assert settled(made, after, before, card=late) is late


def test_what_is_less_is_told_step_by_step_and_the_first_is_never_forgotten() -> None:
    made = percent(10, 1, EarnRule("visit", RuleKind.VISIT))

    card = settled(made, *(fours(back=count) for count in (0, 1, 3)))

    (fill,) = card.fills
    assert (fill.minor, fill.backs) == (400, (Back(100, "returned"), Back(200, "returned")))


def test_what_did_not_come_back_after_all_is_given_anew_under_another_number() -> None:
    made = percent(10, 1, EarnRule("visit", RuleKind.VISIT))
    less = settled(made, fours(), fours(back=3))
    half = settled(made, replace(fours(back=1), version=5), card=less, lease=2)
    whole = settled(made, replace(fours(), version=6), card=half, lease=None)

    assert [minors(card) for card in (less, half, whole)] == [[100], [300], [400]]
    assert [(one.number, one.lease, one.undone_by, one.undone_why) for one in whole.fills] == [
        (1, 1, "p", "corrected"),
        (2, 2, "p", "corrected"),
        (3, WAITING, "", ""),
    ]
    assert [(draw.by, draw.units) for lot in whole.lots for draw in lot.draws] == [("f3", 1)]


def test_what_is_bought_more_of_by_a_corrected_receipt_gives_no_more_than_at_first() -> None:
    made = percent(10, 1, EarnRule("visit", RuleKind.VISIT))

    card = settled(made, fours(), fours(back=2), replace(fours(gross=9_000), version=9))

    assert minors(card) == [400]


def test_what_waits_for_the_budget_waits_for_what_it_is_worth_by_now() -> None:
    made = percent(10, 1, EarnRule("visit", RuleKind.VISIT))

    less = settled(made, fours(), fours(back=3), lease=None)
    more = settled(made, replace(fours(back=1), version=5), card=less, lease=None)

    assert [
        [(one.number, one.minor, one.backs) for one in card.fills] for card in (less, more)
    ] == [
        [(1, 100, ())],
        [(1, 300, ())],
    ]


@pytest.mark.parametrize("policy", [RefundPolicy.ONLY_PENDING, RefundPolicy.WITHIN_BALANCE])
def test_what_is_due_stays_where_the_policy_says_so(policy: RefundPolicy) -> None:
    made = percent(10, 1, EarnRule("visit", RuleKind.VISIT))
    whole = settled(made, fours())

    cards = [
        settled(made, sale, card=whole, policy=policy, days=days)
        for sale, days in ((fours(back=3), 2), (fours(back=3), 60))
    ]

    assert [minors(card) for card in cards] == [[100], [400]]


def test_of_a_purchase_that_was_withdrawn_or_gives_nothing_a_full_card_is_worth_nothing() -> None:
    """It stays full, as another stamp took the place of the one that came back."""
    made = percent(10, 2)
    one, two, three = (bought(sale_line(gross=1_000), name=name) for name in "qpr")
    full = settled(made, one, two, three)

    gone = settled(made, replace(two, version=2, is_withdrawn=True), card=full, days=60)
    instead = settled(made, replace(two, version=2), card=full, is_excluded=True)

    assert (minors(full), minors(gone), minors(instead)) == ([100], [0], [0])


@given(
    st.sampled_from([100, 40, 33, 10]),
    st.lists(st.integers(0, 7), min_size=1, max_size=4),
    st.integers(1, 4),
    st.booleans(),
)
def test_whatever_comes_back_in_whatever_steps_the_rule_gives_no_more_on_what_is_kept(
    share: int, backs: list[int], places: int, is_visit: bool
) -> None:
    rule = EarnRule("visit", RuleKind.VISIT) if is_visit else ITEM
    made = percent(share, places, rule)
    line = sale_line(gross=701, quantity=Decimal(7))
    versions = [bought(back(line, count), version=2 + at) for at, count in enumerate(backs)]

    late = settled(made, bought(line), *versions)
    early = settled(made, versions[-1])

    assert sorted(minors(late)) == sorted(minors(early))
    kept = Fraction(7 - backs[-1], 7) * 701
    assert sum(minors(late)) <= min(kept, len(minors(late)) * (kept * share / 100 + Fraction(1, 2)))


def test_a_full_card_of_the_history_is_worth_less_too() -> None:
    made = percent(10, 2, EarnRule("visit", RuleKind.VISIT))
    first = bought(sale_line(gross=100), name="q")
    card = settled(made, first, bought(TEN, TV))
    moved, past = _aged(card, made)

    at_hand = archiving.bring_back(moved, past, "p", made, at=AT)
    less = settled(made, bought(TEN, back(TV), version=2), card=with_fills_of(at_hand, past, "p"))

    assert (minors(card), minors(moved), minors(less)) == ([10_010], [], [10])


def _aged(card: Card, made: Scheme) -> tuple[Card, tuple[Past, ...]]:
    others = (
        worth(f"z{number:02}", 0, visits=("w",), sold_at=SOLD_AT + (1 + number) * DAY)
        for number in range(12)
    )
    moved, past = archiving.move_old(after(*others, card=card), made, at=AT)
    assert past is not None
    return moved, (past,)
