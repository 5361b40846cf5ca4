"""All commands together."""

import typer

from infra.cli import access, banks, clients, dead_letters, payments, quarantine, receipts, shops
from infra.cli.terminal import PlainGroup
from infra.secret_commands import app as keys_and_secrets

app = typer.Typer(
    cls=PlainGroup, add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False
)


@app.callback()
def operate() -> None:
    """Counterfoil, for operators."""


for of_subject in (receipts, payments, quarantine, dead_letters, banks, shops, clients, access):
    app.add_typer(of_subject.app)
app.add_typer(keys_and_secrets)
