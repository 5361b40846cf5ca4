"""A world in a process: the platform's clients, its bank connections and its clock are the world's.

What a process remembers is forgotten at the end, so that nothing of the simulation stays.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from chalicelib.runtime import clock
from chalicelib.runtime.observability import LOGGER_NAME
from infra.simulation.memory import forget_everything
from infra.simulation.world import World


@contextmanager
def a_world() -> Iterator[World]:
    """A world whose AWS, banks and clock the platform uses meanwhile."""
    world = World()
    with ExitStack() as after:
        after.callback(forget_everything)
        after.callback(world.aws.attach())
        after.callback(world.bank.attach())
        after.callback(_listen_for_bugs(world))
        after.callback(clock.use, None)
        clock.use(world.now)
        yield world


class _Bugs(logging.Handler):
    """Keeps what the platform logs as a failure; the rest is not even formatted."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception's type and words."""
        kind, error = (record.exc_info or (None, None, None))[:2]
        self._world.bugs.append(f"{kind.__name__ if kind else record.msg}: {error}")


def _listen_for_bugs(world: World) -> Callable[[], None]:
    log = logging.getLogger(LOGGER_NAME)
    level, propagates, handler = log.level, log.propagate, _Bugs(world)
    log.setLevel(logging.ERROR)
    log.propagate = False
    log.addHandler(handler)

    def stop() -> None:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagates

    return stop
