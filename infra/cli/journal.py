"""The journal: books verified, retailers' statements and payments, what does not agree."""

from pathlib import Path
from typing import Annotated

import typer

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.kernel.refusals import NotFound
from chalicelib.runtime import clock
from infra.cli.terminal import EXIT_REFUSED, Day, Reason, check_span, progress, say, show, subject

app = subject()

RetailerOption = Annotated[str, typer.Option("--retailer", help="The retailer's id.")]


@app.command()
def verify_journal(
    *,
    member: Annotated[str, typer.Option(help="Only this member's book.")] = "",
    retailer: Annotated[str, typer.Option(help="Only this retailer's book.")] = "",
) -> None:
    """Verify books, the daybook, and retailers' days.

    Every book, or one. What is gone as a whole is found among all of them only.

    Nothing is changed. Exit status 1: something is not what it was.
    """
    from chalicelib.ledger.accounts import member_owner, retailer_owner  # Stores need a stage.
    from infra.operating import verifying

    if member or retailer:
        owner = member_owner(MemberId(member)) if member else retailer_owner(RetailerId(retailer))
        checked, faults = 1, list(verifying.verify_one(owner, now=clock.now()))
        if not faults and not verifying.has_book(owner, now=clock.now()):
            raise NotFound("there is no such book")
    else:
        with progress("Books", total=verifying.rows_about()) as done:
            checked, faults = verifying.verify_all(done, now=clock.now())
    show(
        ("book", "page", "broken", "entry"),
        [(one.owner, one.page, one.what.value, one.key) for one in faults],
    )
    say(f"{checked} books, {len(faults)} faults.")
    if faults:
        raise typer.Exit(EXIT_REFUSED)


_WRITTEN_AS = (".csv", ".pdf")


@app.command()
def show_statement(
    *,
    retailer: RetailerOption,
    period: Annotated[str, typer.Option(help="The month: 2026-11.")],
    to: Annotated[
        Path | None, typer.Option(help="Write it there: .csv or .pdf.", dir_okay=False)
    ] = None,
) -> None:
    """Show what a retailer's campaigns owe for a month.

    Or write it to a file.
    """
    from chalicelib.ledger.closing import invoicing  # As above.
    from chalicelib.ledger.printing import COLUMNS, to_csv, to_rows
    from chalicelib.ledger.statements import read_period
    from chalicelib.network import service as network

    if to is not None and to.suffix not in _WRITTEN_AS:
        raise typer.BadParameter(f"--to ends with {' or '.join(_WRITTEN_AS)}")
    now = clock.now()
    found = network.get_retailer(RetailerId(retailer), now=now)
    statement = invoicing.statement_of(found.retailer_id, read_period(period), now=now)
    if to is None:
        show(COLUMNS[2:], [row[2:] for row in to_rows(statement)])
    elif to.suffix == ".pdf":
        from infra.operating.statement_pdf import to_pdf

        to.write_bytes(to_pdf(statement, name=found.name))
    else:
        to.write_text(to_csv(statement), "utf-8")
    standing = "final" if statement.is_final else f"as far as {statement.closed_until}"
    say(f"{len(statement.lines)} lines, {standing}.")


@app.command()
def record_funding(
    *,
    retailer: RetailerOption,
    amount: Annotated[str, typer.Option(help="In major units: 1250.00.")],
    currency: Annotated[str, typer.Option(help="GBP, EUR and so on.")],
    reference: Annotated[str, typer.Option(help="The payment's own reference; counts once.")],
) -> None:
    """Enter that a retailer paid."""
    from chalicelib.kernel.money import parse_decimal
    from chalicelib.ledger.closing import invoicing  # As above.

    now = clock.now()
    paid = parse_decimal(amount, currency)
    posted = invoicing.record_funding(
        RetailerId(retailer), paid, reference=reference, at=now, now=now
    )
    say("Entered." if posted.is_new else "It was entered before.")
    funding = invoicing.funding_of(RetailerId(retailer), now=now)
    show(("currency", "paid more than invoiced"), [(m.currency, m.to_text()) for m in funding])


@app.command()
def list_differences() -> None:
    """List what journal, orders and reports differ in.

    Each with its age.
    """
    from chalicelib.payouts.reconciling import store  # As above.

    now = clock.now()
    found = store.list_open(now=now)
    show(
        ("since, UTC", "hours", "name", "explained", "note"),
        [
            (
                f"{one.since:%Y-%m-%d %H:%M}",
                int((now - one.since).total_seconds() // 3_600),
                one.difference.name,
                one.difference.explained.value,
                one.note,
            )
            for one in found
        ],
    )
    say(f"{len(found)} differences.")


@app.command()
def explain_difference(
    *,
    name: Annotated[str, typer.Option(help="As it is listed.")],
    note: Annotated[str, typer.Option(help="What was found out. No personal data.")],
    reason: Reason = None,
    ends: Annotated[bool, typer.Option("--ends", help="It is over: list it no more.")] = False,
) -> None:
    """Write down what explains a difference.

    It stops ringing and stays listed, or with --ends is listed no more.
    """
    from chalicelib.payouts.reconciling import service  # As above.
    from infra.operating import staff

    now = clock.now()
    by = staff.note_access("explain-difference", name, reason=reason, now=now)
    note_it = service.end if ends else service.explain
    note_it(name, note=note, by=by.reader, now=now)
    say("Ended." if ends else "Noted.")


@app.command()
def list_reconciled(*, since: Day, until: Day) -> None:
    """List what each day's payouts came to, by rail."""
    from chalicelib.payouts.reconciling import store  # As above.

    check_span(since, until)
    first, last = since.date(), until.date()
    show(
        ("day", "rail", "currency", "ordered", "executed", "reported", "returned", "differences"),
        [
            (
                day.on,
                sums.rail,
                sums.currency,
                sums.ordered_minor,
                sums.executed_minor,
                sums.reported_minor,
                sums.returned_minor,
                day.differences,
            )
            for day in store.list_reconciled(first, last, now=clock.now())
            for sums in day.sums
        ],
    )
