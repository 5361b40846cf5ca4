"""What a process remembers, and for how long."""

from datetime import timedelta

from chalicelib.network.caching import KEPT_SECONDS, Remembered
from tests.conftest import NOON


def test_reads_again_when_what_it_knows_is_too_old_or_from_the_future() -> None:
    remembered: Remembered[str, int | None] = Remembered(entries_max=2)
    reads: list[None] = []

    def recall(seconds: int) -> None:
        def read() -> None:
            reads.append(None)

        remembered.recall("shop", read, now=NOON + timedelta(seconds=seconds))

    recall(0)
    recall(KEPT_SECONDS - 1)
    assert len(reads) == 1  # That there is no such shop is remembered too.
    recall(KEPT_SECONDS)
    assert len(reads) == 2
    recall(0)
    assert len(reads) == 3


def test_forgets_what_was_used_least_when_it_is_full() -> None:
    remembered: Remembered[str, int] = Remembered(entries_max=2)
    remembered.keep("a", 1, now=NOON)
    remembered.keep("b", 2, now=NOON)
    remembered.known(["a"], now=NOON)

    remembered.keep("c", 3, now=NOON)

    assert remembered.known(["a", "b", "c"], now=NOON) == {"a": 1, "c": 3}
