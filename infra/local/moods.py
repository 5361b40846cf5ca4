"""How a sandbox can be told to misbehave, as real banks sometimes do."""

import threading
from collections import deque

from infra.local.serving import Reply


class Moods:
    """Answers to give instead of the right ones, in order; empty means to behave."""

    def __init__(self) -> None:
        self._replies: deque[Reply] = deque()
        self._lock = threading.Lock()

    def misbehave(self, status: int, *, times: int = 1, retry_after: str | None = None) -> None:
        """Answer the next `times` receipts with `status` (500, 429, 410, …)."""
        headers = {"Retry-After": retry_after} if retry_after is not None else {}
        reply = Reply(status, {"code": "sandbox.mood", "message": "told to misbehave"}, headers)
        with self._lock:
            self._replies.extend([reply] * times)

    def behave(self) -> int:
        """Give the right answers again; how many wrong ones were left."""
        with self._lock:
            left = len(self._replies)
            self._replies.clear()
            return left

    def next(self) -> Reply | None:
        """The next wrong answer, or None to behave."""
        with self._lock:
            return self._replies.popleft() if self._replies else None
