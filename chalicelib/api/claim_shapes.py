""" "My stamp is missing", as JSON."""

import msgspec

from chalicelib.kernel.times import to_text
from chalicelib.rewards.inquiries.model import Inquiry


class ClaimAnswer(msgspec.Struct, omit_defaults=True):
    """What a member said is missing, and how it stands.

    `state` is `new`, `checking` or `resolved`. While it is checked, `waits_for` is `receipt` (the
    till's may come late), `paper` (name the receipt by its number:
    `POST …/match/this-is-mine`), `hold` or `person`. Resolved, `outcome` is `granted` or `refused`,
    and `reason` says why. `due_at` is when a person will have looked.
    """

    transaction: str
    state: str
    opened_at: str
    due_at: str
    waits_for: str | None = None
    outcome: str | None = None
    reason: str | None = None
    resolved_at: str | None = None


class ClaimsAnswer(msgspec.Struct):
    """A member's claims, newest first."""

    claims: tuple[ClaimAnswer, ...]


def to_answer(inquiry: Inquiry, transaction: str) -> ClaimAnswer:
    """`inquiry` about the bank's `transaction`."""
    return ClaimAnswer(
        transaction=transaction,
        state=inquiry.state.value,
        opened_at=to_text(inquiry.opened_at),
        due_at=to_text(inquiry.due_at),
        waits_for=inquiry.step.value if inquiry.step else None,
        outcome=inquiry.outcome.value if inquiry.outcome else None,
        reason=inquiry.why.value if inquiry.why else None,
        resolved_at=to_text(inquiry.resolved_at) if inquiry.resolved_at else None,
    )
