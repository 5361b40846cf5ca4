"""Which part of which receipt belongs to a payment, while more may still come.

One pure function that abstains when it is not sure: a wrong match shows one person's shopping to
another, a late one costs minutes. A payment is weighed against every part near it, beside the other
payments that wait there, against "its receipt never comes" and "it is still to come"; what is
accepted is at least as probable as the programme asks.
"""

from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.matching.amounts import Relation
from chalicelib.matching.clocks import Clocks
from chalicelib.matching.outcome import (
    Agreement,
    Ambiguous,
    Evidence,
    Hold,
    MatchDecision,
    Matched,
    NothingNear,
    NotYet,
)
from chalicelib.matching.posterior import Weights, explain_one
from chalicelib.matching.rates import Rates
from chalicelib.matching.reasons import best_of, why_accepted, why_not
from chalicelib.matching.scatter import Reading, TailCounts
from chalicelib.matching.scene import PartKey, Scene, charge_of
from chalicelib.matching.sides import Charge, Slip
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.weighing import Pair, Scales
from chalicelib.matching.why import Why

THRESHOLD = 0.999  # Of a programme that does not say how sure it wants to be.
COMES_AT_ONCE = 0.05  # Of receipts, at the moment of the sale; the rest in the time a store takes.
STILL_TO_COME = 0.95  # Of receipts, have come when a store's time is nearly over.
SAME_MOMENT = timedelta(seconds=30)  # Between two sources' times of one purchase.


_AGREEMENT_OF = {
    "digits_same_kind": Agreement.LAST_FOUR,
    "digits_unsaid": Agreement.LAST_FOUR,
    "digits_registered": Agreement.REGISTERED_CARD,
}


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What is known before looking: clocks, rates, and how sure the programme wants to be."""

    clocks: Clocks
    rates: Rates
    threshold: float = THRESHOLD


def decide_match(
    payment: PaymentSignals,
    scene: Scene,
    *,
    held: Mapping[PartKey, Hold],
    rivals: Sequence[PaymentSignals],
    beliefs: Beliefs,
    receipts_complete_after: timedelta,
    now: datetime,
) -> MatchDecision:
    """Decide what `payment` paid for.

    `scene` has every receipt of its stores that tills may have issued about then, `held` says who
    holds the parts that may fit, `rivals` are the payments that wait there about then too, and
    `receipts_complete_after` is how long after a sale its store has sent everything.
    """
    complete_at = payment.made_at + receipts_complete_after
    scales, charge = _scales(scene, beliefs, now - receipts_complete_after), charge_of(payment)
    pairs = scales.weigh(charge)
    free = _free(pairs, scene, held)
    told = _told_elsewhere(payment, pairs, scene, held)
    known = _held_by_payment(payment, pairs, scene, held)
    if known or (known := _same_purchase(told, free, payment, scene)):
        return known
    if not free:
        return NothingNear(_why_none_free(pairs, scene, held))
    others = [rival for rival in rivals if _contends(payment, rival)]
    shares_of = _shares_beside(others, payment, scales, scene, held)
    possible = [*free, told.pair] if told else free
    missing = beliefs.rates.missing_for(charge.stores[0])
    come = _come(payment.made_at, complete_at, now=now)
    shares = shares_of(_arriving(possible, missing, come))
    best, share, runner_up = best_of(free, shares, scene.shelf.slips)
    if share >= beliefs.threshold:
        part, evidence = scene.part_at(best.place), evidence_of(best)
        return Matched(part, evidence, why_accepted(best), None, share, runner_up)
    final = shares_of(_weights(possible))
    if now < complete_at and best_of(free, final, scene.shelf.slips).share >= beliefs.threshold:
        return NotYet(Why.RECEIPTS_STILL_COMING, complete_at, share, runner_up)
    return _unsure(charge, free, final, scene, beliefs, contenders=len(others))


def _scales(scene: Scene, beliefs: Beliefs, come_until: datetime) -> Scales:
    known = (scene.shelf, scene.said, beliefs.clocks, beliefs.rates)
    return Scales(*known, come_until=come_until.timestamp())


def _held_by_payment(
    payment: PaymentSignals, pairs: list[Pair], scene: Scene, held: Mapping[PartKey, Hold]
) -> Matched | None:
    """The part that this payment holds already."""
    for pair in pairs:
        hold = held.get(_key(scene, pair))
        if hold is not None and hold.payment_id == payment.payment_id:
            return Matched(scene.part_at(pair.place), evidence_of(pair), Why.HELD_ALREADY)
    return None


@dataclass(frozen=True, slots=True)
class _Told:
    """A part that the same member holds by what another source told."""

    pair: Pair
    hold: Hold


def _told_elsewhere(
    payment: PaymentSignals, pairs: list[Pair], scene: Scene, held: Mapping[PartKey, Hold]
) -> _Told | None:
    """The likeliest part that another source's word of this purchase may hold."""
    told: list[_Told] = []
    for pair in pairs:
        hold = held.get(_key(scene, pair))
        if (
            hold is not None
            and hold.member_id == payment.member_id
            and hold.connection_id != payment.connection_id
            and pair.weight >= 1
        ):
            told.append(_Told(pair, hold))
    return max(told, key=lambda one: one.pair.weight, default=None)


def _same_purchase(
    told: _Told | None, free: Sequence[Pair], payment: PaymentSignals, scene: Scene
) -> Matched | None:
    """The part by which both sources tell of one purchase: at the same moment, or where no other
    receipt fits better. A member may buy the same twice, with two cards that two sources tell of.
    """
    if told is None:
        return None
    pair, made_at = told.pair, told.hold.made_at
    is_at_once = made_at is not None and abs(payment.made_at - made_at) <= SAME_MOMENT
    if not is_at_once and pair.weight < max((one.weight for one in free), default=0.0):
        return None
    share = pair.weight / (1 + pair.weight)
    part, evidence = scene.part_at(pair.place), evidence_of(pair)
    return Matched(part, evidence, Why.SAME_PURCHASE, told.hold.payment_id, share)


def evidence_of(pair: Pair) -> Evidence:
    """What agrees and what does not, in the words that purchases keep."""
    agreements = {Agreement.AMOUNT} if pair.relation is Relation.EQUAL else set()
    contradictions: set[Agreement] = set()
    for fact in pair.facts:
        what = _AGREEMENT_OF.get(fact.what) or Agreement(fact.what)
        (agreements if fact.agrees else contradictions).add(what)
    if pair.is_on_clock:
        agreements.add(Agreement.TIME)
    return Evidence(
        frozenset(agreements),
        frozenset(contradictions),
        round(pair.apart),
        round(pair.off_clock),
        pair.relation,
    )


def _unsure(
    charge: Charge,
    pairs: list[Pair],
    shares: Weights,
    scene: Scene,
    beliefs: Beliefs,
    *,
    contenders: int,
) -> MatchDecision:
    slips = scene.shelf.slips
    best, share, runner_up = best_of(pairs, shares, slips)
    slip = slips[best.place]
    clock = _clock_at(beliefs.clocks, slip, charge)
    why = why_not(
        pairs,
        shares,
        slips,
        alone=best_of(pairs, explain_one([_weights(pairs)], 0), slips).share,
        spread=clock.spread,
        threshold=beliefs.threshold,
    )
    if why in (Why.NO_RECEIPT_YET, Why.CARD_FACTS_DIFFER):
        return NothingNear(why)
    rivals = contenders if why is Why.RIVAL_PAYMENT else len(pairs)
    return Ambiguous(
        why, rivals, share, runner_up, _scattered(charge, pairs, shares, scene, beliefs)
    )


def _scattered(
    charge: Charge, pairs: Sequence[Pair], shares: Weights, scene: Scene, beliefs: Beliefs
) -> TailCounts:
    """How far off the clocks of their tills `pairs` are, each as probably as it is the one."""
    counts = TailCounts()
    for pair in pairs:
        clock = _clock_at(beliefs.clocks, scene.shelf.slips[pair.place], charge)
        away = pair.apart - clock.offset
        far = beliefs.clocks.shape.of_tail(away, clock.spread)
        counts = counts.plus(shares.get(pair.place, 0.0), far, away)
    return counts


def _clock_at(clocks: Clocks, slip: Slip, charge: Charge) -> Reading:
    """Where the clock of the till of `slip` most probably stands."""
    return max(clocks.readings((slip.store, slip.till), charge.at), key=lambda r: r.weight)


def _contends(payment: PaymentSignals, rival: PaymentSignals) -> bool:
    """Whether `rival` is another purchase: not this payment, nor the same one by another source."""
    return rival.payment_id != payment.payment_id and (
        rival.member_id != payment.member_id or rival.connection_id == payment.connection_id
    )


def _come(made_at: datetime, complete_at: datetime, *, now: datetime) -> float:
    """The share of receipts that have come by `now`, of those that come at all."""
    if now >= complete_at:
        return 1.0
    waited = max((now - made_at) / (complete_at - made_at), 0.0)
    return COMES_AT_ONCE + (STILL_TO_COME - COMES_AT_ONCE) * waited


def _arriving(pairs: Sequence[Pair], missing: float, come: float) -> Weights:
    """The weights where a part of what will come has not come yet, and counts as none of these."""
    here = come * (1 - missing)
    less = (here / (1 - here)) / ((1 - missing) / missing)
    return {pair.place: pair.weight * less for pair in pairs}


def _free(pairs: Sequence[Pair], scene: Scene, held: Mapping[PartKey, Hold]) -> list[Pair]:
    """Those that nobody holds, under whatever name a till sent them."""
    unheld = [pair for pair in pairs if _key(scene, pair) not in held]
    taken = [pair.place for pair in pairs if _key(scene, pair) in held]
    return [
        pair
        for pair in unheld
        if not any(scene.is_sent_twice(pair.place, place) for place in taken)
    ]


def _why_none_free(pairs: Sequence[Pair], scene: Scene, held: Mapping[PartKey, Hold]) -> Why:
    if not pairs:
        return Why.NO_RECEIPT_YET
    are_held = all(_key(scene, pair) in held for pair in pairs)
    return Why.RECEIPT_TAKEN if are_held else Why.SAME_SALE_TWICE


def _weights(pairs: Sequence[Pair]) -> Weights:
    return {pair.place: pair.weight for pair in pairs}


def _shares_beside(
    rivals: Sequence[PaymentSignals],
    payment: PaymentSignals,
    scales: Scales,
    scene: Scene,
    held: Mapping[PartKey, Hold],
) -> Callable[[Weights], Weights]:
    """How probable each pair of `payment` is, by what these weigh, while `rivals` want theirs."""
    in_order = sorted(rivals, key=_moment)
    wanted = [_weights(_free(scales.weigh(charge_of(rival)), scene, held)) for rival in in_order]
    place = bisect(in_order, _moment(payment), key=_moment)
    return lambda own: explain_one([*wanted[:place], own, *wanted[place:]], place)


def _moment(payment: PaymentSignals) -> tuple[datetime, str]:
    return (payment.made_at, payment.payment_id)


def _key(scene: Scene, pair: Pair) -> PartKey:
    part = scene.part_at(pair.place)
    return (part.receipt_id, part.index)
