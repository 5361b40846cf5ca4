"""Matches by hand: joining what the evidence alone does not join, and parting what is wrong."""

from typing import Annotated

import typer

from chalicelib.kernel.ids import ConnectionId, PaymentId, StoreId
from chalicelib.runtime import clock
from infra.cli.terminal import Reason, say, show, subject

app = subject()

Connection = Annotated[str, typer.Option(help="The connection's id.")]
Transaction = Annotated[str, typer.Option(help="The bank's id of the transaction.")]


@app.command()
def force_match(
    *,
    connection: Connection,
    transaction: Transaction,
    store: Annotated[str, typer.Option(help="The store's id.")],
    reference: Annotated[str, typer.Option(help="The number printed on the receipt.")],
    reason: Reason = None,
) -> None:
    """Join a payment with a receipt by hand.

    Whatever speaks against it, unless another payment holds the receipt. Who did it and why is
    written down first, and kept with the purchase.
    """
    from chalicelib.purchases.correcting import forcing  # Stores need a stage; the help does not.
    from infra.operating import correcting, staff

    now = clock.now()
    own = correcting.get_own(ConnectionId(connection), transaction, now=now)
    noted = staff.note_access("force-match", own.where.payment_id, reason=reason, now=now)
    forcing.force_match(
        own, store_id=StoreId(store), reference=reference, note=noted.reason, now=now
    )
    _tell(correcting.standing_lines(own, now=now), own.where.payment_id)


@app.command()
def withdraw_match(
    *,
    connection: Connection,
    transaction: Transaction,
    reason: Reason = None,
) -> None:
    """Take a receipt away from a payment.

    The member and the bank see it no more, and the two never meet again by themselves. Who did it
    and why is written down first, and kept with the purchase.
    """
    from chalicelib.purchases.correcting import forcing  # As above.
    from infra.operating import correcting, staff

    now = clock.now()
    own = correcting.get_own(ConnectionId(connection), transaction, now=now)
    noted = staff.note_access("withdraw-match", own.where.payment_id, reason=reason, now=now)
    forcing.withdraw_match(own, note=noted.reason, now=now)
    _tell(correcting.standing_lines(own, now=now), own.where.payment_id)


def _tell(lines: list[tuple[str, str]], payment_id: PaymentId) -> None:
    say(f"Payment {payment_id}")
    show(("what", "how"), lines)
