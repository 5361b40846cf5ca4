"""Bringing one card up to the newest version of a purchase, and writing it.

What the decision (`decide`) needs from outside is brought along in a `Case`. Where it
looks like abuse, it stops before anything is written and asks for what a person has said.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.cards import desk
from chalicelib.loyalty.cards.applying import Worth, bring_up, is_known
from chalicelib.loyalty.cards.changes import CORRECTED, OFFER_INSTEAD, RETURNED, WITHDRAWN
from chalicelib.loyalty.cards.completing import Around, Plan, follow_plan, plan_rows
from chalicelib.loyalty.cards.desk import Opened, Purchased
from chalicelib.loyalty.cards.eligibility import Taker, find_bar
from chalicelib.loyalty.cards.filling import LeaseFor, with_leases
from chalicelib.loyalty.cards.model import Card, Entry, Fill
from chalicelib.loyalty.cards.naming import is_extra
from chalicelib.loyalty.cards.past import (
    Past,
    find_entry,
    find_fills,
    newest_entries,
)
from chalicelib.loyalty.cards.reviving import with_fills_of
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.cards.valuing import (
    excluded,
    filling_of,
    later_worth,
    new_worth,
    streak_given,
    to_earned,
)
from chalicelib.loyalty.holding import service as holding
from chalicelib.loyalty.holding.model import REFUSED, Held, HoldDecision, HoldOutcome
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.watching import PASS, Hold, HoldReason, Verdict, judge


@dataclass(frozen=True, slots=True)
class Asked:
    """That a person's decision was asked for; None: there is none yet."""

    decision: HoldDecision | None


@dataclass(frozen=True, slots=True)
class Case:
    """A purchase and a scheme, with all that decides what the one earns in the other.

    - `scheme` is the version that the sale falls in, None where there is none; `version` gives any
      other. With `is_excluded` the sale earns nothing, because an offer that it got says so.
    - `return_days` is the retailer's return period; `place` the till.
    - `lease_for` finds the part of the scheme's budget that pays a reward; it may read and write.
    - `judge_new_card` judges somebody who has no card yet, or one with nothing but what other cards
      gave; it may read.
    """

    holder: Holder
    newest: Scheme
    scheme: Scheme | None
    version: Callable[[int], Scheme]
    sale: Sale
    taker: Taker
    return_days: int
    anchored_at: datetime
    lease_for: LeaseFor
    place: str = ""
    is_excluded: bool = False
    judge_new_card: Callable[[], Verdict] = lambda: PASS


@dataclass(frozen=True, slots=True)
class Settled:
    """A card after a purchase: what the purchase earned, None for nothing, and the full cards that
    it filled or emptied. `before` is the card as it was found; `reason` says why something was
    changed that had been given before. `withheld` are the numbers of full cards whose units the
    other card did not take.
    """

    before: Card | None
    card: Card | None
    entry: Entry | None = None
    fills: tuple[Fill, ...] = ()
    reason: str = RETURNED
    withheld: frozenset[int] = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether the card was up to it before."""
        return self.before is self.card


class _Doubtful(Exception):
    """It looks like abuse, and nobody was asked yet."""

    def __init__(self, reason: HoldReason, units: int) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.units = units


def settle(case: Case, *, now: datetime) -> Settled:
    """Bring the card up to the sale of `case`; how it stands after that.

    :raises TryAgain: a passing obstacle; whatever was written is found again.
    """
    try:
        return _settled(case, None, now=now)
    except _Doubtful as doubt:
        asked = Asked(holding.hold(_held(case, doubt, now=now), now=now))
    return _settled(case, asked, now=now)


def _settled(case: Case, asked: Asked | None, *, now: datetime) -> Settled:
    payment_id = case.sale.purchase_id
    before, after = desk.change_card(
        case.holder,
        case.newest,
        lambda opened: decide(opened, case, asked, now=now),
        of=Purchased(payment_id, case.sale.earliest_at),
        now=now,
    )
    if after.card is None:
        return Settled(before.card, None)
    entry = find_entry(after.card, after.past, payment_id)
    return Settled(
        before=before.card,
        card=after.card,
        entry=entry,
        reason=_reason(before.card, entry, case),
        fills=find_fills(after.card, after.past, payment_id),
    )


def decide(opened: Opened, case: Case, asked: Asked | None, *, now: datetime) -> Card | None:
    """The card after the sale; the one that was opened where nothing changes."""
    card = opened.card
    if card is None and case.taker.joined is not None:
        card = desk.new_card(case.taker.joined)
    entry = card.find_entry(case.sale.purchase_id) if card else None
    if card is None:
        return None
    if entry is not None:
        scheme = case.version(entry.scheme)
        worth = later_worth(card, entry, scheme, case.sale, past=opened.past)
        if case.is_excluded:
            worth = excluded(worth)
    elif case.scheme is not None and not case.is_excluded and not case.sale.is_withdrawn:
        bar = find_bar(card.membership, case.taker, sold_at=case.sale.sold_at, now=now)
        if bar is not None:
            return opened.card
        scheme = case.scheme
        worth = new_worth(card, scheme, case.sale, return_days=case.return_days, past=opened.past)
        worth = replace(worth, place=case.place)
    else:
        return opened.card
    judged = _judged(worth, entry, opened, case, asked)
    after = _brought_up(card, opened.past, judged, scheme, case, now=now)
    if after is card:
        return opened.card
    return with_leases(after, case.lease_for, cause=judged.payment_id)


def _brought_up(
    card: Card, past: tuple[Past, ...], judged: Worth, scheme: Scheme, case: Case, *, now: datetime
) -> Card:
    """The card with the purchase as it was `judged`, and with what follows for other purchases.

    :raises HistoryNeeded: that cannot be told without the history.
    """
    entry = card.find_entry(judged.payment_id)
    filling = filling_of(scheme, case.sale, is_excluded=case.is_excluded)
    plan = Plan(judged)
    if entry is not None and not is_known(entry, judged):
        given_by = partial(streak_given, card, scheme, case.sale, past)
        plan = plan_rows(card, past, scheme, entry, judged, given_by)
        if filling is not None and filling.most_minor is not None:
            card = with_fills_of(card, past, judged.payment_id)
    around = Around(case.newest, past, lambda n: case.version(n).refund_policy, now)
    return bring_up(
        card,
        plan.worth,
        filling=filling,
        policy=scheme.refund_policy,
        at=now,
        follow=lambda card: follow_plan(card, plan, entry, around) if entry else card,
    )


def _reason(before: Card | None, entry: Entry | None, case: Case) -> str:
    if case.sale.is_withdrawn:
        return WITHDRAWN
    if case.is_excluded:
        return OFFER_INSTEAD
    known = before.find_entry(case.sale.purchase_id) if before else None
    if known is not None and entry is not None and known.sale_print != entry.sale_print:
        return CORRECTED
    return RETURNED


def _judged(
    worth: Worth, entry: Entry | None, opened: Opened, case: Case, asked: Asked | None
) -> Worth:
    """`worth`, held where it looks like abuse and nobody has released it."""
    reason = _doubt(worth, entry, opened, case)
    if reason is None:
        return worth
    if asked is None:
        raise _Doubtful(reason, sum(one.units for one in worth.given))
    if asked.decision is None:
        return replace(worth, held=reason.value)
    if asked.decision.outcome is HoldOutcome.RELEASED:
        return replace(worth, held="", is_released=True)
    return replace(worth, held=REFUSED)


def _doubt(worth: Worth, entry: Entry | None, opened: Opened, case: Case) -> HoldReason | None:
    """Why a person should look: asked of what is new, and of what is held already."""
    if entry is not None:
        waits = entry.held and entry.held != REFUSED
        return HoldReason(entry.held) if waits else None
    if worth.units <= 0:
        return None
    entries = newest_entries(opened.card, opened.past) if opened.card else ()
    others = [to_earned(one) for one in entries if not is_extra(one.payment_id)]
    verdict = judge(others, to_earned(worth))
    has_bought_nothing = opened.card is None or (bool(entries) and not others)
    if verdict is PASS and has_bought_nothing:
        verdict = case.judge_new_card()
    return verdict.reason if isinstance(verdict, Hold) else None


def _held(case: Case, doubt: _Doubtful, *, now: datetime) -> Held:
    return Held(
        subject=case.newest.scheme_id,
        purchase_id=PaymentId(case.sale.purchase_id),
        member_id=case.holder.member_id,
        reason=doubt.reason,
        units=doubt.units,
        since=case.sale.sold_at,
        anchored_at=case.anchored_at,
        version=case.sale.version,
        held_at=now,
    )
