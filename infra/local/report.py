"""What the demo prints: tables of what was sent, what became of it, and how it is judged."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from infra.local.judging import Counts
from infra.local.playing import Played
from infra.local.rewards_day import Money
from infra.local.truth import Verdict

REASONS = {
    "not_a_member": "the payer never switched it on",
    "not_in_network": "the shop does not take part",
    "declined": "the payment was declined",
    "top_up": "money put on the card",
    "peer_payment": "money to a friend",
    "not_card": "not a card payment",
}


ROWS = {"page": "pages of strangers' receipts", "wait": "payments waiting for a receipt"}


def print_counts(console: Console, played: Played, counts: Counts) -> None:
    """What came in, by provider, and what was dropped, by reason."""
    table = Table(title="Payments told, by bank", title_justify="left", min_width=60)
    table.add_column("bank")
    table.add_column("messages sent", justify="right")
    table.add_column("receipts delivered", justify="right")
    delivered = counts.by("delivered", "provider")
    for provider, sent in sorted(played.by_provider.items()):
        table.add_row(provider, str(sent), str(delivered.get(provider, 0)))
    console.print(table)
    dropped = Table(title="Dropped before anything was stored", title_justify="left", min_width=60)
    dropped.add_column("because")
    dropped.add_column("events", justify="right")
    for reason, count in counts.by("payments_dropped", "reason").items():
        dropped.add_row(REASONS.get(reason, reason), str(count))
    console.print(dropped)


def print_verdict(console: Console, verdict: Verdict, counts: Counts) -> None:
    """How the run is judged against the truth."""
    table = Table(title="Set against the truth", title_justify="left", min_width=60)
    table.add_column("what")
    table.add_column("payments", justify="right")
    rows = (
        ("the right receipt", verdict.right),
        ("the wrong receipt", verdict.wrong),
        ("missed although the evidence was enough", verdict.missed),
        ("abstained, because nobody could have told", verdict.abstained),
        ("no receipt ever came", verdict.no_receipt),
        ("none of ours, and no trace of them", verdict.kept_apart),
        ("a bank shows what it should not", verdict.at_bank),
    )
    for what, found in rows:
        table.add_row(what, str(len(found)))
    console.print(table)
    waits = Table(
        title="Why payments waited (each look counts)", title_justify="left", min_width=60
    )
    waits.add_column("reason")
    waits.add_column("looks", justify="right")
    for reason, count in counts.by("payments_waiting", "reason").items():
        waits.add_row(reason.replace("_", " "), str(count))
    console.print(waits)


def print_receipt(console: Console, text: str) -> None:
    """One receipt, as a till prints it."""
    console.print(Panel.fit(text, title="A receipt in the bank's app", title_align="left"))


def print_forgotten(
    console: Console, before: Mapping[str, int], after: Mapping[str, int], *, days: int
) -> None:
    """What stood in the table of tills at the end of the day, and what stands there now."""
    table = Table(
        title=f"What is still stored, {days} days later", title_justify="left", min_width=60
    )
    for column in ("rows", "that evening", "now"):
        table.add_column(column, justify="left" if column == "rows" else "right")
    for kind in ROWS:
        table.add_row(ROWS[kind], str(before.get(kind, 0)), str(after.get(kind, 0)))
    console.print(table)


def print_rewards(console: Console, money: Money, counts: Counts) -> None:
    """What the shops gave, what came back, and what reached people's accounts."""
    table = Table(title="Rewards", title_justify="left", min_width=60)
    table.add_column("what")
    table.add_column("how much", justify="right")
    rows = (
        ("offers redeemed", str(counts.total("offers_redeemed"))),
        ("cashback given", _pounds(money.given)),
        ("taken back, because goods came back", _pounds(money.taken_back)),
        ("paid at the sandbox bank, and seen in its feed", _pounds(money.paid)),
        ("payments there", str(money.payouts)),
        ("still owed: too little for a payment yet", _pounds(money.owed)),
        ("members' books that do not hold", str(len(money.faults))),
    )
    for what, much in rows:
        table.add_row(what, much)
    console.print(table)


def _pounds(minor: int) -> str:
    return f"£{minor // 100}.{minor % 100:02}"


def print_problems(console: Console, problems: Sequence[str]) -> None:
    """What went wrong, or that nothing did."""
    if not problems:
        console.print("[bold green]Nothing is wrong.[/]")
    for problem in problems:
        console.print(f"[bold red]✗[/] {problem}", highlight=False)
