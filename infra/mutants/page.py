"""`python -m infra.mutants.page`: list the mutants in docs/mutants.md, with what became of each.

What became of them is taken from `build/mutants.json`; those that were not tried in that run keep
what the page says of them.
"""

import re
import sys
from collections.abc import Mapping

from infra.mutants import kept
from infra.mutants.catalogue import ALL, ROOT
from infra.mutants.run import RESULT
from infra.pages import with_tables

PAGE = ROOT / "docs" / "mutants.md"
NOT_TRIED = "–"
_ROW = re.compile(r"^\| `(\w+)` \| .* \| ([^|]*) \|$", re.MULTILINE)


def main() -> int:
    """Write the list."""
    text = PAGE.read_text()
    became = dict(_ROW.findall(text))
    for one in kept.read(RESULT, ALL):
        by, verdict = one.by.rpartition("::")[2], one.verdict.value
        became[one.name] = f"{verdict} by `{by}`" if by else verdict
    PAGE.write_text(with_tables(text, {"mutants": table(became)}))
    return 0


def table(became: Mapping[str, str]) -> str:
    """Every mutant by module and name, with its bug in a sentence and what became of it."""
    lines = ["| mutant | the bug | became |", "|---|---|---|"]
    for one in sorted(ALL, key=lambda mutant: (mutant.module, mutant.name)):
        lines.append(f"| `{one.name}` | {one.what} | {became.get(one.name, NOT_TRIED)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
