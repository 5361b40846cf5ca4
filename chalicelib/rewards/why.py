"""Why a purchase earned what it did in each scheme, or nothing.

What earned is told by the card's entry: its shares, under the version of the scheme that it was
decided by. Why something gave nothing is decided anew, and never stored.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.loyalty import service as loyalty
from chalicelib.loyalty.cards import desk
from chalicelib.loyalty.cards.changes import OFFER_INSTEAD
from chalicelib.loyalty.cards.desk import Purchased
from chalicelib.loyalty.cards.eligibility import Barred, find_bar
from chalicelib.loyalty.cards.extra import is_withheld
from chalicelib.loyalty.cards.model import Card, Entry
from chalicelib.loyalty.cards.naming import giver_of, is_extra, payment_of
from chalicelib.loyalty.cards.past import Past
from chalicelib.loyalty.cards.valuing import award_for
from chalicelib.loyalty.earning import Award
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.sale import Sale, sale_of
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.wording import in_words, units_in_words
from chalicelib.network import service as network
from chalicelib.purchases import store
from chalicelib.purchases.access import Own

NOT_ENTERED = "not_entered"
_OF_BAR = {
    Barred.STAMPS_OFF: "Nothing was earned: stamps are switched off.",
    Barred.STAMPS_WERE_OFF: "Nothing was earned: stamps were switched off when it was bought.",
    Barred.NOT_JOINED: "Nothing was earned: the scheme was not joined.",
    Barred.BEFORE_JOINING: "Nothing was earned: it was bought before the scheme was joined.",
    Barred.LEFT_SCHEME: "Nothing was earned: the scheme was left.",
    Barred.IN_THE_FUTURE: "Nothing was earned: the bank says that it was not bought yet.",
}


@dataclass(frozen=True, slots=True)
class SchemeStory:
    """What a purchase earned in a scheme: `units` that count, `taken_back` of what was given.

    `why` is a code of `EarnWhy` or `Barred`, `held`, or `not_entered`: deciding it now gives
    something that the card does not have, as when a return has made room since. `words` say it in
    sentences. `lost` are the rules that gave nothing, each with its code.
    """

    scheme_id: str
    version: int
    units: int
    why: str
    words: tuple[str, ...]
    taken_back: int = 0
    rule_ids: tuple[str, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()


def tell(own: Own, *, now: datetime) -> tuple[SchemeStory, ...]:
    """What the payment earned in each scheme of its shop; nothing without a receipt."""
    purchase = store.find_purchase(own.where, key=own.key, now=now)
    if purchase is None or purchase.receipt is None:
        return ()
    sale = sale_of(purchase, network.get_store(purchase.receipt.store_id, now=now))
    valid = schemes.list_valid(sale.retailer_id, at=sale.sold_at, now=now)
    return tuple(_story(scheme, sale, own, now=now) for scheme in valid)


def _story(scheme: Scheme, sale: Sale, own: Own, *, now: datetime) -> SchemeStory:
    holder = loyalty.holder_of(own.member, scheme.scheme_id, own.key)
    of = Purchased(sale.purchase_id, sale.earliest_at)
    opened = desk.open_card(holder, scheme, of=of, now=now)
    card = opened.card
    taker = loyalty.taker_of(own.member, scheme, now=now)
    if card is None and taker.joined is not None:
        card = desk.new_card(taker.joined)
    entry = card.find_entry(sale.purchase_id) if card else None
    bar = find_bar(card.membership if card else None, taker, sold_at=sale.sold_at, now=now)
    if card is None or (entry is None and bar is not None):
        why = bar or Barred.NOT_JOINED
        story = SchemeStory(scheme.scheme_id, scheme.version, 0, why.value, (_OF_BAR[why],))
    else:
        story = _decided(scheme, sale, card, opened.past, now=now)
    return replace(story, words=(*story.words, *_of_others(card, scheme, sale, now=now)))


def _of_others(card: Card | None, scheme: Scheme, sale: Sale, *, now: datetime) -> Iterator[str]:
    """What full cards of other schemes, which the purchase filled, gave of this one."""
    for entry in card.entries if card else ():
        if not is_extra(entry.payment_id) or payment_of(entry.payment_id) != sale.purchase_id:
            continue
        reference, _ = giver_of(entry.payment_id)
        giver = schemes.get_valid(f"{scheme.retailer_id}.{reference}", at=now, now=now).name
        if is_withheld(entry):
            yield f"Nothing by a full card of “{giver}”: the scheme was left."
        elif entry.lot.units:
            yield f"{units_in_words(entry.lot.units, scheme)} more by a full card of “{giver}”."


def _decided(
    scheme: Scheme, sale: Sale, card: Card, past: Sequence[Past], *, now: datetime
) -> SchemeStory:
    entry = card.find_entry(sale.purchase_id)
    if entry is not None:
        scheme = schemes.get_version(scheme.scheme_id, entry.scheme, now=now)
    award = award_for(card, scheme, sale, past)
    if entry is not None:
        award = _as_it_was(award, entry)
    elif award.units > 0:
        said = ("Nothing of it is on the card.",)
        return SchemeStory(scheme.scheme_id, scheme.version, 0, NOT_ENTERED, said)
    is_held = entry is not None and bool(entry.held)
    words = in_words(award, scheme)
    if entry is not None and entry.reason == OFFER_INSTEAD:
        words = ("It is back: an offer that the purchase got takes its place.", *words)
    return SchemeStory(
        scheme_id=scheme.scheme_id,
        version=scheme.version,
        units=entry.lot.units if entry else 0,
        taken_back=sum(one.back for one in entry.given) if entry else 0,
        why="held" if is_held else award.why.value,
        words=("It is held until somebody has looked at it.", *words) if is_held else words,
        rule_ids=award.rule_ids,
        lost=tuple((one.rule_id, one.why.value) for one in award.lost),
    )


def _as_it_was(award: Award, entry: Entry) -> Award:
    """What was decided, by the entry. The reasons of rules that gave nothing are kept nowhere, so
    they are told only where deciding anew comes to the same.
    """
    shares = tuple(one.share for one in entry.given)
    if award.shares == shares:
        return award
    units = sum(share.units for share in shares)
    why = EarnWhy.EARNED if units else EarnWhy.NO_RULE
    return Award(units, shares, why=why, version=entry.scheme)
