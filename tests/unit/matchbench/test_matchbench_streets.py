"""The drawn streets: the truth about them is true, and their laws are what is drawn."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from chalicelib.kernel.cards import LastFourKind
from chalicelib.matching.sides import ChargeKind
from infra.matchbench import jitter
from infra.matchbench.block import Block
from infra.matchbench.generating import blocks, draw_block
from infra.matchbench.laws import Amounts, Arrivals
from infra.matchbench.scenarios import Split, groups
from infra.matchbench.street import (
    DAY_SECONDS,
    SUMMER_TIME_ENDS_AT,
    Arrival,
    BankDigits,
    CodeFault,
    Digits,
    Jitter,
    Street,
    SummerTime,
    Tips,
)
from infra.matchbench.true_clocks import Spell, TrueClock, draw_clock

QUIET = Street(sales_per_day=120, days=7, missing_receipt_share=0.2)


def drawn(street: Street) -> Block:
    return draw_block(street, Random("streets"), name="b")


def test_draws_the_same_days_from_the_same_seed() -> None:
    first, again = drawn(QUIET), drawn(QUIET)

    assert (first.charges, first.slips) == (again.charges, again.slips)
    assert first.receipt_by_payment == again.receipt_by_payment
    assert drawn(QUIET).charges != draw_block(QUIET, Random("other"), name="b").charges


def test_every_payment_has_a_truth_and_one_in_five_has_no_receipt() -> None:
    block = drawn(QUIET)
    receipts = {slip.receipt_id for slip in block.slips}
    told = [block.receipt_by_payment[charge.payment_id] for charge in block.charges]

    assert {receipt for receipt in told if receipt is not None} <= receipts
    assert len(receipts) == len(block.slips)
    assert 0.15 < told.count(None) / len(told) < 0.25
    assert 0.10 < len(block.charges) / (len(block.slips) / 0.8) < 0.14


def test_a_slip_is_printed_by_its_tills_clock_and_is_near_the_card_by_the_true_one() -> None:
    street = replace(QUIET, skew_seconds=500.0, jitter_seconds=3.0)
    block = drawn(street)
    place_of = {slip.receipt_id: place for place, slip in enumerate(block.slips)}
    apart = [
        block.sold_at[place_of[receipt]] - charge.at
        for charge in block.charges
        if (receipt := block.receipt_by_payment[charge.payment_id]) is not None
    ]

    assert max(map(abs, apart)) < 25.0
    assert max(abs(s.at - t) for s, t in zip(block.slips, block.sold_at, strict=True)) > 300.0


def test_a_clock_drifts_and_is_set_wrong_for_a_spell() -> None:
    clock = TrueClock(10.0, 5.0, 0.0, (Spell(100.0, 200.0, -60.0),), 6.0)

    assert clock.offset_at(0.0) == 10.0
    assert clock.offset_at(150.0) == pytest.approx(-50.0, abs=0.01)
    assert clock.offset_at(200.0) == pytest.approx(10.01, abs=0.01)
    assert clock.offset_at(2 * DAY_SECONDS) == pytest.approx(20.0)
    assert [clock.is_disturbed_at(at) for at in (99.0, 100.0, 199.0, 200.0)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("summer_time", "offsets"),
    [
        (SummerTime.RIGHT, [0.0, 0.0, 0.0]),
        (SummerTime.FORGOTTEN, [0.0, 3_600.0, 3_600.0]),
        (SummerTime.FOLDED, [0.0, -3_600.0, 0.0]),
    ],
)
def test_tills_do_their_worst_when_summer_time_ends(
    summer_time: SummerTime, offsets: list[float]
) -> None:
    street = replace(QUIET, summer_time=summer_time, skew_seconds=0.0)
    clock = draw_clock(street, Random(1))
    moments = [SUMMER_TIME_ENDS_AT + seconds for seconds in (-1.0, 1_800.0, 3_601.0)]

    assert [clock.offset_at(at) for at in moments] == offsets
    assert street.starts_at < SUMMER_TIME_ENDS_AT < street.starts_at + street.days * DAY_SECONDS


@pytest.mark.parametrize(
    ("shape", "tail_share"), [*((shape, 0.0) for shape in Jitter), (Jitter.GAUSSIAN, 0.3)]
)
def test_the_density_of_jitter_is_the_share_that_is_drawn(shape: Jitter, tail_share: float) -> None:
    street = replace(QUIET, jitter=shape, tail_share=tail_share, tail_seconds=40.0)
    draw = jitter.drawer(street, Random(3))
    late = Random(4)
    count, width = 40_000, 10.0
    found: Counter[int] = Counter()
    for _ in range(count):
        seconds = draw(8.0) + late.uniform(-1.0, 1.0)  # Both sides write whole seconds.
        if shape is Jitter.MINUTES:  # The till cuts seconds off, wherever in its minute it is.
            seconds -= late.uniform(0.0, 60.0)
        found[int((seconds + 200.0) // width)] += 1

    for place in range(5, 40):
        begins = place * width - 200.0
        steps = [begins + (step + 0.5) / 10 for step in range(100)]
        expected = sum(jitter.density(street, 8.0, at) for at in steps) / 100 * width
        assert found[place] / count == pytest.approx(expected, abs=0.012)


def test_amounts_are_drawn_by_the_probabilities_that_the_oracle_is_told() -> None:
    street = Street(price_points=4, items_max=2)
    amounts = Amounts(street, Random(5))
    found = Counter(amounts.draw(Random(6), 50_000))

    for amount, times in found.most_common(8):
        assert times / 50_000 == pytest.approx(amounts.of_slip(amount), abs=0.01)
    assert sum(amounts.of_slip(a) for a in range(1, 7_000)) == pytest.approx(1.0, abs=1e-5)


def test_tipped_charges_have_a_law_of_their_own() -> None:
    amounts = Amounts(Street(tip_share=0.5, tips=Tips.UNTOLD), Random(5))

    assert sum(amounts.of_charge(a) for a in range(1, 6_500)) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("by_night", [False, True])
def test_sales_of_a_day_are_shared_out_over_its_seconds(*, by_night: bool) -> None:
    arrivals = Arrivals(Street(by_night=by_night))
    drawn_at = arrivals.draw(Random(1), 2_000)

    assert drawn_at == sorted(drawn_at)
    assert sum(60 * arrivals.share_per_second(60.0 * m) for m in range(1_440)) == pytest.approx(
        1.0, abs=0.01
    )
    asleep = sum(1 for at in drawn_at if 7 * 3_600 <= at < 17 * 3_600)
    assert asleep < 20 if by_night else asleep > 1_200


def test_a_till_prints_a_phones_number_and_the_bank_the_cards() -> None:
    street = replace(QUIET, till_digits_share=1.0, wallet_share=0.5, missing_receipt_share=0.0)
    block = drawn(street)
    slip_of = {slip.receipt_id: slip for slip in block.slips}
    kinds: Counter[tuple[LastFourKind, bool]] = Counter()
    for charge in block.charges:
        printed = slip_of[block.receipt_by_payment[charge.payment_id] or ""].last_four
        assert printed is not None
        assert charge.last_four is not None
        kinds[printed.kind, printed.digits == charge.last_four.digits] += 1

    assert kinds[LastFourKind.CARD, False] == 0
    assert kinds[LastFourKind.DEVICE, True] <= 1
    assert 0.4 < kinds[LastFourKind.DEVICE, False] / len(block.charges) < 0.6


def test_a_stale_till_prints_the_code_of_the_sale_before() -> None:
    street = replace(
        QUIET, till_code_share=1.0, code_fault=CodeFault.STALE, code_fault_share=1.0, days=2
    )
    block = drawn(replace(street, missing_receipt_share=0.0))
    codes = {charge.auth_code: charge.payment_id for charge in block.charges}
    told = {
        payment: slip.receipt_id
        for slip in block.slips
        if slip.auth_code and (payment := codes.get(slip.auth_code))
    }

    assert len(told) > len(block.charges) / 2
    assert not [p for p, receipt in told.items() if block.receipt_by_payment[p] == receipt]


def test_either_id_of_a_sale_that_is_sent_twice_is_right() -> None:
    block = drawn(replace(QUIET, sent_twice_share=0.5, missing_receipt_share=0.0))
    second, first = next(
        (s, f) for s, f in block.first_id.items() if f in block.receipt_by_payment.values()
    )
    payment = next(p for p, r in block.receipt_by_payment.items() if r == first)

    assert block.is_right(payment, first)
    assert block.is_right(payment, second)
    assert not block.is_right(payment, "b-r0")
    assert len(block.slips) == len({slip.receipt_id for slip in block.slips})


def test_returns_refer_to_their_sale_and_are_paid_back_to_who_paid() -> None:
    block = drawn(
        replace(QUIET, return_share=0.2, linked_return_share=1.0, missing_receipt_share=0.0)
    )
    buyer = {
        block.receipt_by_payment[c.payment_id]: c.member_id
        for c in block.charges
        if c.kind is ChargeKind.AUTH
    }
    back = {s.receipt_id: s for s in block.slips if s.is_return}
    refunds = [c for c in block.charges if c.kind is ChargeKind.REFUND]

    assert refunds
    for refund in refunds:
        slip = back[block.receipt_by_payment[refund.payment_id] or ""]
        assert buyer[slip.refers_to] == refund.member_id
        assert refund.amounts == ((slip.amount_minor, "GBP"),)


def test_a_split_bill_has_a_part_for_each_card() -> None:
    block = drawn(replace(QUIET, split_share=1.0, free_form_share=1.0, missing_receipt_share=0.0))
    parts = Counter(slip.receipt_id for slip in block.slips)

    assert Counter(parts.values())[2] > 0.9 * len(parts)


def test_the_days_file_comes_after_the_day() -> None:
    block = drawn(replace(QUIET, arrival=Arrival.END_OF_DAY, skew_seconds=0.0))

    for slip, arrived_at in zip(block.slips, block.arrived_at, strict=True):
        midnight = slip.at // DAY_SECONDS * DAY_SECONDS + DAY_SECONDS
        assert 1_800.0 < arrived_at - midnight < 1_900.0


def test_retailers_come_until_there_are_enough_payments() -> None:
    found = list(blocks(QUIET, seed="s", payments=2_500))

    assert sum(len(block.charges) for block in found) >= 2_500
    assert sum(len(block.charges) for block in found[:-1]) < 2_500


def test_streets_for_tuning_share_no_street_with_those_held_out() -> None:
    dev = [cell.street for group in groups(Split.DEV) for cell in group.cells]
    held_out = [cell.street for group in groups(Split.HELD_OUT) for cell in group.cells]

    assert len(groups(Split.DEV)) == len(groups(Split.HELD_OUT)) == 23
    assert not [street for street in dev if street in held_out]
    for group in groups(Split.HELD_OUT):
        names = [cell.name for cell in group.cells]
        assert len(set(names)) == len(names)


def test_says_which_streets_tell_most_cards_apart() -> None:
    bare = Street()

    assert not bare.has_card_facts
    assert replace(bare, till_digits_share=0.85).has_card_facts
    assert not replace(bare, till_digits_share=0.85, digits=Digits.KINDS_UNKNOWN).has_card_facts
    assert not replace(bare, till_digits_share=0.85, wallet_share=0.6).has_card_facts
    assert not replace(bare, till_digits_share=0.85, bank_digits=BankDigits.NONE).has_card_facts
    assert replace(bare, till_code_share=0.9).has_card_facts
    assert not replace(
        bare, till_code_share=0.9, code_fault=CodeFault.FEW, code_fault_share=1.0
    ).has_card_facts
