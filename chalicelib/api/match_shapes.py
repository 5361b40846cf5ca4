"""What the API says of a match: how a payment stands, why, and what would decide it."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from chalicelib.kernel.times import to_text
from chalicelib.purchases.correcting.paper import NUMBER_CHARACTERS_MAX
from chalicelib.purchases.explaining import MatchStory, Said, Turn

Number = Annotated[str, msgspec.Meta(min_length=1, max_length=NUMBER_CHARACTERS_MAX)]


class NotMineBody(msgspec.Struct):
    """`version` of the receipt that was shown (as `receipt` and `match` tell it)."""

    version: Annotated[int, msgspec.Meta(ge=1)]


class ThisIsMineBody(msgspec.Struct):
    """One of both, as on the paper: `reference` in print, or the `barcode` as scanned."""

    reference: Number | None = None
    barcode: Number | None = None


class ClueAnswer(msgspec.Struct, omit_defaults=True):
    """One fact of both sides, as it stands now. `stand` is `agrees`, `differs` or `unknown`.

    `relation`, of amounts that are not the same: `bank_higher` (as with a tip), `bank_lower` (as
    with a shared bill) or `other_currency`.
    """

    what: str
    stand: str
    words: str
    relation: str | None = None


class HintAnswer(msgspec.Struct):
    """Something that would decide it: a stable code, and what it is in words."""

    code: str
    words: str


class TurnAnswer(msgspec.Struct, omit_defaults=True):
    """Something that became of the payment. `why` is a code, where there is one."""

    at: str
    what: str
    words: str
    why: str | None = None


class MatchAnswer(msgspec.Struct, omit_defaults=True):
    """How a transaction stands: `matched`, `waiting` or `ended`; `reason` is a stable code.

    - `version` is the receipt's newest one, 0 while there never was any.
    - `probability` of the match, of its `runner_up`, and the `threshold` it had to reach, where a
      scored matcher decided. `model` names it.
    - `rivals` counts other receipts or payments that fit as well, and says nothing more of them.
    - `receipts_expected_by`: by then the shop has sent all it sold.
    - `would_decide`: what would, in order of what helps most.
    """

    transaction: str
    state: str
    reason: str
    words: str
    version: int
    model: str | None = None
    probability: float | None = None
    runner_up: float | None = None
    threshold: float | None = None
    rivals: int | None = None
    evidence: list[ClueAnswer] = []
    would_decide: list[HintAnswer] = []
    matched_at: str | None = None
    waits_since: str | None = None
    waits_until: str | None = None
    receipts_expected_by: str | None = None
    history: list[TurnAnswer] = []


def to_answer(told: MatchStory) -> MatchAnswer:
    """`told` as the API says it."""
    return MatchAnswer(
        transaction=told.transaction_id,
        state=told.state.value,
        reason=told.reason,
        words=told.words,
        version=told.version,
        model=told.model,
        rivals=told.rivals,
        evidence=[ClueAnswer(c.code, c.stand, c.words, c.relation) for c in told.evidence],
        would_decide=[_to_hint(hint) for hint in told.would_decide],
        history=[_to_turn(turn) for turn in told.history],
        probability=_to_number(told.probability),
        runner_up=_to_number(told.runner_up),
        threshold=_to_number(told.threshold),
        matched_at=_to_text(told.matched_at),
        waits_since=_to_text(told.waits_since),
        waits_until=_to_text(told.waits_until),
        receipts_expected_by=_to_text(told.complete_at),
    )


def _to_hint(hint: Said) -> HintAnswer:
    return HintAnswer(hint.code, hint.words)


def _to_turn(turn: Turn) -> TurnAnswer:
    return TurnAnswer(to_text(turn.at), turn.what, turn.words, turn.why or None)


def _to_text(instant: datetime | None) -> str | None:
    return to_text(instant) if instant else None


def _to_number(share: Decimal | None) -> float | None:
    return float(share) if share is not None else None
