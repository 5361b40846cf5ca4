"""Paying cashback: accounts to pay from, keys, payment files, bank reports, single payouts."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.personal import Personal
from chalicelib.payouts.rails.model import PayingAccount, PayingSecrets, Rail
from chalicelib.runtime import clock
from infra.cli.terminal import EXIT_REFUSED, Day, say, show, subject

app = subject()

RAILS = ", ".join(rail.value for rail in Rail)
SECRETS = ("client", "signing")
Connection = Annotated[str, typer.Option(help="The connection whose members are paid.")]
Currency = Annotated[str, typer.Option(help="In which currency: GBP, EUR and so on.")]
PayoutId = Annotated[str, typer.Option("--payout", help="The payout's id.")]
Secrets = Annotated[
    list[str] | None,
    typer.Option(
        "--secret-file",
        metavar="NAME=PATH",
        help="client=PATH: the client secret or token. signing=PATH: the P-521 key in PEM.",
    ),
]


@app.command()
def make_payout_key() -> None:
    """Make a key under which to keep destinations.

    Once, before the first destination; again to rotate it. Older destinations go on opening.
    """
    from chalicelib.payouts.destinations import service  # Stores need a stage; the help does not.

    key = service.make_envelope_key(lambda: os.urandom(32), now=clock.now())
    say(f"Envelope key {key.number} closes destinations from now on.")


@app.command()
def load_modulus_tables(
    *,
    weights: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="valacdos, as text.")],
    substitutes: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="scsubtab, as text.")
    ] = None,
) -> None:
    """Check UK account numbers by VocaLink's tables."""
    from chalicelib.payouts.destinations import service  # As above.

    other = substitutes.read_text("ascii") if substitutes else ""
    lines = service.record_modulus_table(weights.read_text("ascii"), other)
    say(f"{lines} ranges of sort codes are checked from now on.")


@app.command()
def add_paying_account(
    *,
    connection: Connection,
    currency: Currency,
    rail: Annotated[Rail, typer.Option(metavar="RAIL", help=f"How: {RAILS}.")],
    api_url: Annotated[str, typer.Option(help="The rail's API.")] = "",
    auth_url: Annotated[str, typer.Option(help="Where its tokens are given (TrueLayer).")] = "",
    client_id: Annotated[str, typer.Option(help="Our client at the rail.")] = "",
    key_id: Annotated[str, typer.Option(help="The rail's id of our signing key.")] = "",
    account: Annotated[
        str, typer.Option(help="Debited: an id, an IBAN, or `123456 12345678`.")
    ] = "",
    holder: Annotated[str, typer.Option(help="Whose account it is (files).")] = "",
    bic: Annotated[str, typer.Option(help="Its bank's BIC (files).")] = "",
    webhook_keys_url: Annotated[
        str, typer.Option(help="Where the keys of its webhooks are published (TrueLayer).")
    ] = "",
    secret_file: Secrets = None,
) -> None:
    """Give a connection an account to pay from.

    Or change it. Secrets come from files only; without any, those that are there stay.
    """
    from chalicelib.payouts.paying import service  # As above.

    new = PayingAccount(
        connection_id=ConnectionId(connection),
        currency=currency,
        rail=rail,
        api_url=api_url.rstrip("/"),
        auth_url=auth_url.rstrip("/"),
        client_id=client_id,
        key_id=key_id,
        account=account,
        holder=holder,
        bic=bic,
        webhook_keys_url=webhook_keys_url,
    )
    service.record_account(new, _secrets(secret_file), now=clock.now())
    say(f"Members of {connection} are paid in {currency} by {rail.value}.")


@app.command()
def list_paying_accounts() -> None:
    """List from where members are paid, without secrets."""
    from chalicelib.payouts.paying import service  # As above.

    found = service.list_accounts(now=clock.now())
    rows = [(a.connection_id, a.currency, a.rail.value, a.account[-4:]) for a in found]
    show(("connection", "currency", "rail", "account ends"), rows)
    say(f"{len(found)} paying accounts.")


@app.command()
def remove_paying_account(*, connection: Connection, currency: Currency) -> None:
    """Pay a connection's members in a currency no more.

    What waits goes back to their balances. What was handed over is followed to its end.
    """
    from chalicelib.payouts.paying import service  # As above.

    service.remove_account(ConnectionId(connection), currency, now=clock.now())
    say(f"Members of {connection} are no longer paid in {currency}.")


@app.command()
def make_payment_files(
    *,
    connection: Connection,
    currency: Currency,
    day: Day,
    into: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A folder.")],
) -> None:
    """Make the pain.001 files of a day, for your bank.

    Account numbers stand in them in the clear.

    The same files each time until their payments end. A day's file closes at noon UTC.
    """
    from chalicelib.payouts import filing  # As above.
    from infra.operating import paying

    files = filing.make_files(ConnectionId(connection), currency, day.date(), now=clock.now())
    for made, path in zip(files, paying.write_files(files, into), strict=True):
        show(("file", "payments", "total"), [(path, made.payments, made.total.to_text())])
    say(f"{len(files)} files." if files else "Nothing is to be paid by file on that day.")


@app.command()
def read_bank_report(
    *, report: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The file.")]
) -> None:
    """Read a bank's pain.002 or camt.054, also again.

    Exit 0: every line was taken. 1: some were not; each is shown with its reason.
    """
    from infra.operating import paying  # As above.

    heard = list(paying.hear_report(report.read_bytes(), now=clock.now()))
    refused = [one for one in heard if not one.is_taken]
    show(
        ("payout", "said", "now"),
        [(one.payout_id, one.said, one.ending) for one in heard],
    )
    say(f"{len(heard)} lines, {len(refused)} not taken.")
    if refused:
        raise typer.Exit(EXIT_REFUSED)


@app.command()
def show_payout(*, payout: PayoutId) -> None:
    """Show how a payout stands, without its member."""
    from chalicelib.payouts import service  # As above.

    found = service.get(payout, now=clock.now())
    rows = (
        ("state", found.state.value),
        ("amount", f"{found.amount.to_text()} {found.amount.currency}"),
        ("rail", found.rail),
        ("connection", found.connection_id),
        ("reference", found.reference),
        ("named by rail", found.provider_id),
        ("reason", found.reason),
        ("attempts", found.attempts),
        ("written, UTC", _time(found.written_at)),
        ("changed, UTC", _time(found.changed_at)),
        ("went through", " ".join(state.value for state in found.path)),
        ("disputed", "yes" if found.is_disputed else ""),
    )
    show(("what", "is"), rows)


@app.command()
def look_up_payout(*, payout: PayoutId) -> None:
    """Ask the rail now what became of a payout.

    One that was never sent is sent.
    """
    from chalicelib.payouts import sending  # As above.

    say(f"It is {sending.look_up(payout, now=clock.now()).state.value}.")


@app.command()
def settle_payout(
    *,
    payout: PayoutId,
    as_: Annotated[str, typer.Option("--as", help="executed, failed or returned.")],
    because: Annotated[str, typer.Option(help="What you found, and where: a ticket, a console.")],
) -> None:
    """Say what became of a payout if no rail does."""
    from infra.operating import paying  # As above.

    if as_ not in paying.WORDS:
        raise typer.BadParameter(f"--as is one of {', '.join(paying.WORDS)}")
    after = paying.settle(payout, as_, because, now=clock.now())
    say(f"It is {after.state.value}.")


def _time(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}" if instant else ""


def _secrets(files: list[str] | None) -> PayingSecrets | None:
    if not files:
        return None
    read: dict[str, Personal[str]] = {}
    for named in files:
        name, _, path = named.partition("=")
        if name not in SECRETS or not path:
            raise typer.BadParameter(f"--secret-file wants one of {', '.join(SECRETS)} and =PATH")
        read[name] = Personal(_text_of(path))
    nothing = Personal("")
    return PayingSecrets(read.get("client", nothing), read.get("signing", nothing))


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeError) as error:
        raise typer.BadParameter(f"--secret-file: {path} cannot be read as text") from error
