"""Competitions through their life: written before they begin, and entered while they run.

Who may enter has switched offers on and agreed to the terms as they stand. Who leaves the programme
takes their entries along, unless they were drawn from.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.kernel.refusals import (
    Conflicting,
    Misshapen,
    NotAgreed,
    NotAllowed,
    NotAsItStands,
    NotFound,
    TryAgain,
)
from chalicelib.members.model import Member, MemberStatus
from chalicelib.network import service as network
from chalicelib.network.caching import Remembered
from chalicelib.network.programmes import Service
from chalicelib.offers.competitions import checking, store
from chalicelib.offers.competitions.model import (
    Competition,
    Entry,
    Stage,
    as_offered,
    competition_id_of,
    is_reference,
)
from chalicelib.runtime import observability

ATTEMPTS_MAX = 5  # Each is lost only to somebody who wrote meanwhile.

_everybodys: Remembered[str, tuple[Competition, ...]] = Remembered(entries_max=1)


class NotADraft(Conflicting):
    """What a competition offers can change only until it begins."""

    code = "not_a_draft"


class TooManyCompetitions(NotAllowed):
    """There are as many competitions as can be listed at once."""

    code = "too_many_competitions"


class OffersSwitchedOff(NotAgreed):
    """The member has not switched offers on."""

    code = "offers_switched_off"


class UnknownTerms(NotAllowed):
    """The terms that the member agreed to are not those of the competition."""

    code = "unknown_terms_version"


class NotOpen(NotAsItStands):
    """The competition is over."""

    code = "competition_over"


class AlreadyEntered(NotAsItStands):
    """The member has entered the competition before."""

    code = "already_entered"


@dataclass(frozen=True, slots=True)
class Drafted:
    """A competition as it stands now. `is_new`: there was none of its name before."""

    competition: Competition
    is_new: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A competition as a member sees it, with their entry where they have one."""

    competition: Competition
    entry: Entry | None


def forget() -> None:
    """Drop what this process remembers. For tests and local stacks."""
    _everybodys.forget()


def get_competition(competition_id: str, *, now: datetime) -> Competition:
    """The competition of this id. :raises NotFound: there is none."""
    competition = store.find_competition(competition_id, now=now)
    if competition is None:
        raise NotFound("there is no such competition")
    return competition


def list_competitions(retailer_id: RetailerId | None, *, now: datetime) -> tuple[Competition, ...]:
    """The competitions of the retailer, or with None of all, in order of id."""
    return store.list_competitions(retailer_id, now=now)


def count_entries(competition: Competition, *, now: datetime) -> int:
    """How many entries the competition has."""
    return store.count_entries(competition.competition_id, now=now)


def write_draft(competition: Competition, *, now: datetime) -> Drafted:
    """Write `competition` over the draft of its name; the same again changes nothing.

    :raises checking.NotACompetition: it could never run. :raises NotADraft: it has begun.
    :raises TooManyCompetitions: no more can be listed. :raises TryAgain: others kept changing it.
    """
    network.get_retailer(competition.retailer_id, now=now)
    if not is_reference(competition.reference):
        raise Misshapen(
            "a reference has 1 to 40 lower-case letters, digits and dashes", field="reference"
        )
    for _ in range(ATTEMPTS_MAX):
        before = store.find_competition(competition.competition_id, now=now)
        if before is not None and as_offered(before) == as_offered(competition):
            return Drafted(before, is_new=False)
        if before is not None and before.stage_at(now) is not Stage.DRAFT:
            raise NotADraft("what a competition offers changes only until it begins")
        checking.check(competition, now=now)
        if before is None and len(store.list_competitions(None, now=now)) >= store.KEPT_MAX:
            raise TooManyCompetitions("there are as many competitions as can be listed")
        version = 0 if before is None else before.version
        draft = replace(competition, version=version + 1)
        if store.record_competition(draft, after_version=version):
            return Drafted(draft, is_new=before is None)
    raise TryAgain("others kept changing the competition")


def remove_draft(retailer_id: RetailerId, reference: str, *, now: datetime) -> None:
    """Remove a competition that has not begun.

    :raises NotFound: there is none. :raises NotADraft: it has begun.
    :raises TryAgain: it changed meanwhile.
    """
    before = get_competition(competition_id_of(retailer_id, reference), now=now)
    if before.stage_at(now) is not Stage.DRAFT:
        raise NotADraft("a competition that has begun takes its course")
    if not store.remove_competition(before):
        raise TryAgain("the competition changed meanwhile")


def list_seen(member: Member, *, now: datetime) -> tuple[Seen, ...]:
    """The competitions that the member may enter, or has entered, in order of id.

    Of those that they may enter, none while they have offers switched off.
    """
    entries = {one.competition_id: one for one in store.list_entries(member.member_id, now=now)}
    known = _everybodys.recall("", lambda: store.list_competitions(None, now=now), now=now)
    may_enter = _wants_offers(member)
    return tuple(
        Seen(one, entries.get(one.competition_id))
        for one in known
        if one.competition_id in entries or (may_enter and one.stage_at(now) is Stage.LIVE)
    )


def enter(
    member: Member, competition_id: str, terms_version: str, *, entry_id: str, now: datetime
) -> Entry:
    """Enter `member` once, under the random number `entry_id`.

    :raises OffersSwitchedOff: they have not switched offers on. :raises UnknownTerms: they agreed
        to other terms. :raises NotFound: no such competition has begun. :raises NotOpen: it is
        over. :raises AlreadyEntered: they have entered. :raises TryAgain: too many do at once.
    """
    if not _wants_offers(member):
        raise OffersSwitchedOff("offers have to be switched on first")
    competition = get_competition(competition_id, now=now)
    stage = competition.stage_at(now)
    if stage is Stage.DRAFT:
        raise NotFound("there is no such competition")
    if terms_version != competition.terms_version:
        raise UnknownTerms(
            f"the terms of the competition are {competition.terms_version}", field="terms_version"
        )
    if stage is not Stage.LIVE:
        _refuse_late(member.member_id, competition_id, now=now)
    entry = Entry(competition_id, entry_id, terms_version, now)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            is_written = store.record_entry(member.member_id, entry, competition)
        except TryAgain:
            if attempt == ATTEMPTS_MAX:
                raise
            continue
        if is_written:
            observability.count("competition_entries", retailer=competition.retailer_id)
            return entry
        # A write whose answer was lost is repeated below us, and then finds itself.
        found = store.find_entry(member.member_id, competition_id, now=now)
        if found == entry:
            return entry
        _refuse_late(member.member_id, competition_id, now=now)
    raise TryAgain("too many entered at once")


def _refuse_late(member_id: MemberId, competition_id: str, *, now: datetime) -> NoReturn:
    """Say why no entry is written: the member has one, or the competition is over."""
    if store.find_entry(member_id, competition_id, now=now) is not None:
        raise AlreadyEntered("the member has entered the competition")
    raise NotOpen("the competition is over")


def end_retention(member_id: MemberId, *, left_at: datetime, now: datetime) -> None:
    """Withdraw the entries of a member who left; those drawn from are put on their last clock."""
    for entry in store.list_entries(member_id, now=now):
        if not store.withdraw_entry(member_id, entry, now=now):
            store.end_entry(member_id, entry, left_at=left_at, now=now)


def _wants_offers(member: Member) -> bool:
    return member.status is MemberStatus.ACTIVE and Service.OFFERS in member.services
