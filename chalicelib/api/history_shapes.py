"""The history of a card on the wire."""

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from chalicelib.kernel.refusals import Misshapen
from chalicelib.kernel.times import to_text
from chalicelib.loyalty.cards.history import Expired, Line, Mark, closed_as
from chalicelib.loyalty.cards.model import Claim, Entry, Fill
from chalicelib.loyalty.cards.naming import giver_of, is_extra, payment_of
from chalicelib.loyalty.rules import ExtraUnits
from chalicelib.rewards.tracing import Traced

_CURSOR = re.compile(r"(\d{1,18})\.([0-4])\.([A-Za-z0-9_~-]{1,120})", re.ASCII)
_UNKNOWN = Traced(None)


class RuleGave(msgspec.Struct, omit_defaults=True):
    """What a rule gave for a line of the receipt, and how much of that is demanded back."""

    rule: str
    units: int
    taken_back: int = 0
    line: str = ""


class EarnedLine(msgspec.Struct, tag="earned", tag_field="kind", omit_defaults=True):
    """What a purchase earned under a version of the scheme, as it stands now.

    `counts` = `units` - `taken_back` + `kept` - `forfeited`; nothing while it is `held`, a code.
    `taken_back` is what came back demands, of which the scheme's policy let the member have `kept`;
    `reason` says why: `returned`, `withdrawn`. It may be spent from `active_at` on.
    """

    at: str
    purchase: str
    version: int
    units: int
    counts: int
    active_at: str
    transaction: str | None = None
    taken_back: int = 0
    kept: int = 0
    forfeited: int = 0
    reason: str = ""
    held: str = ""
    tier: str | None = None
    expires_at: str | None = None
    rules: tuple[RuleGave, ...] = ()


class GivenUnits(msgspec.Struct, frozen=True):
    """What is given on another card of the member: `units` of `scheme`."""

    scheme: str
    units: int


class GivenLine(msgspec.Struct, tag="given", tag_field="kind", omit_defaults=True):
    """Units that a full card (`f3` is its third) or a claim of another `scheme` gave, as they stand
    now: `counts` = `units` - `taken_back` + `kept` - `forfeited`, nothing where they are `held`
    (`left_scheme`: the member had left). `purchase` filled that card.
    """

    at: str
    scheme: str
    by: str
    units: int
    counts: int
    active_at: str
    purchase: str | None = None
    transaction: str | None = None
    taken_back: int = 0
    kept: int = 0
    forfeited: int = 0
    held: str = ""
    expires_at: str | None = None


class FilledLine(msgspec.Struct, tag="filled", tag_field="kind", omit_defaults=True):
    """A full card: its number, the purchase that filled it, and what it gave.

    `undone_by` is the purchase whose return emptied it again.
    """

    at: str
    number: int
    purchase: str
    version: int
    due_at: str
    transaction: str | None = None
    reward_minor: int = 0
    claim: str | None = None
    undone_by: str | None = None
    gives: GivenUnits | None = None


class ClaimedLine(msgspec.Struct, tag="claimed", tag_field="kind", omit_defaults=True):
    """A reward that was claimed: `units` were spent on it, and are back where it is cancelled.

    A claim of a full card's reward has no units: the full card has them.
    """

    at: str
    claim: str
    version: int
    state: str
    units: int
    reward: str | None = None
    until: str | None = None
    closed_at: str | None = None
    gives: GivenUnits | None = None


class ExpiredLine(msgspec.Struct, tag="expired", tag_field="kind", omit_defaults=True):
    """Units that expired unused, of one purchase or of several long ago."""

    at: str
    units: int
    purchase: str | None = None
    transaction: str | None = None


HistoryLine = EarnedLine | GivenLine | FilledLine | ClaimedLine | ExpiredLine


class HistoryAnswer(msgspec.Struct, omit_defaults=True):
    """A page of a card's history, newest first. Without `cursor` it was the last.

    `expired` counts all units that ever expired: of those long ago there is no line.
    """

    scheme: str
    unit: str
    expired: int
    lines: tuple[HistoryLine, ...]
    cursor: str | None = None


def to_line(line: Line, traced: Mapping[str, Traced], *, now: datetime) -> HistoryLine:
    """One line, with what the bank calls its purchase."""
    at = line.what.sold_at if isinstance(line.what, Entry) else line.what.at
    match line.what:
        case Entry(payment_id=name) as entry if is_extra(name):
            return _given(entry, traced.get(payment_of(name), _UNKNOWN))
        case Entry() as entry:
            return _earned(entry, traced.get(entry.payment_id, _UNKNOWN))
        case Fill() as fill:
            return FilledLine(
                at=to_text(at),
                number=fill.number,
                purchase=payment_of(fill.cause),
                version=fill.scheme,
                due_at=to_text(fill.due_at),
                transaction=traced.get(payment_of(fill.cause), _UNKNOWN).transaction,
                reward_minor=fill.worth_minor,
                claim=fill.claim_id or None,
                undone_by=payment_of(fill.undone_by) or None,
                gives=_units(fill.gives),
            )
        case Claim() as claim:
            state, closed_at = closed_as(claim, now=now)
            return ClaimedLine(
                at=to_text(at),
                claim=claim.claim_id,
                version=claim.scheme,
                state=state.value,
                units=claim.units,
                reward=claim.reward_id or None,
                until=to_text(claim.until) if claim.until else None,
                closed_at=to_text(closed_at) if closed_at else None,
                gives=_units(claim.gives),
            )
        case Expired() as expired:
            payment_id = payment_of(expired.payment_id)
            transaction = traced.get(payment_id, _UNKNOWN).transaction
            return ExpiredLine(to_text(at), expired.units, payment_id or None, transaction)


def purchases_of(line: Line) -> str | None:
    """The purchase that a line is about."""
    match line.what:
        case Entry(payment_id=payment_id) | Expired(payment_id=payment_id):
            return payment_of(payment_id) or None
        case Fill(cause=cause):
            return payment_of(cause) or None
        case Claim():
            return None


def to_cursor(mark: Mark | None) -> str | None:
    """A place in the history as it is given out."""
    return None if mark is None else f"{mark.micros}.{mark.rank}.{mark.name}"


def read_cursor(text: str | None) -> Mark | None:
    """The place that `text` says. :raises Misshapen: it is none that was given out."""
    if text is None:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise Misshapen("the cursor is none that was given out", field="cursor")
    return Mark(int(found[1]), int(found[2]), found[3])


def _units(gives: ExtraUnits | None) -> GivenUnits | None:
    return GivenUnits(gives.scheme_id, gives.units) if gives is not None else None


def _given(entry: Entry, traced: Traced) -> GivenLine:
    reference, by = giver_of(entry.payment_id)
    return GivenLine(
        at=to_text(entry.sold_at),
        scheme=reference,
        by=by,
        units=sum(one.units for one in entry.given),
        counts=entry.lot.units,
        active_at=to_text(entry.lot.active_at),
        purchase=payment_of(entry.payment_id) or None,
        transaction=traced.transaction,
        taken_back=sum(one.back for one in entry.given),
        kept=entry.kept,
        forfeited=entry.forfeited,
        held=entry.held,
        expires_at=to_text(entry.lot.expires_at) if entry.lot.expires_at else None,
    )


def _earned(entry: Entry, traced: Traced) -> EarnedLine:
    return EarnedLine(
        at=to_text(entry.sold_at),
        purchase=entry.payment_id,
        version=entry.scheme,
        units=sum(one.units for one in entry.given),
        counts=entry.lot.units,
        active_at=to_text(entry.lot.active_at),
        transaction=traced.transaction,
        taken_back=sum(one.back for one in entry.given),
        kept=entry.kept,
        forfeited=entry.forfeited,
        reason=traced.reason,
        held=entry.held,
        tier=entry.tier_id or None,
        expires_at=to_text(entry.lot.expires_at) if entry.lot.expires_at else None,
        rules=tuple(RuleGave(one.rule_id, one.units, one.back, one.line_id) for one in entry.given),
    )
