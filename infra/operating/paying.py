"""Paying cashback, as the operator's commands do it: accounts, files, reports, and last words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chalicelib.kernel.refusals import Malformed, Rejected, TryAgain
from chalicelib.payouts import hearing
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import Executed, Failed, Instruction, Returned
from chalicelib.payouts.rails.iso_reports import Unread
from chalicelib.payouts.rails.pain001 import PaymentFile
from chalicelib.payouts.reconciling import service as reconciling
from infra.operating import staff

OWNER_ONLY = 0o600  # Account numbers stand in it in the clear.
WORDS = ("executed", "failed", "returned")


@dataclass(frozen=True, slots=True)
class Heard:
    """One line of a bank's report, and what became of it: a state, or why it was not taken."""

    payout_id: str
    said: str
    ending: str
    is_taken: bool


def write_files(files: tuple[PaymentFile, ...], folder: Path) -> Iterator[Path]:
    """Write payment files that only their owner may read; returns where they lie."""
    for one in files:
        path = folder / one.name
        path.touch(mode=OWNER_ONLY)
        path.chmod(OWNER_ONLY)
        path.write_bytes(one.content)
        yield path


def hear_report(content: bytes, *, now: datetime) -> Iterator[Heard]:
    """Record every line of a bank's report; one that is refused or odd does not stop the others.

    :raises Malformed: the whole is no report that is known.
    """
    for line in hearing.read_report(content, now=now):
        if isinstance(line, Unread):
            yield Heard(line.payout_id, line.field, Malformed.code, is_taken=False)
            continue
        said = type(line.outcome).__name__
        try:
            after = hearing.take_reported(line, now=now)
        except (Rejected, TryAgain) as error:
            yield Heard(line.payout_id, said, error.code, is_taken=False)
            continue
        ending = after.state.value if after else "not_ours"
        yield Heard(line.payout_id, said, ending, is_taken=after is not None)


def settle(payout_id: str, word: str, because: str, *, now: datetime) -> Instruction:
    """Record what a person found out about a payout, and who it was.

    That ends what is disputed of it, and what reports say otherwise.

    :raises NoSuchPayout: there is none. :raises CannotBecome: not how it stands.
    """
    by = staff.note_access("settle-payout", payout_id, reason=f"{word}: {because}", now=now)
    outcomes: dict[str, Executed | Failed | Returned] = {
        "executed": Executed("", now),
        "failed": Failed(because, is_final=True),
        "returned": Returned(because, now),
    }
    after = payouts.settle(payout_id, outcomes[word], now=now)
    reconciling.end_of(after, note=because, by=by.reader, now=now)
    return after
