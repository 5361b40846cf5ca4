"""A town of members on an AWS that other processes reach too, and a draft tried on it by several.

`python -m tests.makers.backtest_apart MEMBERS` prints what came of it as JSON, by how many
processes shared the work. It is run in an interpreter of its own whose environment says where AWS
is, because processes that are started see nothing of an AWS that lives in their parent.
"""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

from chalicelib.runtime import aws
from infra import master_keys, resources
from infra.backtest.walking import Pace, backtest_members
from tests.makers.backtests import DAYS, FEW, NOW, TEN_PERCENT, fill_town
from tests.makers.receipts import RETAILER

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
PROCESSES = (1, 2, 3)


def main() -> None:
    """Fill the town once; try the draft on it with each number of processes."""
    resources.create_kms_key(aws.client("kms"))
    master_keys.set_up(os.urandom, now=LONG_AGO)
    resources.create_tables(aws.client("dynamodb"))
    fill_town(int(sys.argv[1]))
    json.dump({count: _tried(count) for count in PROCESSES}, sys.stdout)


def _tried(processes: int) -> dict[str, Any]:
    steps: list[int] = []
    done = backtest_members(
        json.dumps(TEN_PERCENT).encode(),
        retailer_id=RETAILER.retailer_id,
        days=DAYS,
        now=NOW,
        pace=Pace(1_000_000.0),
        processes=processes,
        report=steps.append,
        threshold=FEW,
    )
    return {"said": repr(done), "winners": done.outcome.winners, "rows": sum(steps)}


if __name__ == "__main__":
    main()
