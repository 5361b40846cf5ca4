"""The last step: answers in the order of the payments, refused lines in the order of the files."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO

import msgspec

from chalicelib.matching.why import Why
from infra.matchfiles import buckets
from infra.matchfiles.deciding import ANSWERS
from infra.matchfiles.job import Job
from infra.matchfiles.rows import AnswerRow, RefusedRow
from infra.matchfiles.spreading import REFUSED, Spread

DISPUTED_PROBABILITY = 0.5  # Two payments, each sure of the receipt: it is one's or the other's.


class AnswerLine(msgspec.Struct, frozen=True):
    """One line of the outcome."""

    payment_id: str
    receipt_id: str | None
    probability: float
    reason: str


class RefusedLine(msgspec.Struct, frozen=True):
    """One line of the side file: which line of which file is not used, and why."""

    file: str
    line: int
    code: str
    field: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """Lines of one file that were refused for one reason: how many, and the first of them."""

    file: str
    field: str | None
    detail: str
    first_line: int
    count: int


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: payments by reason; `matched` of them have a receipt."""

    answers_by_reason: Counter[str]
    matched: int


def write_answers(
    job: Job, stream: BinaryIO, *, disputed: Collection[int], report: Callable[[int, int], None]
) -> Written:
    """Write a line for each payment. `report` hears how many stretches are done, of how many.

    `disputed` are the offsets of payments that share a receipt: none of them gets it.
    """
    reasons: Counter[str] = Counter()
    matched = 0
    encode = msgspec.json.Encoder().encode
    parts = buckets.names(job.folder, ANSWERS)
    for number, part in enumerate(parts, start=1):
        rows = buckets.rows_of(job.folder, ANSWERS, part, AnswerRow)
        lines = [_line(row, is_disputed=row.offset in disputed) for row in rows]
        stream.write(b"".join(encode(line) + b"\n" for line in lines))
        reasons.update(line.reason for line in lines)
        matched += sum(line.receipt_id is not None for line in lines)
        report(number, len(parts))
    return Written(reasons, matched)


def write_refused(
    job: Job, stream: BinaryIO, name: str, spreads: Collection[Spread]
) -> list[Refusals]:
    """Write a line for each refused line of the file `name`, whose parts are `spreads`.

    Returns the reasons, the commonest first: where all lines are wrong alike, it is the export.
    """
    encode = msgspec.json.Encoder().encode
    lines_before = _lines_before(job, spreads)
    counts: Counter[tuple[str | None, str]] = Counter()
    first_lines: dict[tuple[str | None, str], int] = {}
    for part in buckets.names(job.folder, REFUSED[name]):
        before = lines_before.get(part, 0)
        for row in buckets.rows_of(job.folder, REFUSED[name], part, RefusedRow):
            line = RefusedLine(name, before + row.line, row.code, row.field, row.detail)
            stream.write(encode(line) + b"\n")
            reason = (row.field, row.detail)
            counts[reason] += 1
            first_lines.setdefault(reason, line.line)
    return [
        Refusals(name, *reason, first_lines[reason], count)
        for reason, count in counts.most_common()
    ]


def _lines_before(job: Job, spreads: Collection[Spread]) -> Mapping[str, int]:
    """How many lines of the file stand before each of its parts, by the part's name."""
    ordered = sorted(spreads, key=lambda spread: spread.part.number)
    before = accumulate((spread.lines for spread in ordered), initial=0)
    return {
        job.part_at(spread.part.start): lines
        for spread, lines in zip(ordered, before, strict=False)
    }


def _line(row: AnswerRow, *, is_disputed: bool) -> AnswerLine:
    if is_disputed:
        why = Why.RIVAL_PAYMENT.value
        return AnswerLine(row.payment_id, None, DISPUTED_PROBABILITY, why)
    return AnswerLine(row.payment_id, row.receipt_id, row.probability, row.reason)
