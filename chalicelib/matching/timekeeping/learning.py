"""Learning where a store's clocks stand from payments that found nothing where they looked.

What is right about a till is learned match by match. A till that is hours off matches nothing, so
its receipts and payments are set against each other as far as wrong clocks reach: those that
belong together pile up at one difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from chalicelib.matching.clock_learning import FAR_SECONDS, first_votes
from chalicelib.matching.clocks import FEW_VOTES, TillKey
from chalicelib.matching.scene import charge_of, scene_of
from chalicelib.matching.standing import Lists, Pages
from chalicelib.matching.till_votes import Vote
from chalicelib.network.model import Store

DAYS = timedelta(days=2)  # Of payments; a clock that was right before that is another story.
FAR = timedelta(seconds=FAR_SECONDS)


@dataclass(frozen=True, slots=True)
class Learned:
    """Where tills stood at `at`, by payments that nobody has matched yet."""

    votes: Mapping[TillKey, Sequence[Vote]]
    at: datetime


def learn_clocks(
    place: Store, since: datetime, until: datetime, *, pages: Pages, lists: Lists, now: datetime
) -> Learned | None:
    """What the payments made in the last days of [since, until] that wait at `place` say of its
    clocks; None where they are too few.

    :raises TryAgain: a passing obstacle, or more stands there than is read at once.
    """
    since = max(since, until - DAYS)
    waiting = lists.list_waiting_between(place.store_id, since, until, now=now)
    if len(waiting) < FEW_VOTES:
        return None
    near = pages.receipts_near(
        place, since=since - FAR, until=until + FAR, now=now, consistent=False
    )
    charges = [charge_of(one.signals) for one in waiting]
    votes = first_votes(charges, scene_of(near.values()).shelf)
    times = [vote.at for given in votes.values() for vote in given]
    if not times:
        return None
    return Learned(votes, datetime.fromtimestamp(median(times), UTC))
