"""Refunds that wait for a person: listed, shown, decided."""

from typing import Annotated

import typer

from chalicelib.kernel.ids import PaymentId
from chalicelib.runtime import clock
from infra.cli.terminal import Reason, say, show, subject

app = subject()

Payment = Annotated[str, typer.Option(help="The refund's payment id, as it is listed.")]


@app.command()
def list_reviews() -> None:
    """List the refunds that wait for a person.

    With the purchases that each may be of, and how probable each is.
    """
    from chalicelib.purchases.refunding import store  # Stores need a stage; the help does not.

    found = store.list_reviews(now=clock.now())
    show(
        ("since, UTC", "refund", "why", "may be of", "probable"),
        [
            (
                f"{one.since:%Y-%m-%d %H:%M}",
                one.payment_id,
                one.why,
                name,
                f"{share / 10_000:.2f} %",
            )
            for one in found
            for name, share in one.candidates
        ],
    )
    say(f"{len(found)} refunds wait for a person.")


@app.command()
def show_review(*, payment: Payment, reason: Reason = None) -> None:
    """Show a refund and the purchases that it may be of.

    Amounts, shops and times. Who looked and why is written down first.
    """
    from infra.operating import reviewing, staff  # As above.

    now = clock.now()
    review = reviewing.get_review(PaymentId(payment), now=now)
    staff.note_access("show-review", payment, reason=reason, now=now)
    for line in reviewing.lines_of(review, now=now):
        typer.echo(line)


@app.command()
def decide_review(
    *,
    payment: Payment,
    purchase: Annotated[str, typer.Option(help="The payment that it gives back.")] = "",
    none: Annotated[
        bool, typer.Option("--none", help="It is of no purchase that we know.")
    ] = False,
    reason: Reason = None,
) -> None:
    """Decide which purchase a refund gives back.

    Who decided and why is written down first. The bank is told of the purchase's new version.
    """
    from chalicelib.purchases.refunding import waiting  # As above.
    from infra.operating import reviewing, staff

    if bool(purchase) == none:
        raise typer.BadParameter("give --purchase or --none")
    now = clock.now()
    reviewing.get_review(PaymentId(payment), now=now)
    staff.note_access("decide-review", payment, reason=reason, now=now)
    chosen = PaymentId(purchase) if purchase else None
    waiting.decide_review(PaymentId(payment), chosen, now=now)
    say(f"The refund is of {purchase}." if purchase else "The refund is of no purchase we know.")
