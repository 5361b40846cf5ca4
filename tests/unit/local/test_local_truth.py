"""The sandbox's own judgement: it can tell right from wrong, and missed from rightly abstained."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib.network.model import Provider
from infra.local import truth
from infra.local.highstreet import Day, build_day
from infra.local.postings import FromBank, FromTills, Paid
from infra.local.sandbox_bank import Delivered
from infra.local.truth import Answer

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def day() -> Day:
    return build_day(7, midnight=MIDNIGHT)


def _perfect(day: Day) -> dict[str, Answer]:
    """What a platform answers that finds exactly what the rule finds."""
    return {
        paid.payment.transaction_id: Answer(paid.sale.reference)
        if paid.sale is not None and truth.must_find(day, paid)
        else Answer(None, "PENDING" if truth.is_ours(paid) else "NOT_SUPPORTED")
        for paid in day.paid
    }


def _held(paid: Paid) -> Delivered:
    assert paid.sale is not None
    receipt = paid.sale.receipt
    lines = tuple((line["description"], line["amount_minor"]) for line in receipt["lines"])
    payment = paid.payment
    return Delivered(payment.person.provider, payment.transaction_id, receipt["total_minor"], lines)


def _found(day: Day) -> list[Paid]:
    return [paid for paid in day.paid if paid.is_told and truth.must_find(day, paid)]


def test_the_same_seed_makes_the_same_day(day: Day) -> None:
    assert build_day(7, midnight=MIDNIGHT) == day
    assert build_day(8, midnight=MIDNIGHT) != day


def test_the_day_holds_what_may_go_wrong(day: Day) -> None:
    batches = [len(post.receipts) for post in day.posts if isinstance(post, FromTills)]
    providers = {
        post.tellings[0].payment.person.provider for post in day.posts if isinstance(post, FromBank)
    }

    assert len(day.sales) > 450
    assert providers == set(Provider)
    assert (
        0.1 < sum(truth.is_ours(paid) for paid in day.paid) / len(day.sales) < 0.25
    )  # the magic amounts are members'
    assert (min(batches), max(batches)) == (1, max(batches))
    assert 10 < max(batches) <= 50
    assert sum(post.is_repeat for post in day.posts) > 20
    assert len({sale.shop.zone for sale in day.sales}) == 3
    assert [post.at for post in day.posts] == sorted(post.at for post in day.posts)


def test_a_platform_that_finds_what_the_rule_finds_is_not_faulted(day: Day) -> None:
    held = [_held(paid) for paid in _found(day)]

    verdict = truth.judge(day, _perfect(day), held)

    assert (verdict.wrong, verdict.missed, verdict.at_bank) == ([], [], [])
    assert len(verdict.right) == len(_found(day))
    assert len(verdict.abstained) >= 2  # the twins


def test_a_strangers_receipt_is_wrong(day: Day) -> None:
    paid = _found(day)[0]
    answers = _perfect(day) | {paid.payment.transaction_id: Answer("somebody-else")}

    assert truth.judge(day, answers, []).wrong == [paid.payment.transaction_id]


def test_any_receipt_for_a_payment_that_is_none_of_ours_is_wrong(day: Day) -> None:
    paid = next(paid for paid in day.paid if paid.sale is not None and not truth.is_ours(paid))
    assert paid.sale is not None
    name = paid.payment.transaction_id
    answers = _perfect(day) | {name: Answer(paid.sale.reference)}

    assert name in truth.judge(day, answers, []).wrong


def test_a_receipt_that_the_rule_finds_and_nobody_gives_is_missed(day: Day) -> None:
    paid = _found(day)[0]
    name = paid.payment.transaction_id
    answers = _perfect(day) | {name: Answer(None, "PENDING")}

    assert truth.judge(day, answers, []).missed == [f"{name} (PENDING)"]


def test_a_bank_that_shows_other_lines_or_two_copies_is_faulted(day: Day) -> None:
    first, second, *rest = (_held(paid) for paid in _found(day))
    other = replace(first, lines=(("Something else", first.lines[0][1]), *first.lines[1:]))

    verdict = truth.judge(day, _perfect(day), [other, replace(second, copies=2), *rest])

    assert verdict.at_bank == [
        f"{first.transaction_id}: shows another receipt",
        f"{second.transaction_id}: shown 2 times",
    ]


def test_a_receipt_that_did_not_reach_its_bank_is_told(day: Day) -> None:
    first, *rest = (_held(paid) for paid in _found(day))

    verdict = truth.judge(day, _perfect(day), rest)

    assert verdict.at_bank == [f"{first.transaction_id}: not delivered"]
