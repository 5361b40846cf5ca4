"""The work of a run in pieces that two processes share, and what they come to."""

import resource
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from infra.matchbench.contestants import contest, contest_live
from infra.matchbench.generating import blocks
from infra.matchbench.judging import Tally
from infra.matchbench.scenarios import Cell, Group, Split, groups

WORKERS = 2
PIECE_PAYMENTS = 6_000  # A piece takes seconds, so that the bar moves and memory stays small.


@dataclass(frozen=True, slots=True)
class Piece:
    """Some payments of one cell."""

    split: Split
    seed: int
    group: str
    cell: str
    number: int
    payments: int
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """What a piece came to. `peak_bytes` is the most memory its process has had so far."""

    piece: Piece
    tallies: dict[str, Tally]
    slips: int
    peak_bytes: int


@dataclass(slots=True)
class CellResult:
    """All pieces of a cell together."""

    cell: Cell
    tallies: dict[str, Tally] = field(default_factory=dict)
    slips: int = 0

    def add(self, played: Played) -> None:
        """Count a piece."""
        self.slips += played.slips
        for name, tally in played.tallies.items():
            self.tallies.setdefault(name, Tally()).add(tally)


def pieces_of(
    chosen: Sequence[Group], *, split: Split, seed: int, payments: int, is_live: bool = False
) -> Iterator[Piece]:
    """The pieces of `chosen`; each group has `payments`, shared evenly by its cells.

    Where the platform's own decision plays (`is_live`), the days are those of the other contest.
    """
    for group in chosen:
        of_cell = -(-payments // len(group.cells))
        for cell in group.cells:
            for number, begins in enumerate(range(0, of_cell, PIECE_PAYMENTS)):
                count = min(PIECE_PAYMENTS, of_cell - begins)
                yield Piece(split, seed, group.name, cell.name, number, count, is_live)


def play(piece: Piece) -> Played:
    """Draw the piece's days and let everybody answer."""
    street = next(
        cell.street
        for group in groups(piece.split)
        for cell in group.cells
        if (group.name, cell.name) == (piece.group, piece.cell)
    )
    seed = f"{piece.split.value}-{piece.seed}-{piece.group}-{piece.cell}-{piece.number}"
    tallies: dict[str, Tally] = {}
    slips = 0
    for block in blocks(street, seed=seed, payments=piece.payments):
        if piece.is_live:
            contest_live(block, tallies, seed=f"{seed}-live-{slips}")
        else:
            contest(block, tallies)
        slips += len(block.slips)
    return Played(piece, tallies, slips, peak_bytes())


def play_all(pieces: Sequence[Piece]) -> Iterator[Played]:
    """Play all pieces in two processes, each as it is done."""
    with ProcessPoolExecutor(max_workers=WORKERS) as pool:
        waiting = [pool.submit(play, piece) for piece in pieces]
        for done in as_completed(waiting):
            yield done.result()


def peak_bytes() -> int:
    """The most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts kilobytes.
