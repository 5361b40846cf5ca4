"""What a process remembers of the configuration, for less than a minute.

Absence is remembered as presence is, because most payments are made at shops that do not take part.
The age of an entry is told by the `now` of its readers, so simulated clocks work as real ones do.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

KEPT_SECONDS = 50  # A change is promised to be seen within 60; a late replica takes a few of those.

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """At most `entries_max` values by key, each for `KEPT_SECONDS`; the least used go first."""

    def __init__(self, *, entries_max: int) -> None:
        self._entries_max = entries_max
        self._entries: OrderedDict[K, tuple[datetime, V]] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: K, read: Callable[[], V], *, now: datetime) -> V:
        """The value of `key`, by `read` where none is remembered that is young enough."""
        known = self.known((key,), now=now)
        if key in known:
            return known[key]
        value = read()
        self.keep(key, value, now=now)
        return value

    def known(self, keys: Iterable[K], *, now: datetime) -> dict[K, V]:
        """The values remembered for `keys`; a key that is not there has to be read."""
        with self._lock:
            found = {}
            for key in keys:
                entry = self._entries.get(key)
                if entry is not None and _is_young(entry[0], now=now):
                    self._entries.move_to_end(key)
                    found[key] = entry[1]
            return found

    def keep(self, key: K, value: V, *, now: datetime) -> None:
        """Remember `value` for `key` as it was at `now`."""
        with self._lock:
            self._entries[key] = (now, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._entries_max:
                self._entries.popitem(last=False)

    def forget(self) -> None:
        """Remember nothing."""
        with self._lock:
            self._entries.clear()


def _is_young(read_at: datetime, *, now: datetime) -> bool:
    """Whether an entry still counts. One from the future is from before a clock was set back."""
    return timedelta(0) <= now - read_at < timedelta(seconds=KEPT_SECONDS)
