"""Competitions on the wire: as their retailers write them, and as banks show them."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.times import parse_instant, to_text
from chalicelib.loyalty.schemes.public_fields import Name, Sentence
from chalicelib.network import service as network
from chalicelib.offers.campaigns.public_shapes import Instant
from chalicelib.offers.competitions.model import (
    Competition,
    Draw,
    Entry,
    Stage,
    competition_id_of,
)
from chalicelib.offers.competitions.service import Seen

TermsVersion = Annotated[str, Meta(min_length=1, max_length=40, examples=["2026-12"])]


class CompetitionTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member agrees to by entering, and the retailer's name of this wording."""

    version: TermsVersion
    text: Annotated[str, Meta(min_length=1, max_length=5_000)]


class SeedShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which public fact decides the draw, said beforehand, and from when on it is known: not before
    the competition ends.
    """

    source: Sentence
    known_at: Instant


class CompetitionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prize that is drawn among the members who enter between two instants (RFC 3339).

    `winners` is how many entries win one each.
    """

    title: Name
    prize: Sentence
    terms: CompetitionTerms
    starts_at: Instant
    ends_at: Instant
    seed: SeedShape
    winners: Annotated[int, Meta(ge=1, le=100)] = 1


class DrawAnswer(msgspec.Struct, frozen=True):
    """A draw, and what it takes to draw again. `digest` is the SHA-256 of all numbers that took
    part, in order, one to a line; `winners` are numbers, the first drawn first.
    """

    seed: str
    entries: int
    digest: str
    winners: tuple[str, ...]
    drawn_at: str


class CompetitionAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A competition of the caller's, as it was written. `entries` is told of one, not in a list."""

    id: str
    reference: str
    stage: Stage
    version: int
    competition: CompetitionBody
    entries: int | None = None
    draw: DrawAnswer | None = None


class CompetitionsAnswer(msgspec.Struct, frozen=True):
    """All competitions of the caller's, in order of id."""

    competitions: tuple[CompetitionAnswer, ...]


class EntryBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which wording of the terms the member agreed to."""

    terms_version: TermsVersion


class EntryAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A member's entry: `entry` is its number in the draw. `won` is there once that was made."""

    competition: str
    entry: str
    terms_version: str
    entered_at: str
    won: bool | None = None


class CompetitionSeen(msgspec.Struct, frozen=True, omit_defaults=True):
    """A competition as a member sees it. `retailer` is the retailer's name."""

    id: str
    retailer: str
    stage: Stage
    competition: CompetitionBody
    entry: EntryAnswer | None = None
    draw: DrawAnswer | None = None


class CompetitionsSeen(msgspec.Struct, frozen=True):
    """What the member may enter or has entered, in order of id."""

    competitions: tuple[CompetitionSeen, ...]


def read_competition(
    body: CompetitionBody, *, retailer_id: RetailerId, reference: str
) -> Competition:
    """The draft that `body` describes. :raises Misshapen: an instant is none."""
    return Competition(
        competition_id=competition_id_of(retailer_id, reference),
        retailer_id=retailer_id,
        reference=reference,
        title=body.title,
        prize=body.prize,
        terms=body.terms.text,
        terms_version=body.terms.version,
        starts_at=parse_instant(body.starts_at, field="starts_at"),
        ends_at=parse_instant(body.ends_at, field="ends_at"),
        seed_source=body.seed.source,
        seed_known_at=parse_instant(body.seed.known_at, field="seed.known_at"),
        winners=body.winners,
    )


def to_competition(
    competition: Competition, *, entries: int | None = None, now: datetime
) -> CompetitionAnswer:
    """A competition for its retailer."""
    return CompetitionAnswer(
        id=competition.competition_id,
        reference=competition.reference,
        stage=competition.stage_at(now),
        version=competition.version,
        competition=_as_written(competition),
        entries=entries,
        draw=_to_draw(competition.draw),
    )


def to_seen(seen: Seen, *, now: datetime) -> CompetitionSeen:
    """A competition for a member."""
    competition, entry = seen.competition, seen.entry
    return CompetitionSeen(
        id=competition.competition_id,
        retailer=network.get_retailer(competition.retailer_id, now=now).name,
        stage=competition.stage_at(now),
        competition=_as_written(competition),
        entry=None if entry is None else to_entry(entry, competition.draw),
        draw=_to_draw(competition.draw),
    )


def to_entry(entry: Entry, draw: Draw | None = None) -> EntryAnswer:
    """An entry for its member, and whether it won."""
    return EntryAnswer(
        competition=entry.competition_id,
        entry=entry.entry_id,
        terms_version=entry.terms_version,
        entered_at=to_text(entry.entered_at),
        won=None if draw is None else entry.entry_id in draw.winners,
    )


def _as_written(competition: Competition) -> CompetitionBody:
    return CompetitionBody(
        title=competition.title,
        prize=competition.prize,
        terms=CompetitionTerms(competition.terms_version, competition.terms),
        starts_at=to_text(competition.starts_at),
        ends_at=to_text(competition.ends_at),
        seed=SeedShape(competition.seed_source, to_text(competition.seed_known_at)),
        winners=competition.winners,
    )


def _to_draw(draw: Draw | None) -> DrawAnswer | None:
    if draw is None:
        return None
    return DrawAnswer(draw.seed, draw.entries, draw.digest, draw.winners, to_text(draw.drawn_at))
