"""`make mutants`: put each seeded mutant into a copy of the tree and let the tests find it.

Ends with 0 only if at least 95 % are killed, none is stale, and the tests pass without any.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from infra.mutants import kept
from infra.mutants.catalogue import ALL, ROOT
from infra.mutants.model import Mutant
from infra.mutants.trial import Tried, Verdict, copied, run_tests, try_mutant

RESULT = ROOT / "build" / "mutants.json"
PROCESSES = 2


def main(
    only: Annotated[
        str, typer.Option(help="Try those whose name or module holds one of these.")
    ] = "",
    processes: Annotated[int, typer.Option(help="How many are tried at once.")] = PROCESSES,
    *,
    is_rest: Annotated[
        bool, typer.Option("--rest", help="Try those only that are not known to be killed.")
    ] = False,
) -> None:
    """Try the mutants; print what became of each, and keep it as soon as it is known."""
    console = Console()
    known = kept.read(RESULT, ALL) if is_rest else ()
    mutants = rest_of(chosen(only), known)
    began = time.monotonic()
    tried, is_sound = [], True
    with ExitStack() as after:
        trees: SimpleQueue[Path] = SimpleQueue()
        for _ in range(processes):
            trees.put(after.enter_context(copied(ROOT)))
        is_sound = _passes_without(mutants, trees, console, processes=processes)
        for one in _try_all(mutants, trees, processes=processes) if is_sound else ():
            tried.append(one)
            kept.add(RESULT, ALL, one)
            console.print(f"{one.verdict.value:9}{one.name} ({one.seconds} s)", highlight=False)
    seconds = round(time.monotonic() - began, 1)
    summary = kept.summed_up(tried)
    _print(console, tried, summary, seconds=seconds)
    sys.exit(0 if is_sound and summary["is_good"] else 1)


def chosen(only: str) -> list[Mutant]:
    """The mutants whose name or module holds one of the words of `only`, which commas part."""
    return [one for one in ALL if any(w in one.name or w in one.module for w in only.split(","))]


def rest_of(mutants: Sequence[Mutant], known: Sequence[Tried]) -> list[Mutant]:
    """Those of `mutants` that are not known to be killed."""
    killed = {one.name for one in known if one.verdict is Verdict.KILLED}
    return [mutant for mutant in mutants if mutant.name not in killed]


def _passes_without(
    mutants: Sequence[Mutant], trees: "SimpleQueue[Path]", console: Console, *, processes: int
) -> bool:
    """Whether the tests pass on the sound tree: otherwise they would find anything."""
    files = sorted({file for mutant in mutants for file in mutant.killed_by})

    def run(file: str) -> tuple[Verdict, str]:
        tree = trees.get()
        try:
            return run_tests(tree, (file,))
        finally:
            trees.put(tree)

    with ThreadPoolExecutor(processes) as pool:
        failed = [by for verdict, by in pool.map(run, files) if verdict is not Verdict.SURVIVED]
    for by in failed:
        console.print(f"A test fails without any mutant: {by}")
    return not failed


def _try_all(
    mutants: Sequence[Mutant], trees: "SimpleQueue[Path]", *, processes: int
) -> Iterator[Tried]:
    """Each as soon as it is tried; as many at once as there are trees."""

    def tried(mutant: Mutant) -> Tried:
        tree = trees.get()
        try:
            return try_mutant(mutant, tree)
        finally:
            trees.put(tree)

    with ThreadPoolExecutor(processes) as pool:
        for done in as_completed([pool.submit(tried, mutant) for mutant in mutants]):
            yield done.result()


def _print(
    console: Console, tried: Sequence[Tried], summary: dict[str, Any], *, seconds: float
) -> None:
    table = Table("mutant", "what", "became", "by")
    for one in sorted(tried, key=lambda one: (one.verdict.value, one.module, one.name)):
        table.add_row(one.name, one.what, one.verdict.value, one.by.rpartition("::")[2])
    console.print(table)
    console.print(
        f"{summary['killed']} of {summary['mutants']} killed "
        f"({summary['killed_share']:.1%}), {summary['survived']} survived, "
        f"{summary['stale']} stale, {summary['broken']} broken, {seconds} seconds"
    )
    console.print(f"What became of each when it was last tried is in build/{RESULT.name}.")


if __name__ == "__main__":
    typer.run(main)
