"""AWS's price list as data, and what counted work costs by it.

`prices.json` says which region and day it is of; a new list is a new file, not new code.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

LIST = Path(__file__).with_name("prices.json")
MILLION = 1_000_000
GIB = 1024**3


class PriceList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars. `…_per_million` for a million of the named units, `…_month` for each a month."""

    region: str
    as_of: str
    note: str
    write_units_per_million: float
    read_units_per_million: float
    table_storage_gb_month: float
    table_pitr_gb_month: float
    http_api_per_million: float
    rest_api_per_million: float
    sqs_per_million: float
    sqs_chunk_bytes: int
    lambda_requests_per_million: float
    lambda_gb_second: float
    logs_gb: float
    egress_gb: float
    kms_calls_per_million: float
    kms_key_month: float
    secret_month: float
    secret_calls_per_million: float
    metric_month: float
    alarm_month: float
    dashboard_month: float


@cache
def price_list() -> PriceList:
    """The list this project computes with."""
    return msgspec.json.decode(LIST.read_bytes(), type=PriceList)


@dataclass(frozen=True, slots=True)
class Work:
    """What was done, in the units that AWS bills; calls, messages and the bytes of messages are
    told beside them. `egress_bytes` are those that leave for a bank.
    """

    write_units: float = 0.0
    read_units: float = 0.0
    api_calls: float = 0.0
    queue_calls: float = 0.0
    invocations: float = 0.0
    gb_seconds: float = 0.0
    log_bytes: float = 0.0
    egress_bytes: float = 0.0
    aws_calls: float = 0.0
    messages: float = 0.0
    queue_bytes: float = 0.0


def dollars(work: Work, prices: PriceList, *, api_per_million: float) -> dict[str, float]:
    """What `work` costs, by service, at `api_per_million` for a call of the gateway in front."""
    return {
        "dynamodb_writes": work.write_units * prices.write_units_per_million / MILLION,
        "dynamodb_reads": work.read_units * prices.read_units_per_million / MILLION,
        "gateway": work.api_calls * api_per_million / MILLION,
        "sqs": work.queue_calls * prices.sqs_per_million / MILLION,
        "lambda": work.invocations * prices.lambda_requests_per_million / MILLION
        + work.gb_seconds * prices.lambda_gb_second,
        "logs": work.log_bytes / GIB * prices.logs_gb,
        "egress": work.egress_bytes / GIB * prices.egress_gb,
    }
