"""`make fuzz`: hostile requests to the running stack, judged by its own description.

Ends with 0 only if nothing was found. The figures and every finding are in `build/fuzz.json`.
"""

import json
import logging
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from infra.fuzzing import described, sent
from infra.fuzzing.world import World, opened

BUILD = Path(__file__).parents[2] / "build"
RESULT = BUILD / "fuzz.json"
ALL_PHASES = "examples,coverage,fuzzing,stateful"
WITHOUT_TOKENS_MAX = 10  # Nearly all of it is 401.
FINDINGS_SHOWN_MAX = 40


def main(
    seed: Annotated[int, typer.Option(help="Which requests to make up.")] = 1,
    examples: Annotated[
        int, typer.Option(help="Requests made up for each operation and phase.")
    ] = 100,
    count: Annotated[int, typer.Option(help="True requests to spoil and send.")] = 5_000,
    phases: Annotated[str, typer.Option(help="Phases of schemathesis.")] = ALL_PHASES,
) -> None:
    """Fuzz the API by its description and with spoilt true requests; print and keep the result."""
    console = Console()
    logging.getLogger(sent.LOGGER).setLevel(logging.ERROR)
    logging.getLogger(sent.LOGGER).addHandler(logging.NullHandler())
    started = time.monotonic()
    with opened(seed=seed) as world:
        result = _fuzz(world, console, seed=seed, examples=examples, count=count, phases=phases)
    result |= {"seed": seed, "seconds": round(time.monotonic() - started, 1)}
    BUILD.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    findings = [
        finding
        for part in ("described", "without_tokens", "sent")
        for finding in result.get(part, {}).get("findings", ())
    ]
    for finding in findings[:FINDINGS_SHOWN_MAX]:
        console.print(f"[red]found[/red] {escape(finding)}")
    console.print(
        f"{len(findings)} findings in {result['seconds']} seconds, seed {seed}. "
        f"All of it is in build/{RESULT.name}."
    )
    sys.exit(1 if findings else 0)


def _fuzz(
    world: World, console: Console, *, seed: int, examples: int, count: int, phases: str
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, with_tokens in (("described", True), ("without_tokens", False)):
        found = described.fuzz(
            world,
            BUILD / "fuzz",
            seed=seed,
            examples=examples if with_tokens else min(examples, WITHOUT_TOKENS_MAX),
            phases=phases if with_tokens else "fuzzing",
            with_tokens=with_tokens,
        )
        result[name] = asdict(found)
        console.print(
            f"{found.cases} made-up requests to {found.operations} operations, "
            f"{'with' if with_tokens else 'without'} credentials: {len(found.findings)} findings."
        )
    spoilt = sent.fuzz(world, seed=seed, count=count)
    result["sent"] = asdict(spoilt)
    console.print(
        f"{spoilt.cases} true requests, spoilt and signed: {len(spoilt.findings)} findings; "
        f"{spoilt.worked} messages worked off, {spoilt.dead} dead. Answers by status: "
        f"{_by_status(spoilt.answers)}."
    )
    return result


def _by_status(answers: dict[str, int]) -> str:
    statuses: dict[str, int] = {}
    for name, count in answers.items():
        status = name.rpartition(" ")[2]
        statuses[status] = statuses.get(status, 0) + count
    return ", ".join(f"{status} {statuses[status]}" for status in sorted(statuses))


if __name__ == "__main__":
    typer.run(main)
