"""Why a payment has its receipt or none, in codes and in words; and nothing of anybody else."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from enum import Enum

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.ids import MemberId, receipt_id_of
from chalicelib.matching.outcome import (
    Agreement,
    Ambiguous,
    Evidence,
    MatchDecision,
    Matched,
    NothingNear,
    NotYet,
)
from chalicelib.matching.payment import REFUSED_MAX, Payment, first_of
from chalicelib.matching.signals import parts_of
from chalicelib.matching.why import Why
from chalicelib.purchases import wording
from chalicelib.purchases.explaining import (
    MatchState,
    Wait,
    explain_end,
    explain_match,
    explain_wait,
)
from chalicelib.purchases.model import (
    Clue,
    Ending,
    KnownPayment,
    Purchase,
    Reason,
    Withdrawal,
    WithdrawnWhy,
    joined,
)
from tests.makers.network import BAKERY
from tests.makers.purchases import A_MINUTE_LATER, PAID_AT, SALE, cleared, event

ADA = MemberId("member-ada")
PAID = first_of(event())
LATER = A_MINUTE_LATER + timedelta(minutes=5)
(PART,) = parts_of(SALE)


def purchase(**more: object) -> Purchase:
    reason = Reason("card_facts_agree", "posterior-1", ("amount", "auth_code", "time"), 40)
    made: dict[str, object] = {"receipt": SALE, "reason": reason, "matched_at": A_MINUTE_LATER}
    return Purchase(ADA, PAID, 1, **(made | more))  # type: ignore[arg-type]


def wait(decision: MatchDecision | None) -> Wait:
    until = PAID_AT + timedelta(days=7)
    return Wait(PAID_AT, until, LATER, decision, Decimal("0.999"))


@pytest.mark.parametrize(
    ("codes", "sentences"),
    [
        (Why, wording.REASONS),
        (Ending, wording.REASONS),
        (WithdrawnWhy, wording.WITHDRAWN),
        (Agreement, wording.CLUES),
    ],
)
def test_each_code_has_a_sentence(codes: type[Enum], sentences: dict[str, str]) -> None:
    assert [code.value for code in codes if code.value not in sentences] == []


def test_each_reason_to_wait_has_what_would_decide_it() -> None:
    hints = [hint for codes in wording.HINTS_BY_REASON.values() for hint in codes]

    assert set(hints) == set(wording.HINTS)
    assert set(wording.HINTS_BY_REASON) <= set(wording.REASONS)


def test_says_what_agrees_and_what_not_both_sides_say() -> None:
    told = explain_match(purchase())

    assert [(clue.code, clue.stand) for clue in told.evidence] == [
        ("amount", "agrees"),
        ("auth_code", "agrees"),
        ("time", "agrees"),
        ("last_four", "unknown"),
        ("scheme", "unknown"),
        ("mid", "unknown"),
        ("tid", "unknown"),
    ]
    assert told.evidence[1].words == "The bank and the till agree on the authorisation code."


def test_says_what_differed_and_was_joined_all_the_same() -> None:
    reason = Reason("forced", "posterior-1", ("amount",), 0, evidence=(Clue("scheme", "differs"),))

    told = explain_match(purchase(reason=reason))

    assert [(clue.code, clue.stand) for clue in told.evidence][:2] == [
        ("amount", "agrees"),
        ("scheme", "differs"),
    ]
    assert told.evidence[1].words == "The bank and the till differ in the card scheme."


@pytest.mark.parametrize("agreed", ["registered_card", "digits_of_device"])
def test_known_digits_that_agree_leave_no_digits_unknown(agreed: str) -> None:
    reason = Reason("card_facts_agree", "posterior-1", (agreed,), 0)

    told = explain_match(purchase(reason=reason))

    assert (agreed, "agrees") in [(clue.code, clue.stand) for clue in told.evidence]

    assert "last_four" not in [clue.code for clue in told.evidence]


def test_tells_how_sure_it_was_and_never_that_it_is_certain() -> None:
    evidence = Evidence(frozenset({Agreement.AMOUNT}), frozenset(), 3)
    found = Matched(PART, evidence, Why.TIME_AND_AMOUNT_AGREE, None, 1.0, 0.00012345)
    known = KnownPayment(PAID, ADA, PAID_AT)

    told = explain_match(
        joined(known, found, before=None, now=LATER, threshold=Decimal("0.999000"))
    )

    assert (told.probability, told.runner_up, told.threshold) == (
        Decimal("0.999999"),
        Decimal("0.000123"),
        Decimal("0.999000"),
    )


@pytest.mark.parametrize("why", [Why.SAID_MINE, Why.FORCED, Why.HELD_ALREADY])
def test_what_was_not_weighed_has_no_probability(why: Why) -> None:
    found = Matched(PART, Evidence(frozenset(), frozenset(), 0), why)

    reason = joined(KnownPayment(PAID, ADA, PAID_AT), found, before=None, now=LATER).reason

    assert reason is not None
    assert (reason.probability, reason.runner_up, reason.threshold) == (None, None, None)


@pytest.mark.parametrize(
    ("decision", "reason", "hints"),
    [
        (None, "shop_unknown", ["clearing"]),
        (
            Ambiguous(Why.RIVAL_PAYMENT, 2, 0.5, 0.4),
            "rival_payment",
            ["rival_settled", "till_card_facts", "paper"],
        ),
        (
            NotYet(Why.RECEIPTS_STILL_COMING, LATER),
            "receipts_still_coming",
            ["receipts_complete", "till_card_facts"],
        ),
        (NothingNear(Why.NO_RECEIPT_YET), "no_receipt_yet", ["receipt_comes", "paper"]),
        (NothingNear(Why.CARD_FACTS_DIFFER), "card_facts_differ", ["receipt_comes", "correction"]),
        (
            Matched(PART, Evidence(frozenset(), frozenset(), 0), Why.CARD_FACTS_AGREE),
            "about_to_match",
            ["next_look"],
        ),
    ],
)
def test_says_why_it_waits_and_what_would_decide_it(
    decision: MatchDecision | None, reason: str, hints: list[str]
) -> None:
    told = explain_wait(PAID, None, wait(decision))

    assert (told.state, told.reason, told.version) == (MatchState.WAITING, reason, 0)
    assert [hint.code for hint in told.would_decide] == hints


def test_asks_the_bank_for_card_facts_where_it_gave_none() -> None:
    bare = first_of(event(card=CardFacts()))

    told = explain_wait(bare, None, wait(Ambiguous(Why.COMMON_AMOUNT, 3)))

    assert "bank_card_facts" in [hint.code for hint in told.would_decide]
    assert told.rivals == 3


def test_counts_rivals_and_has_no_place_for_more() -> None:
    told = explain_wait(PAID, None, wait(Ambiguous(Why.SEVERAL_RECEIPTS, 2, 0.5, 0.5)))

    assert told.rivals == 2
    sentences = (told.words, *(s.words for s in (*told.evidence, *told.would_decide)))
    known = {
        *wording.REASONS.values(),
        *wording.HINTS.values(),
        *(wording.BANK_GIVES.format(what=what) for what in wording.CLUES.values()),
        *(wording.BANK_GIVES_NOT.format(what=what) for what in wording.CLUES.values()),
    }
    assert set(sentences) <= known


def test_says_that_it_lost_a_receipt_that_was_not_its_own() -> None:
    refused = replace(PAID, refused=(receipt_id_of(BAKERY, "R-1"),))

    told = explain_wait(refused, None, wait(NothingNear(Why.NO_RECEIPT_YET)))

    assert told.reason == "not_mine"


@pytest.mark.parametrize(
    ("payment", "ended", "reason"),
    [
        (PAID, None, "waited_long_enough"),
        (PAID, Ending.STAYED_AMBIGUOUS, "stayed_ambiguous"),
        (replace(PAID, refused=tuple(f"r-{n}" for n in range(REFUSED_MAX))), None, "given_up"),
    ],
)
def test_says_why_it_ended(payment: Payment, ended: Ending | None, reason: str) -> None:
    alone = Purchase(ADA, payment, 1, ending=ended) if ended else None

    told = explain_end(payment, alone)

    assert (told.state, told.reason) == (MatchState.ENDED, reason)


def test_tells_what_became_of_it_in_order_of_time() -> None:
    lost = Withdrawal(2, LATER, "not_mine", matched_at=A_MINUTE_LATER, matched_why="only_candidate")
    twice = replace(PAID, events=(*PAID.events, cleared(event(), 480)))
    found = replace(
        purchase(matched_at=LATER + timedelta(hours=1), withdrawals=(lost,)),
        payment=twice,
        version=3,
    )

    told = explain_match(found)

    assert [(turn.what, turn.why) for turn in told.history] == [
        ("authorised", ""),
        ("matched", "only_candidate"),
        ("withdrawn", "not_mine"),
        ("matched", "card_facts_agree"),
        ("cleared", ""),
    ]


def test_a_code_of_a_later_release_is_said_as_it_is() -> None:
    reason = Reason("by_a_new_way", "posterior-9", (), 0)

    assert explain_match(purchase(reason=reason)).words == "by a new way"
