"""A draw: made once, stored with all that it takes to make it again, and made again to check it.

A run that dies after it closed the pool leaves nothing but a closed pool: the next one closes it
once more and draws from the same entries.
"""

from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.refusals import Misshapen, NotAsItStands, TryAgain
from chalicelib.offers.competitions import drawing, store
from chalicelib.offers.competitions.model import Competition, Draw, Stage
from chalicelib.offers.competitions.service import get_competition
from chalicelib.runtime import observability

SEED_LENGTH_MAX = 200


class NotToBeDrawn(NotAsItStands):
    """The competition cannot be drawn as it stands; `code` says why."""

    code = "not_to_be_drawn"


def draw(competition_id: str, seed: str, *, by: str, now: datetime) -> Competition:
    """Draw the winners with `seed`, once for ever; with the same seed again it is the same draw.

    :raises NotFound: there is no such competition. :raises NotToBeDrawn: it runs, its seed cannot
        be known yet, or it was drawn with another. :raises Misshapen: the seed is empty or long.
    :raises TryAgain: the entries are not all to be read yet, or others drew at this moment.
    """
    said = _checked(seed)
    competition = get_competition(competition_id, now=now)
    if competition.draw is not None:
        if competition.draw.seed != said:
            raise NotToBeDrawn("it was drawn with another seed", code="already_drawn")
        return competition
    if competition.stage_at(now) is not Stage.ENDED:
        raise NotToBeDrawn("the competition is not over", code="competition_not_over")
    if now < competition.seed_known_at:
        raise NotToBeDrawn("its seed cannot be known yet", code="seed_not_known")
    counted = store.close_pool(competition)
    pool = tuple(store.list_pool(competition_id, now=now))
    if len(pool) != counted:
        raise TryAgain(f"of {counted} entries {len(pool)} were found")
    made = _drawn(competition, pool, said, by=by, at=now)
    drawn = replace(competition, draw=made, version=competition.version + 1)
    if not store.record_competition(drawn, after_version=competition.version):
        raise TryAgain("others drew at this moment")
    observability.log("a competition was drawn", id=competition_id, retailer=drawn.retailer_id)
    observability.count("competitions_drawn", retailer=drawn.retailer_id)
    return drawn


def verify(competition_id: str, *, now: datetime) -> tuple[str, ...]:
    """Draw again from the entries that are stored; returns what differs, each in a sentence.

    :raises NotFound: there is no such competition. :raises NotToBeDrawn: it was not drawn.
    """
    competition = get_competition(competition_id, now=now)
    recorded = competition.draw
    if recorded is None:
        raise NotToBeDrawn("the competition was not drawn", code="not_drawn")
    pool = tuple(store.list_pool(competition_id, now=now))
    again = _drawn(competition, pool, recorded.seed, by=recorded.drawn_by, at=recorded.drawn_at)
    compared = (
        ("entries", again.entries, recorded.entries),
        ("digest", again.digest, recorded.digest),
        ("winners", " ".join(again.winners), " ".join(recorded.winners)),
    )
    return tuple(
        f"The {what} would be {found}; recorded is {kept}."
        for what, found, kept in compared
        if found != kept
    )


def _drawn(
    competition: Competition, pool: tuple[str, ...], seed: str, *, by: str, at: datetime
) -> Draw:
    return Draw(
        seed=seed,
        entries=len(pool),
        digest=drawing.digest_of(pool),
        winners=drawing.draw_winners(seed, pool, competition.winners),
        drawn_at=at,
        drawn_by=by,
    )


def _checked(seed: str) -> str:
    """The seed with one space between its words. :raises Misshapen: it is none."""
    said = " ".join(seed.split())
    if not 0 < len(said) <= SEED_LENGTH_MAX or not said.isprintable():
        raise Misshapen("a seed has 1 to 200 printable characters", field="seed")
    return said
