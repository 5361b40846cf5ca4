"""From counted work to write units, read units and dollars for a matched receipt.

Time on Lambda is not measured on a laptop: it is the processor time measured here plus what a call
over the network takes in AWS, by the assumptions below, each a round figure on the safe side.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from infra.bench.meter import CONFIGURATION
from infra.bench.prices import MILLION, PriceList, Work, dollars
from infra.bench.road import Outcome

ROOT = Path(__file__).parents[2]
AWS_CALL_SECONDS = 0.006  # DynamoDB and SQS answer in single-digit milliseconds.
BANK_CALL_SECONDS = 0.150  # Banks publish 100 ms on average for their own APIs.
# A Lambda of 1,769 MB has one processor, a smaller one its share: so a second of processor time is
# that many gigabyte-seconds whatever the size, and only waiting is cheaper where memory is less.
PROCESSOR_GB = 1_769 / 1_024
LAMBDA_LINES_BYTES = 330  # START, END and REPORT, which Lambda writes for each invocation.
MESSAGES_TOGETHER = 10.0  # A batching window of a second fills batches from ten messages a second.
REQUEST_OVERHEAD_BYTES = 900  # Headers, TLS records and the like around a body that leaves AWS.
OF_PARTS_ONCE = ("look_again", "api: tokens")  # Their time is a process's, not a receipt's.


@dataclass(frozen=True, slots=True)
class Costs:
    """What one matched receipt costs, and by handler what each does and a million of it cost."""

    work: Work
    dollars_per_million: Mapping[str, float]
    by_part: Mapping[str, Work]
    part_dollars_per_million: Mapping[str, float]

    @property
    def total_dollars_per_million(self) -> float:
        """All services together."""
        return sum(self.dollars_per_million.values())


def costs_of(
    by_part: Mapping[str, Mapping[str, float]],
    outcome: Outcome,
    prices: PriceList,
    *,
    messages_together: float = MESSAGES_TOGETHER,
    api_per_million: float | None = None,
) -> Costs:
    """What was counted, for one matched receipt, and in dollars for a million."""
    each = {
        part: _work(part, counts, outcome.matched, messages_together)
        for part, counts in by_part.items()
    }
    whole = Work(*(sum(getattr(w, f.name) for w in each.values()) for f in fields(Work)))
    price = prices.http_api_per_million if api_per_million is None else api_per_million
    by_service = dollars(whole, prices, api_per_million=price)
    parts = {
        part: MILLION * sum(dollars(work, prices, api_per_million=price).values())
        for part, work in each.items()
    }
    millions = {service: amount * MILLION for service, amount in by_service.items()}
    return Costs(whole, millions, each, parts)


def _work(part: str, counts: Mapping[str, float], matched: int, messages_together: float) -> Work:
    is_api = part.startswith("api: ")
    messages = counts.get("messages", 0)
    runs = messages / messages_together if messages else counts.get("invocations", 0)
    runs = 0 if part in OF_PARTS_ONCE else runs
    configuration = sum(
        units
        for what, units in counts.items()
        if what.startswith("read_units.") and what.endswith(f".{CONFIGURATION}")
    )
    waited_seconds = (
        counts.get("aws_calls", 0) - counts.get("configuration_calls", 0)
    ) * AWS_CALL_SECONDS + counts.get("bank_calls", 0) * BANK_CALL_SECONDS
    gb_seconds = counts.get("cpu_seconds", 0) * PROCESSOR_GB + waited_seconds * memory_gb(part)
    told = counts.get("bank_calls", 0)
    return Work(
        write_units=counts.get("write_units", 0) / matched,
        read_units=(counts.get("read_units", 0) - configuration) / matched,
        api_calls=counts.get("invocations", 0) / matched if is_api else 0,
        queue_calls=_queue_calls(counts, messages, messages_together) / matched,
        invocations=runs / matched,
        gb_seconds=gb_seconds / matched,
        log_bytes=_log_bytes(counts, runs) / matched,
        egress_bytes=(counts.get("bank_bytes", 0) + told * REQUEST_OVERHEAD_BYTES) / matched,
        aws_calls=counts.get("aws_calls", 0) / matched,
        messages=messages / matched,
        queue_bytes=counts.get("queue_bytes", 0) / matched,
    )


def _queue_calls(counts: Mapping[str, float], messages: float, together: float) -> float:
    """Sends as they were made, by chunks of 64 KB; receives and deletes by full batches."""
    sent = counts.get("queue_chunks", 0)
    return sent + 2 * messages / together


def _log_bytes(counts: Mapping[str, float], runs: float) -> float:
    """Sentences as they were written; metrics and Lambda's own lines once for each full batch."""
    invocations = counts.get("invocations", 0) or 1
    metrics = counts.get("metric_bytes", 0) * runs / invocations
    return counts.get("log_bytes", 0) + metrics + runs * LAMBDA_LINES_BYTES


@cache
def _configuration() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / ".chalice" / "config.json").read_text())
    return found


def memory_gb(part: str) -> float:
    """The memory of the Lambda that does the work of `part`, as it is deployed."""
    name = "api_handler" if part.startswith("api: ") else part
    own = _configuration()["lambda_functions"].get(name, {})
    megabytes: int = own.get("lambda_memory_size", _configuration()["lambda_memory_size"])
    return megabytes / 1_024
