"""Everything at hand: clocks and rates are learned from it, and all is decided together."""

from dataclasses import replace

import pytest

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.matching.batches import Outcome, match_jointly
from chalicelib.matching.sides import Charge, ChargeKind, Slip
from chalicelib.matching.why import Why
from tests.makers.slips import NOON, charge, day_at_shop, refund_of, slip


def judged(outcomes: list[Outcome], truth: dict[str, str]) -> tuple[float, int]:
    """The share of payments with the right receipt, and how many have a wrong one."""
    right = sum(truth[o.payment_id] == o.receipt_id for o in outcomes)
    given = sum(o.receipt_id is not None for o in outcomes)
    return right / len(outcomes), given - right


@pytest.mark.parametrize(
    ("offsets", "set_by"),
    [
        ((0.0, 95.0), 0.0),
        ((3_600.0, 3_575.0), 0.0),
        ((-28_800.0, 10.0), 0.0),
        ((5.0, -40.0), 1_500.0),
    ],
    ids=["minutes off", "local time as UTC", "hours off", "set at noon"],
)
def test_learns_clocks_that_nobody_told_it(offsets: tuple[float, ...], set_by: float) -> None:
    charges, slips, truth = day_at_shop(5, offsets=offsets, set_by=set_by)

    share, wrong = judged(match_jointly(charges, slips), truth)

    assert (share > 0.93, wrong) == (True, 0)


def test_the_order_of_the_file_changes_nothing() -> None:
    charges, slips, _ = day_at_shop(6, days=2)

    forwards = {o.payment_id: o for o in match_jointly(charges, slips)}
    backwards = {o.payment_id: o for o in match_jointly(charges[::-1], slips[::-1])}

    assert forwards == backwards


def test_one_outcome_per_payment_in_their_order() -> None:
    charges, slips, _ = day_at_shop(7, days=1)

    outcomes = match_jointly(charges[::-1], slips)

    assert [o.payment_id for o in outcomes] == [c.payment_id for c in charges[::-1]]


def test_no_receipt_has_two_payments() -> None:
    charges, slips, _ = day_at_shop(8, members=0.9, prices=4)

    given = [o.receipt_id for o in match_jointly(charges, slips) if o.receipt_id]

    assert len(given) == len(set(given)) > 0


def test_a_sale_under_two_names_is_nobodys() -> None:
    charges, slips, _ = day_at_shop(9, days=2)
    twice = [replace(sold, receipt_id=sold.receipt_id + "-again") for sold in slips]

    outcomes = match_jointly(charges, [*slips, *twice])

    assert {o.receipt_id for o in outcomes} == {None}
    assert sum(o.why is Why.SAME_SALE_TWICE for o in outcomes) > 0.9 * len(outcomes)


def test_a_bill_split_evenly_gives_each_payer_a_part() -> None:
    charges, slips, _ = day_at_shop(10, days=2)
    at = NOON + 3_000
    bill = [Slip("bill", part, "shop", "t0", at, 1_111, "GBP") for part in (0, 1)]
    payers = [charge(name, at=at + 1, amounts=((1_111, "GBP"),)) for name in ("pa", "pb")]

    outcomes = match_jointly([*charges, *payers], [*slips, *bill])[-2:]

    assert [o.receipt_id for o in outcomes] == ["bill", "bill"]
    assert sorted(o.part for o in outcomes) == [0, 1]


def test_an_auth_and_its_clearing_under_another_name_share_the_receipt() -> None:
    charges, slips, truth = day_at_shop(11, days=2)
    paid = charges[0]
    booked = replace(paid, payment_id="booked", kind=ChargeKind.CLEARING)

    outcomes = {o.payment_id: o for o in match_jointly([*charges, booked], slips)}

    assert outcomes["booked"].receipt_id == truth[paid.payment_id]
    assert outcomes["booked"].why is Why.SAME_PURCHASE


def test_finds_tipped_bills_where_people_tip() -> None:
    charges, slips, truth = day_at_shop(12, members=0.3)
    tipped = [
        replace(c, amounts=((round(c.amounts[0][0] * 1.1), "GBP"),)) if n % 3 == 0 else c
        for n, c in enumerate(charges)
    ]

    share, wrong = judged(match_jointly(tipped, slips), truth)

    assert (share > 0.85, wrong) == (True, 0)


def test_digits_that_wallets_change_do_not_veto() -> None:
    charges, slips, truth = day_at_shop(13, days=3)
    number = {sold.receipt_id: n for n, sold in enumerate(slips)}

    def digits(n: int) -> LastFour:
        return LastFour(f"{n * 7 % 10_000:04d}", LastFourKind.UNKNOWN)

    sold = [replace(s, last_four=digits(n)) for n, s in enumerate(slips)]
    paid = [
        replace(c, last_four=digits(number[truth[c.payment_id]] + (1 if n % 5 < 2 else 0)))
        for n, c in enumerate(charges)
    ]

    share, wrong = judged(match_jointly(paid, sold), truth)

    assert (share > 0.93, wrong) == (True, 0)


def paid_in_turn(
    number: int, digits: LastFour | None = None, code: str | None = None
) -> tuple[Charge, Slip]:
    """A payment and its receipt, every ten minutes over another amount."""
    at, minor = NOON + 600 * number, 500 + 7 * number
    facts = {"last_four": digits, "auth_code": code}
    paid = Charge(f"p{number}", f"m{number}", at, ((minor, "GBP"),), ("shop",), **facts)  # type: ignore[arg-type]
    return paid, Slip(f"r{number}", 0, "shop", "t0", at + 4, minor, "GBP", **facts)  # type: ignore[arg-type]


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize("kind", [LastFourKind.CARD, LastFourKind.DEVICE, LastFourKind.ACCOUNT])
@pytest.mark.parametrize("others", [0, 30, 300])
def test_no_receipt_of_another_card_however_well_all_else_fits(
    kind: LastFourKind, others: int
) -> None:
    pairs = [paid_in_turn(n, LastFour(f"{1000 + n}", kind)) for n in range(others)]
    paid, sold = paid_in_turn(others, LastFour("5555", kind))
    other = replace(sold, last_four=LastFour("6666", kind))

    outcomes = match_jointly([*(c for c, _ in pairs), paid], [*(s for _, s in pairs), other])

    assert [o.receipt_id for o in outcomes[:-1]] == [s.receipt_id for _, s in pairs]
    assert outcomes[-1] == Outcome(
        paid.payment_id, None, 0, 0.0, Why.CARD_FACTS_DIFFER, 0.0, other.receipt_id
    )


def test_digits_of_a_wallet_that_tills_call_a_cards_do_not_veto() -> None:
    charges, slips, truth = day_at_shop(13, days=3)
    number = {sold.receipt_id: n for n, sold in enumerate(slips)}

    def digits(n: int) -> LastFour:
        return LastFour(f"{n * 7 % 10_000:04d}", LastFourKind.CARD)

    sold = [replace(s, last_four=digits(n)) for n, s in enumerate(slips)]
    paid = [
        replace(c, last_four=digits(number[truth[c.payment_id]] + (1 if n % 5 < 2 else 0)))
        for n, c in enumerate(charges)
    ]

    share, wrong = judged(match_jointly(paid, sold), truth)

    assert (share > 0.9, wrong) == (True, 0)


@pytest.mark.parametrize("others", [0, 1, 5])
def test_an_auth_code_that_differs_does_not_excuse_itself(others: int) -> None:
    pairs = [paid_in_turn(n, code=f"1{n:05d}") for n in range(others)]
    paid, sold = paid_in_turn(others, code="555555")
    other = replace(sold, auth_code="666666")

    outcome = match_jointly([*(c for c, _ in pairs), paid], [*(s for _, s in pairs), other])[-1]

    assert (outcome.receipt_id, outcome.why) == (None, Why.CARD_FACTS_DIFFER)


def test_a_refund_finds_the_return_of_its_members_sale() -> None:
    charges, slips, truth = day_at_shop(14, days=2)
    sale, later = charges[3], NOON + 90_000
    minor = sale.amounts[0][0]
    own = Slip("back-1", 0, "shop", "t1", later + 95, minor, "GBP", is_return=True)
    own = replace(own, refers_to=truth[sale.payment_id])
    other = replace(own, receipt_id="back-2", at=later + 98, refers_to=truth[charges[9].payment_id])
    refund = refund_of(sale, "back", at=later)

    outcomes = match_jointly([*charges, refund], [*slips, own, other])

    assert outcomes[-1].receipt_id == "back-1"


def test_nothing_is_made_of_nothing() -> None:
    assert match_jointly([], []) == []
    assert match_jointly([charge()], []) == [
        Outcome("p1", None, 0, 0.0, Why.NO_RECEIPT_YET),
    ]
    assert match_jointly([], [slip()]) == []
