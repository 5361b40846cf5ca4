"""Whose payment it is."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.cards import KnownDigits
from chalicelib.kernel.ids import MemberId
from chalicelib.members.holding import (
    AMBIGUOUS_HOLDER,
    JOINT_HOLDER,
    NOT_A_MEMBER,
    decide_holder,
)
from chalicelib.members.model import Holder, Link
from tests.makers.members import ACCEPTED_AT, card_four

DIGITS = KnownDigits((card_four("1234"),), ("9087",))


def link(member: str, payer: str | None = None, *, days: int = 0) -> Link:
    return Link(MemberId(member), ACCEPTED_AT + timedelta(days=days), DIGITS, payer)


def held_by(member: str, *, days: int = 0) -> Holder:
    return Holder(MemberId(member), ACCEPTED_AT + timedelta(days=days), DIGITS)


links = st.lists(
    st.builds(link, st.sampled_from("abc"), st.sampled_from(["p", "q", None])), max_size=5
)


def test_an_account_that_nobody_linked_is_no_members() -> None:
    assert decide_holder([], "p") == NOT_A_MEMBER


def test_the_payer_of_a_joint_account_gets_the_receipt() -> None:
    assert decide_holder([link("a", "p"), link("b", "q")], "q") == held_by("b")


def test_the_other_holder_who_never_switched_it_on_is_not_taken_for_the_member() -> None:
    assert decide_holder([link("a", "p")], "q") == JOINT_HOLDER


def test_between_two_holders_nobody_is_chosen_when_the_payer_is_not_said() -> None:
    assert decide_holder([link("a", "p"), link("b", "q")], None) == AMBIGUOUS_HOLDER


def test_a_sole_member_is_the_payer_when_nothing_else_is_known() -> None:
    assert decide_holder([link("a", "p")], None) == held_by("a")
    assert decide_holder([link("a")], "q") == held_by("a")


def test_a_known_payer_beats_a_member_whose_name_at_the_bank_is_unknown() -> None:
    assert decide_holder([link("a"), link("b", "q")], "q") == held_by("b")


def test_two_links_of_one_member_count_from_the_first() -> None:
    assert decide_holder([link("a", days=3), link("a", days=1)], None) == held_by("a", days=1)


@given(links, st.sampled_from(["p", "q", None]))
def test_never_chooses_a_member_whom_the_payer_contradicts(
    given_links: list[Link], payer: str | None
) -> None:
    decided = decide_holder(given_links, payer)

    if isinstance(decided, Holder):
        own = [one for one in given_links if one.member_id == decided.member_id]
        assert any(payer is None or one.payer in (payer, None) for one in own)


@given(links, st.sampled_from(["p", "q", None]))
def test_the_order_of_links_changes_nothing(given_links: list[Link], payer: str | None) -> None:
    assert decide_holder(given_links[::-1], payer) == decide_holder(given_links, payer)
