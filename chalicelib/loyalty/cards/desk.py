"""Reading a card, changing it and writing it, so that whoever does it at once does it in turn.

A change is decided from the card as it stands and written on condition that it still stands so;
where it does not, it is read and decided anew. Before the card, and repeated safely, are written
what moves to the history and the day on which somebody has to look at the card.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.kernel.refusals import TryAgain
from chalicelib.loyalty.cards import archiving, store
from chalicelib.loyalty.cards.deadlines import last_day
from chalicelib.loyalty.cards.model import Card, Membership
from chalicelib.loyalty.cards.past import Past, in_chain
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.cards.upcoming import EXPIRY_TOLD_BEFORE
from chalicelib.loyalty.rules import Scheme

ATTEMPTS_MAX = 12  # Sixteen at once on one card; whoever loses so often comes again later.
LOOKED_AFTER = timedelta(days=1)  # Until somebody looks whether a budget was raised.
WAITED_FOR = timedelta(days=365)  # Then only what else changes the card looks.


class HistoryNeeded(Exception):
    """A change cannot be decided without the card's history, which was not read."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A card as it stands, None for none; `past` is its history, where that had to be read, and
    what moved there just now.
    """

    card: Card | None
    past: tuple[Past, ...] = ()


@dataclass(frozen=True, slots=True)
class Purchased:
    """Which purchase a change is about, so that it is found even if it is in the history.

    `earliest_at` is never later than the time by which it was entered.
    """

    payment_id: str
    earliest_at: datetime


Change = Callable[[Opened], Card | None]


def change_card(
    holder: Holder, scheme: Scheme, change: Change, *, of: Purchased | None = None, now: datetime
) -> tuple[Opened, Opened]:
    """Write what `change` makes of the card; returns it before and after.

    `change` is pure and may be asked several times. It gives back the card that it got (or None)
    where nothing is to change, and then nothing is written. Where it needs the history, that is
    read, and it is asked once more.

    :raises TryAgain: others kept changing the card.
    """
    for _ in range(ATTEMPTS_MAX):
        opened = open_card(holder, scheme, of=of, now=now)
        try:
            changed = change(opened)
        except HistoryNeeded:
            opened = with_past(opened, holder, now=now)
            changed = change(opened)
        if changed is None or changed is opened.card:
            return opened, opened
        written = _write(changed, holder, scheme, now=now)
        if written is not None:
            return opened, replace(written, past=(*opened.past, *written.past))
    raise TryAgain("the card was changed by others meanwhile")


def open_card(
    holder: Holder, scheme: Scheme, *, of: Purchased | None = None, now: datetime
) -> Opened:
    """The card as it stands, with the purchase `of` out of the history if it had moved there.

    One that is not newer than the history may be decided by it, even if it is at hand.
    """
    card = store.find_card(holder, now=now)
    if card is None or of is None:
        return Opened(card)
    if card.watermark is None or of.earliest_at > card.watermark:
        return Opened(card)
    past = read_past(card, holder, now=now)
    return Opened(archiving.bring_back(card, past, of.payment_id, scheme, at=now), past)


def with_past(opened: Opened, holder: Holder, *, now: datetime) -> Opened:
    """`opened` with all of its history."""
    past = read_past(opened.card, holder, now=now) if opened.card else ()
    return replace(opened, past=past)


def read_past(card: Card, holder: Holder, *, now: datetime) -> tuple[Past, ...]:
    """The history of the card, oldest first."""
    if not card.last_past:
        return ()
    return in_chain(store.list_past(holder, now=now), card.last_past)


def new_card(membership: Membership) -> Card:
    """An empty card, not written yet."""
    return Card(membership)


def _write(changed: Card, holder: Holder, scheme: Scheme, *, now: datetime) -> Opened | None:
    """What was written, with what moved to the history; None where somebody else was faster."""
    card, past = archiving.move_old(changed, scheme, at=now)
    due_at = _due(card, scheme, now)
    if due_at is not None and _is_sooner(due_at, card.due_at, now=now):
        store.record_due(holder, max(due_at, now).date(), asked=card.version + 1)
        card = replace(card, due_at=due_at)
    if past is not None:
        store.record_past(past, holder)
    if not store.record_card(card, holder):
        return None
    return Opened(replace(card, version=card.version + 1), (past,) if past is not None else ())


def _due(card: Card, scheme: Scheme, now: datetime) -> datetime | None:
    """When to tell of what expires next and was not told of, or to look again after a reward that
    waits; None where there is neither.
    """
    told = card.told_until
    ends = [
        lot.expires_at - EXPIRY_TOLD_BEFORE
        for lot in card.lots
        if lot.expires_at is not None
        and lot.free > 0
        and not lot.is_expired(now)
        and (told is None or lot.expires_at > told)
        and last_day(lot.expires_at, zone=scheme.zone).toordinal() not in card.told_days
    ]
    waits = any(fill.waits and now < fill.at + WAITED_FOR for fill in card.fills)
    return min((*ends, now + LOOKED_AFTER) if waits else ends, default=None)


def _is_sooner(due_at: datetime, asked: datetime | None, *, now: datetime) -> bool:
    """Whether nobody was asked to look by `due_at`; who was asked long ago will not look now."""
    return asked is None or due_at < asked or asked < now - store.LOOKED_BACK
