"""Several processes at work on independent tasks. However it ends, none of them is left."""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")


class WorkerLost(Exception):
    """A process was ended from outside: mostly for want of memory."""


class Crew:
    """Does tasks; with one process, in this one."""

    def __init__(self, executor: ProcessPoolExecutor | None) -> None:
        self._executor = executor

    def do(
        self, task: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]
    ) -> Iterator[Result]:
        """`task` of each of `arguments`, in the order in which they are done.

        :raises WorkerLost: a process went away.
        """
        if self._executor is None:
            for one in arguments:
                yield task(*one)
            return
        asked = [self._executor.submit(task, *one) for one in arguments]
        for done in as_completed(asked):
            yield _result_of(done)


@contextmanager
def crew_of(processes: int) -> Iterator[Crew]:
    """A crew of so many processes, which is gone when the block ends, whatever ends it."""
    if processes == 1:
        yield Crew(None)
        return
    # Fresh interpreters: a fork would take along the locks of threads that draw a progress bar.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(processes, context, initializer=_leave_interrupts_to_parent)
    try:
        yield Crew(executor)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
            child.join()


def _result_of(done: Future[Result]) -> Result:
    try:
        return done.result()
    except BrokenProcessPool as error:
        raise WorkerLost("a process was ended from outside, perhaps for want of memory") from error


def _leave_interrupts_to_parent() -> None:
    """A terminal interrupts every process of the group, and tells each when it closes; the parent
    ends the others itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
