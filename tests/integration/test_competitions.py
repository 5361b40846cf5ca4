"""Entries count once and are drawn from as counted: at once, across crashes, after leaving."""

import contextlib
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.refusals import TryAgain
from chalicelib.members.model import KEPT_AFTER_LEAVING, Member, MemberStatus
from chalicelib.offers.competitions import draws, service, store
from chalicelib.offers.competitions.drawing import draw_winners
from chalicelib.offers.competitions.draws import NotToBeDrawn
from chalicelib.offers.competitions.model import Entry
from chalicelib.offers.competitions.service import (
    AlreadyEntered,
    NotADraft,
    NotOpen,
    OffersSwitchedOff,
    UnknownTerms,
)
from chalicelib.privacy import retention
from chalicelib.runtime import rows
from tests.makers.competitions import (
    BY,
    ENDS_AT,
    HAMPER,
    KNOWN_AT,
    LIVE_AT,
    OPENED_AT,
    SEED,
    STARTS_AT,
    competition,
    enter,
    entry_id,
    run,
)
from tests.makers.dying import Died, dying
from tests.makers.offers import join, open_town
from tests.makers.outside import stored_rows

pytestmark = [
    pytest.mark.stores,
    pytest.mark.requirement("OFR-08"),
    pytest.mark.usefixtures("town"),
]
# moto answers one call after the other, so that there fewer threads show as much.
WORKERS, MEMBERS = (16, 12) if os.environ.get("COUNTERFOIL_REAL_DYNAMODB") else (4, 5)
DAY = timedelta(days=1)


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town()
    run()


def people(count: int) -> list[Member]:
    return [join(f"member-{n}", n) for n in range(1, count + 1)]


def counted() -> int:
    return store.count_entries(HAMPER, now=LIVE_AT)


def pool() -> set[str]:
    return set(store.list_pool(HAMPER, now=KNOWN_AT))


def test_a_member_enters_once() -> None:
    (ada,) = people(1)

    first = enter(ada, 1)
    with pytest.raises(AlreadyEntered) as again:
        enter(ada, 2)
    with pytest.raises(AlreadyEntered):
        enter(ada, 3, at=ENDS_AT)

    assert first == Entry(HAMPER, entry_id(1), "2026-12", LIVE_AT)
    assert again.value.code == "already_entered"
    assert (counted(), pool()) == (1, {entry_id(1)})


def test_members_who_enter_at_once_and_twice_are_counted_once_each() -> None:
    members = people(MEMBERS)

    def try_to(step: tuple[int, Member]) -> int:
        number, member = step
        for _ in range(200):
            with contextlib.suppress(TryAgain):
                try:
                    enter(member, number)
                except AlreadyEntered:
                    return 0
                return 1
        raise AssertionError("nobody could enter in two hundred attempts")

    with ThreadPoolExecutor(WORKERS) as threads:
        entered = sum(threads.map(try_to, enumerate(members * 3, start=1)))

    assert (entered, counted(), len(pool())) == (MEMBERS, MEMBERS, MEMBERS)


@pytest.mark.parametrize("is_heard", [True, False])
def test_an_entry_that_dies_at_its_write_is_there_whole_or_not_at_all(is_heard: bool) -> None:
    (ada,) = people(1)

    with contextlib.suppress(Died), dying(1, is_heard=is_heard):
        enter(ada, 1)
    with contextlib.suppress(AlreadyEntered):
        enter(ada, 2)

    assert (counted(), pool()) == (1, {entry_id(1 if is_heard else 2)})


def test_nobody_enters_without_offers_other_terms_or_outside_the_window() -> None:
    ada, ben = people(1)[0], join("ben", 2, wants_offers=False)

    for nobody in (ben, replace(ada, status=MemberStatus.REVOKED)):
        with pytest.raises(OffersSwitchedOff):
            enter(nobody, 1)
    with pytest.raises(UnknownTerms) as unknown:
        service.enter(ada, HAMPER, "2025-01", entry_id=entry_id(1), now=LIVE_AT)
    with pytest.raises(service.NotFound):
        enter(ada, 1, at=STARTS_AT - timedelta(seconds=1))
    with pytest.raises(NotOpen):
        enter(ada, 1, at=ENDS_AT)

    assert (unknown.value.code, unknown.value.field) == ("unknown_terms_version", "terms_version")
    assert unknown.value.detail == "the terms of the competition are 2026-12"
    assert (counted(), store.list_entries(ada.member_id, now=LIVE_AT)) == (0, ())


def test_what_a_competition_offers_is_fixed_once_it_has_begun() -> None:
    changed = competition(winners=1)

    before = service.write_draft(changed, now=OPENED_AT)
    same = service.write_draft(changed, now=LIVE_AT)
    with pytest.raises(NotADraft):
        service.write_draft(competition(), now=LIVE_AT)
    with pytest.raises(NotADraft):
        service.remove_draft(changed.retailer_id, "hamper", now=STARTS_AT)

    assert (before.is_new, before.competition.version) == (False, 2)
    assert same == before


def test_a_draft_is_removed_once() -> None:
    retailer_id = competition().retailer_id

    service.remove_draft(retailer_id, "hamper", now=OPENED_AT)
    with pytest.raises(service.NotFound):
        service.remove_draft(retailer_id, "hamper", now=OPENED_AT)

    assert service.list_competitions(None, now=OPENED_AT) == ()


def test_a_draw_is_made_once_and_whoever_draws_again_finds_it() -> None:
    for number, member in enumerate(people(8), start=1):
        enter(member, number)

    first = draws.draw(HAMPER, f"  {SEED.replace(' ', '  ')} ", by=BY, now=KNOWN_AT)
    again = draws.draw(HAMPER, SEED, by="somebody else", now=KNOWN_AT + DAY)
    with pytest.raises(NotToBeDrawn) as other:
        draws.draw(HAMPER, "1 2 3 4 5 6", by=BY, now=KNOWN_AT + DAY)

    assert first.draw is not None
    assert first.draw.winners == draw_winners(SEED, map(entry_id, range(1, 9)), 3)
    assert (first.draw.seed, first.draw.entries, first.draw.drawn_by) == (SEED, 8, BY)
    assert again == first
    assert other.value.code == "already_drawn"
    assert draws.verify(HAMPER, now=KNOWN_AT + 300 * DAY) == ()


def test_no_draw_before_the_end_nor_before_its_seed_is_known() -> None:
    said = []
    for at in (LIVE_AT, ENDS_AT, KNOWN_AT - timedelta(seconds=1)):
        with pytest.raises(NotToBeDrawn) as refused:
            draws.draw(HAMPER, SEED, by=BY, now=at)
        said.append(refused.value.code)
    with pytest.raises(NotToBeDrawn) as undrawn:
        draws.verify(HAMPER, now=KNOWN_AT)

    assert said == ["competition_not_over", "seed_not_known", "seed_not_known"]
    assert undrawn.value.code == "not_drawn"


@pytest.mark.parametrize("is_heard", [True, False])
@pytest.mark.parametrize("nth", [1, 8, 16, 17])
def test_a_draw_that_dies_at_a_write_is_made_by_the_next_run(nth: int, is_heard: bool) -> None:
    """Sixteen writes close the pool, and the last one enters the draw."""
    for number, member in enumerate(people(4), start=1):
        enter(member, number)

    with contextlib.suppress(Died), dying(nth, is_heard=is_heard):
        draws.draw(HAMPER, SEED, by=BY, now=KNOWN_AT)
    drawn = draws.draw(HAMPER, SEED, by=BY, now=KNOWN_AT + DAY).draw

    assert drawn is not None
    assert drawn.winners == draw_winners(SEED, map(entry_id, range(1, 5)), 3)
    assert drawn.drawn_at == (KNOWN_AT if (nth, is_heard) == (17, True) else KNOWN_AT + DAY)


def test_what_was_changed_after_the_draw_is_found() -> None:
    for number, member in enumerate(people(2), start=1):
        enter(member, number)
    draws.draw(HAMPER, SEED, by=BY, now=KNOWN_AT)
    slipped_in = store.PooledRow(f"pool#{HAMPER}#00", entry_id(9)).keep_from(ENDS_AT)

    rows.put(slipped_in)

    assert [one.split(" would be ")[0] for one in draws.verify(HAMPER, now=KNOWN_AT)] == [
        "The entries",
        "The digest",
        "The winners",
    ]


def test_no_draw_is_made_from_fewer_entries_than_were_counted() -> None:
    for number, member in enumerate(people(2), start=1):
        enter(member, number)
    of_one = zlib.crc32(entry_id(1).encode()) % store.SHARDS
    rows.delete(store.PooledRow(f"pool#{HAMPER}#{of_one:02}", entry_id(1)))

    with pytest.raises(TryAgain, match="of 2 entries 1 were found"):
        draws.draw(HAMPER, SEED, by=BY, now=KNOWN_AT)

    assert service.get_competition(HAMPER, now=KNOWN_AT).draw is None


def test_nothing_enters_a_pool_that_was_closed() -> None:
    ada, ben = people(2)
    enter(ada, 1)
    store.close_pool(competition())

    with pytest.raises(NotOpen):
        enter(ben, 2)

    assert (counted(), pool()) == (1, {entry_id(1)})
    assert store.list_entries(ben.member_id, now=LIVE_AT) == ()


def test_leaving_withdraws_what_was_not_drawn_and_again_changes_nothing() -> None:
    ada, ben = people(2)
    enter(ada, 1)
    enter(ben, 2)

    for _ in range(2):
        service.end_retention(ada.member_id, left_at=LIVE_AT, now=LIVE_AT)

    assert (counted(), pool()) == (1, {entry_id(2)})
    assert store.list_entries(ada.member_id, now=LIVE_AT) == ()
    retention.sweep(now=LIVE_AT + retention.GRACE + DAY)
    assert [row for row in stored_rows("wallets") if entry_id(1) in row] == []
    drawn = draws.draw(HAMPER, SEED, by=BY, now=KNOWN_AT).draw
    assert drawn is not None
    assert drawn.winners == (entry_id(2),)


def test_an_entry_that_two_withdraw_at_once_is_counted_off_once() -> None:
    """Both have read it before either wrote."""
    ada, ben = people(2)
    entry = enter(ada, 1)
    enter(ben, 2)

    done = [store.withdraw_entry(ada.member_id, entry, now=LIVE_AT) for _ in range(2)]

    assert (done, counted(), pool()) == ([True, False], 1, {entry_id(2)})


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_withdrawal_that_dies_at_its_write_is_counted_once(is_heard: bool) -> None:
    (ada,) = people(1)
    enter(ada, 1)

    with contextlib.suppress(Died), dying(1, is_heard=is_heard):
        service.end_retention(ada.member_id, left_at=LIVE_AT, now=LIVE_AT)
    service.end_retention(ada.member_id, left_at=LIVE_AT, now=LIVE_AT)

    assert (counted(), pool()) == (0, set())


def test_an_entry_that_was_drawn_from_is_the_members_for_thirty_days_and_nobodys_after() -> None:
    (ada,) = people(1)
    enter(ada, 1)
    draws.draw(HAMPER, SEED, by=BY, now=KNOWN_AT)
    left_at = KNOWN_AT + DAY
    gone_at = left_at + KEPT_AFTER_LEAVING

    for _ in range(2):
        service.end_retention(ada.member_id, left_at=left_at, now=left_at)

    before = store.list_entries(ada.member_id, now=gone_at - timedelta(seconds=1))
    assert [one.entry_id for one in before] == [entry_id(1)]
    assert store.list_entries(ada.member_id, now=gone_at) == ()
    assert draws.verify(HAMPER, now=gone_at) == ()


def test_thirteen_months_after_its_end_nothing_is_left_of_a_competition() -> None:
    (ada,) = people(1)
    enter(ada, 1)
    draws.draw(HAMPER, SEED, by=BY, now=KNOWN_AT)

    over = ENDS_AT + 400 * DAY

    assert store.find_competition(HAMPER, now=over) is None
    assert store.list_entries(ada.member_id, now=over) == ()
    assert (store.count_entries(HAMPER, now=over), [*store.list_pool(HAMPER, now=over)]) == (0, [])
    assert len(service.list_competitions(None, now=over - timedelta(seconds=1))) == 1
