"""How long a back-test takes: a campaign and a scheme on purchases of as many lines as a shift's.

`python -m infra.bench.backtests COUNT` prints it as JSON; in a process of its own, because those
that share the work import whatever the first one was started with. What is measured is the
processor time of all of them, shared by two cores: it depends least on what else the machine does.
The time on the clock is told beside it.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from chalicelib.kernel.ids import RetailerId
from infra.backtest.run import backtest
from infra.bench.shift import BASKETS, STARTS

EACH_BUYS = 25  # Purchases of one member, so that limits, caps and audiences have a past.
DAYS = 90
CORES = 2
MILLION = 1_000_000
CATEGORIES = ("Coffee", "Tea", "Cake", "Beans", "Mugs", "Sandwiches")
_RETAILER = RetailerId("bench-retailer")
CAMPAIGN: dict[str, Any] = {
    "name": "A tenth back on coffee",
    "currency": "GBP",
    "zone": "Europe/London",
    "starts_at": (STARTS - timedelta(days=DAYS)).isoformat(),
    "ends_at": STARTS.isoformat(),
    "reward": {"kind": "percent_cashback", "percent": "10", "max_minor": 500},
    "condition": {"lines": {"categories": ["Coffee", "Beans"]}, "min_spend_minor": 300},
    "budget": {"amount_minor": 2_000_000, "currency": "GBP"},
    "limit": {"times": 2, "per": "week"},
}
SCHEME: dict[str, Any] = {
    "name": "Points",
    "unit": "points",
    "currency": "GBP",
    "zone": "Europe/London",
    "rules": [
        {"kind": "spend", "id": "pound", "per_minor": 100, "caps": [{"units": 60, "per": "day"}]},
        {
            "kind": "spend",
            "id": "happy",
            "units": 2,
            "per_minor": 100,
            "when": {
                "lines": {"categories": ["Coffee"]},
                "windows": [{"days": "FREQ=WEEKLY;BYDAY=FR", "from": "11:00", "minutes": 120}],
            },
        },
    ],
}


def measure(count: int) -> dict[str, Any]:
    """As `measured_here`, in a process of its own."""
    asked = [sys.executable, "-m", "infra.bench.backtests", str(count)]
    said = subprocess.run(asked, check=True, capture_output=True).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def measured_here(count: int) -> dict[str, float]:
    """Seconds of a million purchases, by what `count` of them took with the slower draft."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        purchases = folder / "purchases.jsonl"
        with purchases.open("w") as lines:
            lines.writelines(_purchases(Random(11), count))
        taken = [_seconds(folder, purchases, draft) for draft in (CAMPAIGN, SCHEME)]
    processor, clock = (max(each) for each in zip(*taken, strict=True))
    return {
        "purchases": count,
        "seconds_for_a_million": processor / CORES * MILLION / count,
        "clock_seconds_for_a_million": clock * MILLION / count,
    }


def _seconds(folder: Path, purchases: Path, draft: dict[str, Any]) -> tuple[float, float]:
    """Processor seconds of all processes, and seconds on the clock."""
    written = folder / "draft.json"
    written.write_text(json.dumps(draft))
    began, used = time.monotonic(), _processor_seconds()
    outcome = backtest(
        written,
        purchases,
        retailer_id=_RETAILER,
        days=None,
        processes=CORES,
        report=lambda _step, _done, _of: None,
    ).outcome
    if not outcome.winners:
        raise RuntimeError("nobody won anything in the back-test")
    return _processor_seconds() - used, time.monotonic() - began


def _processor_seconds() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, who))


def _purchases(random: Random, count: int) -> Iterator[str]:
    members = max(count // EACH_BUYS, 1)
    for _ in range(count):
        bounds = random.choices([b for b, _ in BASKETS], [share for _, share in BASKETS])[0]
        sold_at = STARTS - timedelta(seconds=random.randrange(1, DAYS * 86_400))
        lines = [
            {"gross_minor": random.randint(45, 1_995), "category": ["Food", category]}
            for category in random.choices(CATEGORIES, k=random.randint(*bounds))
        ]
        purchase = {
            "member": f"m-{random.randrange(members)}",
            "sold_at": sold_at.isoformat(),
            "store": "0042",
            "currency": "GBP",
            "lines": lines,
        }
        yield json.dumps(purchase) + "\n"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured_here(int(sys.argv[1]))))
