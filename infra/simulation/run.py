"""`make simulate`: play faults on the platform, or one schedule again.

The environment is set here, before anything that needs it is imported.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ENVIRONMENT = {
    "COUNTERFOIL_STAGE": "simulated",
    "COUNTERFOIL_PUBLIC_URL": "https://api.counterfoil.test",
    "COUNTERFOIL_PRIVATE_HOSTS": "allowed",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
}
WRITTEN_TO = Path("build/simulate.json")
SEED = 1
HISTORIES = 400
HISTORIES_BOUNDED = 50


def main(arguments: Sequence[str]) -> int:
    """Simulate; 0 where nothing is broken and every planted bug is found, otherwise 1."""
    asked = _parser().parse_args(arguments)
    os.environ.update(ENVIRONMENT)
    from infra.simulation import plans, simulate  # need the environment

    if asked.schedule:
        return 0 if simulate.replay(asked.schedule) else 1
    histories = asked.histories or (HISTORIES_BOUNDED if asked.bounded else HISTORIES)
    extent = plans.Extent.ALL_PAIRS if asked.all_pairs else plans.Extent.USUAL
    extent = plans.Extent.BOUNDED if asked.bounded else extent
    jobs = plans.plan(seed=asked.seed, seeds_count=histories, extent=extent)
    is_good = simulate.simulate(jobs, processes=asked.processes, seed=asked.seed, into=WRITTEN_TO)
    return 0 if is_good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="the first drawn history's seed")
    parser.add_argument("--histories", type=int, help="how many histories are drawn")
    parser.add_argument("--schedule", help="play this one schedule and tell it step by step")
    parser.add_argument("--bounded", action="store_true", help="the part that fits into a minute")
    parser.add_argument("--all-pairs", action="store_true", help="every pair where rewards are")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
