"""What the newest version of a purchase is worth on a member's card. Pure.

A purchase is decided once, under the version of the scheme that its sale falls in. Later versions
of the same sale only say what came back of it. Only where what was bought turns out to be something
else (a corrected receipt or amount, another receipt) is it decided anew: under the same version, by
how the member stands without it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.loyalty.cards import deadlines
from chalicelib.loyalty.cards.applying import Worth, as_worth
from chalicelib.loyalty.cards.filling import Filling
from chalicelib.loyalty.cards.model import Basis, Card, Entry, Given, Membership
from chalicelib.loyalty.cards.past import Past
from chalicelib.loyalty.cards.standing import standing_for
from chalicelib.loyalty.conditions import counted
from chalicelib.loyalty.earning import NO_ROW, WHOLE_SALE, Award, Share, decide_award
from chalicelib.loyalty.keeping import ALL_KEPT, NOTHING_KEPT, spent_of_kept
from chalicelib.loyalty.rewarding import worth_minor
from chalicelib.loyalty.rules import ExtraUnits, ItemPrice, PercentCashback, Scheme
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.standing import past_of
from chalicelib.loyalty.taking_back import kept_minor, kept_of, taken_back
from chalicelib.loyalty.terms import Membership as Joining
from chalicelib.loyalty.terms import RuleKind
from chalicelib.loyalty.watching import Earned

_VISIT = Share("", WHOLE_SALE, 1, RuleKind.VISIT)


def award_for(card: Card, scheme: Scheme, sale: Sale, past: Sequence[Past] = ()) -> Award:
    """What the sale earns under `scheme` for the holder of `card`, as if it were not on it.

    `past` is the card's history, which has to be there where the sale is not newer than that.
    """
    standing = standing_for(card, scheme, sale.purchase_id, sold_at=sale.sold_at, past=past)
    return decide_award(sale, scheme, standing)


def new_worth(
    card: Card, scheme: Scheme, sale: Sale, *, return_days: int, past: Sequence[Past] = ()
) -> Worth:
    """What a purchase is worth that is not on the card."""
    pending = scheme.pending_days if scheme.pending_days is not None else return_days
    draft = Worth(
        payment_id=sale.purchase_id,
        sold_at=sale.sold_at,
        version=sale.version,
        scheme=scheme.version,
        sale_print=print_of(sale),
        given=(),
        active_at=deadlines.active_at(sale.sold_at, pending_days=pending, zone=scheme.zone),
        expires_at=deadlines.expires_at(sale.sold_at, expiry=scheme.expiry, zone=scheme.zone),
    )
    return _decided(draft, card, scheme, sale, past)


def later_worth(
    card: Card, entry: Entry, scheme: Scheme, sale: Sale, *, past: Sequence[Past] = ()
) -> Worth:
    """What a purchase is worth that is on the card, by `scheme`, the version it was decided by."""
    draft = replace(as_worth(entry), version=sale.version, spend_minor=0, is_visit=True)
    if sale.is_withdrawn:
        given = tuple(replace(one, back=one.units) for one in entry.given)
        return replace(draft, given=given, is_visit=False, is_withdrawn=True)
    if print_of(sale) != entry.sale_print:
        return _decided(replace(draft, sale_print=print_of(sale)), card, scheme, sale, past)
    given = _given(tuple(one.share for one in entry.given), sale)
    is_visit = not taken_back((_VISIT,), sale)
    return replace(draft, given=given, spend_minor=kept_minor(sale, scheme), is_visit=is_visit)


def streak_given(
    card: Card, scheme: Scheme, sale: Sale, past: Sequence[Past], rule_id: str
) -> tuple[Given, ...]:
    """What a visit earns by a streak, by how its member stands now; nothing where caps forbid."""
    shares = award_for(card, scheme, sale, past).shares
    return _given(tuple(one for one in shares if one.rule_id == rule_id), sale)


def excluded(worth: Worth) -> Worth:
    """`worth` of a purchase that earns nothing, because an offer says so: all of it is back."""
    given = tuple(replace(one, back=one.units) for one in worth.given)
    return replace(worth, given=given, is_visit=False, is_excluded=True)


def filling_of(scheme: Scheme, sale: Sale, *, is_excluded: bool = False) -> Filling | None:
    """What a card is worth that `sale` fills, as it is now; None for points. A share of the sale,
    or the price of an item, is given for each, but never more for all than was paid for what is
    left, and nothing where an offer says that the sale earns nothing (`is_excluded`).
    """
    if scheme.card is None:
        return None
    reward = scheme.card.reward
    of = counted(sale, scheme.exclusions)
    is_of_sale = isinstance(reward, PercentCashback | ItemPrice)
    kept = NOTHING_KEPT if is_excluded else kept_of(sale) if is_of_sale else ALL_KEPT
    minor = worth_minor(reward, of, kept)
    gives = reward if isinstance(reward, ExtraUnits) else None
    return Filling(
        places=scheme.card.places,
        minor=minor or 0,
        most_minor=spent_of_kept(of, kept) if is_of_sale else None,
        whole_minor=0 if kept.is_all else worth_minor(reward, of) or 0,
        claims=minor is None and gives is None,
        forfeits_rest=scheme.card.forfeits_rest,
        gives=gives,
    )


def membership_by(scheme: Scheme, *, activated_at: datetime) -> Membership | None:
    """How somebody without a card takes part: by having switched stamps on, or not yet."""
    if scheme.membership is Joining.ACTIVATION:
        return Membership(Basis.ACTIVATION, activated_at)
    return None


def to_earned(entry: Entry | Worth) -> Earned:
    """What those who watch for abuse are shown of it."""
    return Earned(
        purchase_id=entry.payment_id,  # type: ignore[arg-type]
        sold_at=entry.sold_at,
        units=sum(one.units for one in entry.given),
        back=sum(one.back for one in entry.given),
        place=entry.place,
        is_released=entry.is_released,
    )


def print_of(sale: Sale) -> int:
    """48 bits of what was bought and paid; not of what came back of it."""
    said: list[object] = [
        sale.store_id,
        sale.currency,
        sale.sold_at.timestamp(),
        sale.is_told_twice,
    ]
    said += [sale.due_minor, sale.paid_minor, sale.own_tender_minor, sale.is_largest_part]
    for line in sale.lines:
        said += [line.line_id, line.quantity.normalize(), line.gross_minor, line.net_minor]
        said += [line.gtin, line.sku, line.category, line.is_return]
    for charge in sale.charges:
        said += [charge.kind.value, charge.gross_minor, charge.net_minor]
    return int.from_bytes(hashlib.sha256(repr(said).encode()).digest()[:6])


def _decided(draft: Worth, card: Card, scheme: Scheme, sale: Sale, past: Sequence[Past]) -> Worth:
    award = award_for(card, scheme, sale, past)
    given = _given(award.shares, sale)
    back = taken_back(award.shares, sale)
    left = past_of(award, sale.sold_at, back)
    is_visit = left.is_visit and not taken_back((_VISIT,), sale)
    return replace(
        draft,
        given=given,
        tier_id=award.tier_id,
        visits=award.streak_visits,
        completed=_completed_for_nothing(award),
        spend_minor=kept_minor(sale, scheme),
        is_visit=is_visit,
    )


def _completed_for_nothing(award: Award) -> tuple[str, ...]:
    """The streaks of which it completed a row, though a cap left nothing of the bonus."""
    others = {one.rule_id for one in award.lost if one.why in NO_ROW}.union(award.rule_ids)
    return tuple(name for name in award.streak_visits if name not in others)


def _given(shares: tuple[Share, ...], sale: Sale) -> tuple[Given, ...]:
    back = {(one.rule_id, one.line_id): one.units for one in taken_back(shares, sale)}
    return tuple(
        Given(
            one.rule_id,
            one.line_id,
            one.units,
            back.get((one.rule_id, one.line_id), 0),
            one.kind,
            one.needs_minor,
        )
        for one in shares
    )
