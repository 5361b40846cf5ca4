"""Paying cashback, as the operator's commands do it: accounts, files, reports, and last words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chalicelib.kernel.refusals import Rejected, TryAgain
from chalicelib.payouts import hearing
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import Executed, Failed, Instruction, Outcome, Reported, Returned
from chalicelib.payouts.rails.pain001 import PaymentFile

OWNER_ONLY = 0o600  # Account numbers stand in it in the clear.
WORDS = ("executed", "failed", "returned")


@dataclass(frozen=True, slots=True)
class Heard:
    """One line of a bank's report, and what became of it: a state, or why it was not taken."""

    reported: Reported
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
    """Record every line of a bank's report; a line that is refused does not stop the others.

    :raises Malformed: the whole is no report that is known.
    """
    for line in hearing.read_report(content, now=now):
        try:
            after = hearing.take_reported(line, now=now)
        except (Rejected, TryAgain) as error:
            yield Heard(line, error.code, is_taken=False)
            continue
        yield Heard(line, after.state.value if after else "not_ours", after is not None)


def settle(payout_id: str, word: str, because: str, *, now: datetime) -> Instruction:
    """Record what a person found out about a payout.

    :raises NoSuchPayout: there is none.
    """
    outcomes: dict[str, Outcome] = {
        "executed": Executed("by_staff", now),
        "failed": Failed(because, is_final=True),
        "returned": Returned(because, now),
    }
    return payouts.record_outcome(payout_id, outcomes[word], now=now)
