"""Adjustments: a member's money corrected by hand, by two people."""

from enum import Enum
from typing import Annotated

import typer

from chalicelib.kernel.ids import MemberId
from chalicelib.runtime import clock
from infra.cli.terminal import Reason, say, show, subject

app = subject()

Reference = Annotated[str, typer.Option(help="The case's own name; it counts once for ever.")]


class Told(str, Enum):  # noqa: UP042 - Typer reads the options of an enum of strings
    """What the member is told of why."""

    CORRECTED = "corrected"
    GIVEN_TWICE = "given_twice"
    GOODWILL = "goodwill"


@app.command()
def propose_adjustment(
    *,
    member: Annotated[str, typer.Option(help="The member's id.")],
    amount: Annotated[str, typer.Option(help="In major units: 5.00; -5.00 takes away.")],
    currency: Annotated[str, typer.Option(help="GBP, EUR and so on.")],
    reference: Reference,
    told: Annotated[Told, typer.Option(help="What the member is told of why.")],
    reason: Reason = None,
) -> None:
    """Propose to give a member money, or take it away.

    Nothing is moved before another person approves. Who proposed it and why is written down.
    """
    from chalicelib.kernel.money import parse_decimal  # Stores need a stage; the help does not.
    from chalicelib.ledger.adjusting import service
    from chalicelib.ledger.adjusting.model import AdjustmentReason
    from infra.operating import staff

    now = clock.now()
    access = staff.note_access("propose-adjustment", reference, reason=reason, now=now)
    service.propose(
        MemberId(member),
        parse_decimal(amount, currency),
        reference=reference,
        reason=AdjustmentReason(told.value),
        by=access.reader,
        now=now,
    )
    say("Proposed. Another person has to approve it within two weeks.")


@app.command()
def list_adjustments() -> None:
    """List adjustments that wait for another person.

    And those that were approved but not entered: approve them again.
    """
    from chalicelib.ledger.adjusting import service  # As above.

    found = service.list_open(now=clock.now())
    show(
        ("reference", "proposed, UTC", "member", "currency", "amount", "told", "state", "by"),
        [
            (
                one.reference,
                f"{one.proposed_at:%Y-%m-%d %H:%M}",
                one.member_id,
                one.amount.currency,
                one.amount.to_text(),
                one.reason.value,
                one.state.value,
                one.proposed_by,
            )
            for one in found
        ],
    )
    say(f"{len(found)} adjustments wait.")


@app.command()
def approve_adjustment(*, reference: Reference, reason: Reason = None) -> None:
    """Approve what another person proposed.

    It is entered in the journal and the member is told, each once. Again it finishes what was not.
    """
    from chalicelib.ledger.adjusting import service  # As above.
    from infra.operating import staff

    now = clock.now()
    access = staff.note_access("approve-adjustment", reference, reason=reason, now=now)
    approved = service.approve(reference, by=access.reader, now=now)
    say(f"{approved.amount.to_text()} {approved.amount.currency} entered; the member is told.")


@app.command()
def refuse_adjustment(*, reference: Reference, reason: Reason = None) -> None:
    """Refuse what was proposed; nothing is moved.

    Who decided and why is written down first.
    """
    from chalicelib.ledger.adjusting import service  # As above.
    from infra.operating import staff

    now = clock.now()
    access = staff.note_access("refuse-adjustment", reference, reason=reason, now=now)
    service.refuse(reference, by=access.reader, now=now)
    say("Refused.")
