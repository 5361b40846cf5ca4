"""What members say is missing: listed, shown, settled anew, refused."""

from enum import Enum
from typing import Annotated

import typer

from chalicelib.kernel.ids import PaymentId
from chalicelib.runtime import clock
from infra.cli.terminal import Reason, say, show, subject

app = subject()

Payment = Annotated[str, typer.Option(help="The payment's id, as it is listed.")]


class Refusal(str, Enum):  # noqa: UP042 - Typer reads the options of an enum of strings
    """Why nothing is missing."""

    NO_RECEIPT = "no_receipt"
    NOT_ELIGIBLE = "not_eligible"


@app.command()
def list_claims() -> None:
    """List what members say is missing and is not decided.

    With what each waits for, and until when somebody should have looked.
    """
    from infra.operating import claiming  # Stores need a stage; the help does not.

    now = clock.now()
    found = claiming.list_open(now=now)
    show(
        ("due, UTC", "payment", "waits for", "overdue"),
        [
            (
                f"{one.due_at:%Y-%m-%d %H:%M}",
                one.payment_id,
                one.step.value if one.step else one.state.value,
                "overdue" if one.is_overdue(now) else "-",
            )
            for one in found
        ],
    )
    say(f"{len(found)} claims are open.")


@app.command()
def show_claim(*, payment: Payment, reason: Reason = None) -> None:
    """Show what a member says is missing, and the purchase.

    Amount, shop and time. Who looked and why is written down first.
    """
    from infra.operating import claiming, staff  # As above.

    now = clock.now()
    inquiry = claiming.get_open(PaymentId(payment), now=now)
    staff.note_access("show-claim", payment, reason=reason, now=now)
    for line in claiming.lines_of(inquiry, now=now):
        typer.echo(line)


@app.command()
def settle_claim(*, payment: Payment) -> None:
    """Settle anew the purchase of a claim, once mended.

    If it earns now, the claim is granted by the next look, within the hour.
    """
    from infra.operating import claiming  # As above.

    claiming.settle(PaymentId(payment), now=clock.now())
    say("The purchase is settled anew.")


@app.command()
def refuse_claim(
    *,
    payment: Payment,
    why: Annotated[Refusal, typer.Option(help="What the member is told.")],
    reason: Reason = None,
) -> None:
    """End a claim because nothing is missing.

    Who decided and why is written down first. The member is told.
    """
    from chalicelib.rewards.inquiries import service  # As above.
    from chalicelib.rewards.inquiries.model import Why
    from infra.operating import staff

    now = clock.now()
    service.get_open(PaymentId(payment), now=now)
    staff.note_access("refuse-claim", payment, reason=reason, now=now)
    service.refuse(PaymentId(payment), Why(why.value), now=now)
    say("The claim is refused, and the member is told.")
