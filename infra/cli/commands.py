"""All commands together."""

import typer

from infra.cli import (
    access,
    adjustments,
    backtests,
    banks,
    claims,
    clients,
    competitions,
    dead_letters,
    holds,
    journal,
    keys,
    matches,
    matching,
    notices,
    payments,
    payouts,
    quarantine,
    receipts,
    reviews,
    schemes,
    shops,
)
from infra.cli.terminal import PlainGroup

PANELS = {
    "Receipts and payments": (receipts, payments, matches, matching, reviews),
    "Rewards": (schemes, backtests, competitions, claims, holds, notices),
    "Quarantine and dead letters": (quarantine, dead_letters),
    "Connections": (banks,),
    "Retailers, stores, clients": (shops, clients),
    "Paying cashback": (payouts, journal, adjustments),
    "Keys": (keys,),
    "Staff": (access,),
}

app = typer.Typer(
    cls=PlainGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",  # A paragraph is filled to the terminal's width.
)


@app.callback()
def operate() -> None:
    """Counterfoil, for operators."""


for title, subjects in PANELS.items():
    for one in subjects:
        for command in one.app.registered_commands:
            command.rich_help_panel = title
        app.add_typer(one.app)
