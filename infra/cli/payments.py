"""Payments: the story of one, another look at a store's day, telling a bank again."""

from typing import Annotated

import typer

from chalicelib.kernel.ids import ConnectionId, PaymentId, StoreId, payment_id_of
from chalicelib.kernel.refusals import NotFound
from chalicelib.runtime import clock
from infra.cli.terminal import Day, Reason, progress, say, show, subject

app = subject()

Transaction = Annotated[str, typer.Option(help="The bank's id of the transaction.")]


@app.command()
def trace(
    *,
    connection: Annotated[str, typer.Option(help="The connection's id.")] = "",
    transaction: Transaction = "",
    payment: Annotated[str, typer.Option(help="Or our id of the payment, from a log.")] = "",
    personal: Annotated[
        bool, typer.Option("--personal", help="Show what was paid and bought, too; needs --reason.")
    ] = False,
    reason: Reason = None,
) -> None:
    """Tell the story of one payment.

    As the rows have it, and how to find it in the logs.
    """
    from chalicelib.network import service as network  # Stores need a stage; the help does not.
    from infra.operating import staff, story

    if bool(payment) == bool(connection and transaction):
        raise typer.BadParameter("give --connection with --transaction, or --payment")
    now = clock.now()
    if not payment:
        network.get_connection(ConnectionId(connection), now=now)
    found = PaymentId(payment) if payment else payment_id_of(ConnectionId(connection), transaction)
    told = story.story_of(found, transaction or None, now=now)
    if personal:
        staff.note_access("trace", found, reason=reason, now=now)
    say(f"Payment {found}")
    show(
        ("when, UTC", "what", "how"),
        [(f"{s.at:%Y-%m-%d %H:%M:%S}" if s.at else "", s.what, s.how) for s in told.steps],
    )
    if personal:
        for line in story.personal_lines(told):
            typer.echo(line)
    say("Its steps, the bank's answer among them, are in the logs (Logs Insights):")
    say(f'  filter keys.payment = "{found}" | sort @timestamp')


@app.command()
def rematch(*, store: Annotated[str, typer.Option(help="The store's id.")], day: Day) -> None:
    """Look again at a store's waiting payments of a day.

    What came of each is shown. Exit 1: nothing waits there.
    """
    from infra.operating import rematching  # As above.

    now = clock.now()
    waiting = rematching.list_waiting(StoreId(store), day.date(), now=now)
    if not waiting:
        raise NotFound(f"no payment of {day:%Y-%m-%d} waits at {store}")
    with progress("looked at", total=len(waiting)) as advance:
        looked = rematching.look_again(waiting, now=now, report=advance)
    show(("outcome", "why", "payments"), rematching.counted(looked))
    matched = sum(one.outcome == "matched" for one in looked)
    say(f"{matched} of {len(looked)} payments found their receipt.")


@app.command()
def replay_delivery(
    *,
    connection: Annotated[str, typer.Option(help="The connection's id.")],
    transaction: Transaction,
) -> None:
    """Tell a bank once more of one transaction's receipt.

    In the newest version.
    """
    from chalicelib.network import service as network  # As above.
    from infra import replaying

    now = clock.now()
    network.get_connection(ConnectionId(connection), now=now)
    replaying.replay_delivery(ConnectionId(connection), transaction, now=now)
    say("The delivery is queued.")
