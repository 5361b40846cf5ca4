"""Planted bugs in cards, claims and cases, and in what is kept of whoever left."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from chalicelib.loyalty.cards.model import Card, ClaimState, Entry, Lot
from chalicelib.loyalty.cards.naming import is_extra
from chalicelib.loyalty.cards.store import CardRow
from chalicelib.matching.payment import Payment
from chalicelib.purchases.model import Purchase
from infra.simulation.items import Request
from infra.simulation.planted_contents import Resealing, Written
from infra.simulation.planting import Bug, Rewriting, Suspect
from infra.simulation.town import ADA
from infra.simulation.world import World

_CARD: Written = (CardRow, Card, Suspect("PutItem", "wallets", "card#"))

_YEARS = 10 * 365 * 24 * 3600


def bugs_in_cards(world: World) -> Iterator[Bug]:
    """Each of them, made for `world`."""
    yield from _careless_cards(world)
    yield from _left_out()
    yield Resealing(
        world,
        "part_forgotten",
        "of what came back in parts only the first is kept",
        "loaf_returned",
        _first_part,
    )


def _careless_cards(world: World) -> Iterator[Bug]:
    """Bugs in what is written on cards."""
    bugs: tuple[tuple[str, str, str, Callable[[Card], Card]], ...] = (
        ("expires_by_utc", "a day ends when it does in UTC", "clocks_forward", _by_utc),
        ("redeemed_forgotten", "that a claim was redeemed is not kept", "confirmed_twice", _open),
        ("claim_draws_nothing", "a claim takes nothing of the card", "ran_out", _undrawn),
        ("card_says_more", "a full card says more than was given for it", "card_filled", _dearer),
        ("version_ahead", "a card says that it knows a later version", "card_emptied", _ahead),
        ("extra_is_more", "more stands on a card than another gave", "card_gives", _more_extra),
        (
            "extra_stays",
            "what another card gave stays when that is emptied",
            "card_gave",
            _kept_extra,
        ),
    )
    for name, what, shows_in, change in bugs:
        yield Resealing(world, name, what, shows_in, change, written=(_CARD,))


def _left_out() -> Iterator[Bug]:
    """Writes that are not sent."""
    never: tuple[tuple[str, str, str, Suspect], ...] = (
        (
            "case_never_closed",
            "a case that ended is looked at for ever",
            "stamp_found",
            Suspect("DeleteItem", "cases", ""),
        ),
        (
            "expiry_not_noted",
            "nobody is asked to look when something expires",
            "month_of_29",
            Suspect("PutItem", "wallets", ADA.member_id),
        ),
        (
            "destination_not_kept",
            "another account that a member names is not kept",
            "named_anew",
            Suspect("PutItem", "people", "destination"),
        ),
    )
    for name, what, shows_in, suspect in never:
        yield Rewriting(name, what, shows_in, (), suspect=suspect, change=_never)
    yield Rewriting(
        "kept_after_leaving",
        "the offers of whoever left are kept for years",
        "left_with_money",
        (),
        suspect=Suspect("UpdateItem", "wallets", "offer#"),
        change=_years_later,
    )


def _never(_operation: str, _request: Request) -> None:
    return None


def _years_later(_operation: str, request: Request) -> Request:
    values = request["ExpressionAttributeValues"]
    later = {name: {"N": str(int(one["N"]) + _YEARS)} for name, one in values.items() if "N" in one}
    return {**request, "ExpressionAttributeValues": {**values, **later}}


def _with_entries(card: Card, change: Callable[[Entry], Entry]) -> Card:
    return replace(card, entries=tuple(map(change, card.entries)))


def _by_utc(card: Card) -> Card:
    def later(entry: Entry) -> Entry:
        ends_at = entry.lot.expires_at
        if ends_at is None or ends_at.time() == time():
            return entry
        midnight = datetime.combine(ends_at.date() + timedelta(days=1), time(), UTC)
        return replace(entry, lot=replace(entry.lot, expires_at=midnight))

    return _with_entries(card, later)


def _open(card: Card) -> Card:
    reserved = ClaimState.RESERVED
    return replace(card, claims=tuple(replace(one, state=reserved) for one in card.claims))


def _undrawn(card: Card) -> Card:
    return _with_entries(card, lambda one: replace(one, lot=replace(one.lot, draws=())))


def _dearer(card: Card) -> Card:
    return replace(card, fills=tuple(replace(one, minor=one.minor + 1) for one in card.fills))


def _ahead(card: Card) -> Card:
    return _with_entries(card, lambda one: replace(one, version=one.version + 1))


def _first_part(written: Payment | Purchase) -> Payment | Purchase:
    if isinstance(written, Payment):
        return written
    return replace(written, returns=written.returns[:1])


def _more_extra(card: Card) -> Card:
    return _with_extra(card, lambda entry: replace(entry.lot, units=entry.lot.units + 1))


def _kept_extra(card: Card) -> Card:
    return _with_extra(card, lambda entry: replace(entry.lot, units=entry.given[0].units))


def _with_extra(card: Card, lot_of: Callable[[Entry], Lot]) -> Card:
    def changed(entry: Entry) -> Entry:
        return replace(entry, lot=lot_of(entry)) if is_extra(entry.payment_id) else entry

    return replace(card, entries=tuple(map(changed, card.entries)))
