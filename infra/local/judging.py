"""Asking the platform, as each bank would, what became of every payment; and judging the run."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from chalicelib.runtime import observability
from infra.local.calling import call
from infra.local.highstreet import Day
from infra.local.playing import Played
from infra.local.postings import Paid
from infra.local.pump import Pump
from infra.local.setup import Setting
from infra.local.truth import Answer, Verdict

EXPECTED_QUARANTINED = {("receipts", "shape"): 1, ("tills", "card_number"): 1}


@dataclass(slots=True)
class Counts:
    """What the platform counted while it ran, by metric and dimensions."""

    by_fact: Counter[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=Counter)

    def hear(self, name: str, dimensions: dict[str, str], by: int) -> None:
        """Take one count; made to be given to `observability.listen`."""
        self.by_fact[name, tuple(sorted(dimensions.items()))] += by

    def by(self, name: str, dimension: str) -> dict[str, int]:
        """The counts of `name` by one of its dimensions, largest first."""
        found: Counter[str] = Counter()
        for (fact, dimensions), count in self.by_fact.items():
            if fact == name:
                found[dict(dimensions).get(dimension, "")] += count
        return dict(found.most_common())

    def total(self, name: str) -> int:
        """How often `name` was counted, in all."""
        return sum(count for (fact, _), count in self.by_fact.items() if fact == name)

    def quarantined(self) -> dict[tuple[str, str], int]:
        """What was quarantined, by area and reason."""
        return {
            (dict(dimensions)["area"], dict(dimensions)["reason"]): count
            for (fact, dimensions), count in self.by_fact.items()
            if fact == "quarantined"
        }


def listening() -> Counts:
    """Counts that hear the platform from now on."""
    counts = Counts()
    observability.listen(counts.hear)
    return counts


def ask_all(day: Day, setting: Setting) -> dict[str, Answer]:
    """Ask for the receipt of every payment that a bank told, with that bank's own credentials."""
    return {paid.payment.transaction_id: _ask(paid, setting) for paid in day.paid if paid.is_told}


def _ask(paid: Paid, setting: Setting) -> Answer:
    login = setting.bank_logins[paid.payment.person.provider]
    answer = call("GET", receipt_url(paid, setting), headers=login.headers())
    if answer.status == 200:
        told = answer.json()
        return Answer(told["receipt"]["reference"], why=told["why"])
    return Answer(None, code=answer.json().get("code", str(answer.status)))


def receipt_url(paid: Paid, setting: Setting) -> str:
    """Where the bank reads the receipt of a payment."""
    base_url = setting.bank_logins[paid.payment.person.provider].base_url
    return f"{base_url}/v1/transactions/{quote(paid.payment.transaction_id, safe='')}/receipt"


def drawn(day: Day, verdict: Verdict, setting: Setting) -> str:
    """One receipt that was found, with several lines, as a till would print it."""
    found = [paid for paid in day.paid if paid.payment.transaction_id in set(verdict.right)]
    shown = max(
        (paid for paid in found if paid.sale is not None and not paid.sale.updates),
        key=lambda paid: len(paid.sale.receipt["lines"]) if paid.sale else 0,
        default=None,
    )
    if shown is None:
        return "(none was found)"
    login = setting.bank_logins[shown.payment.person.provider]
    answer = call("GET", receipt_url(shown, setting) + "?as=text", headers=login.headers())
    return answer.body.decode()


def problems(
    verdict: Verdict,
    played: Played,
    counts: Counts,
    setting: Setting,
    pump: Pump,
    *,
    pages_left: Mapping[str, int],
) -> list[str]:
    """Everything that is wrong with the run, as sentences; none is what the demo is for."""
    found = list(played.unexpected)
    found += [f"wrong: {name}" for name in verdict.wrong]
    found += [f"missed: {name}" for name in verdict.missed]
    found += [f"at a bank: {sentence}" for sentence in verdict.at_bank]
    found += [f"refused by a bank: {sentence}" for sentence in setting.bank.refused()]
    if counts.quarantined() != EXPECTED_QUARANTINED:
        found.append(f"quarantined: {counts.quarantined()}, not {EXPECTED_QUARANTINED}")
    if dead_lettered := pump.dead_lettered():
        found.append(f"{dead_lettered} messages are dead-lettered")
    if any(pages_left.values()):
        found.append(f"still stored: {dict(pages_left)}")
    if not verdict.right:
        found.append("nothing was matched at all")
    return found


def result(
    verdict: Verdict, played: Played, counts: Counts, setting: Setting, pump: Pump
) -> dict[str, Any]:
    """The figures of the run, as `build/demo.json` holds them."""
    held = Counter(one.provider.value for one in setting.bank.delivered())
    return {
        "payments_sent": played.payments_sent,
        "receipts_sent": played.receipts_sent,
        "duplicates_sent": played.duplicates_sent,
        "matched": len(verdict.right) + len(verdict.wrong),
        "wrong": len(verdict.wrong),
        "missed": len(verdict.missed),
        "delivered": dict(sorted(held.items())),
        "dropped": counts.by("payments_dropped", "reason"),
        "quarantined": counts.total("quarantined"),
        "dead_lettered": pump.dead_lettered(),
        "seconds": 0.0,
        "abstained": len(verdict.abstained),
        "no_receipt": len(verdict.no_receipt),
        "kept_apart": len(verdict.kept_apart),
        "still_queued": pump.waiting(),
    }
