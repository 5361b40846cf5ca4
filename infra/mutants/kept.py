"""`build/mutants.json`: what became of each mutant when it was last tried.

A run of some of them changes nothing of what is known of the others. What was tried of a mutant
whose bug is another by now, or that is not there any more, is left out. Whoever names other tests
with a mutant tries it again.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.mutants.model import Mutant
from infra.mutants.trial import Tried, Verdict

KILLED_SHARE_MIN = 0.95


def read(path: Path, mutants: Sequence[Mutant]) -> tuple[Tried, ...]:
    """What `path` says of those of `mutants` that are as they were when they were tried."""
    if not path.exists():
        return ()
    bugs = {mutant.name: mutant.bug for mutant in mutants}
    each = json.loads(path.read_text())["each"]
    return tuple(
        Tried(**{**one, "verdict": Verdict(one["verdict"])})
        for one in each
        if bugs.get(one["name"]) == one["bug"]
    )


def add(path: Path, mutants: Sequence[Mutant], tried: Tried) -> None:
    """Write what became of one of `mutants` beside what is known of the others."""
    others = [one for one in read(path, mutants) if one.name != tried.name]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(summed_up([*others, tried]), indent=1) + "\n")


def summed_up(tried: Sequence[Tried]) -> dict[str, Any]:
    """What became of all of them: how many of which verdict, and each by module and name."""
    counts = Counter(one.verdict for one in tried)
    share = counts[Verdict.KILLED] / len(tried) if tried else 0.0
    is_spoilt = bool(counts[Verdict.STALE] or counts[Verdict.BROKEN])
    return {
        "is_good": share >= KILLED_SHARE_MIN and not is_spoilt,
        "mutants": len(tried),
        **{verdict.value: counts[verdict] for verdict in Verdict},
        "killed_share": round(share, 4),
        "seconds": round(sum(one.seconds for one in tried), 1),
        "each": [
            {**asdict(one), "verdict": one.verdict.value}
            for one in sorted(tried, key=lambda one: (one.module, one.name))
        ],
    }
