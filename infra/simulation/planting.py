"""How bugs are planted: requests are rewritten on their way to AWS, as if the platform had written
them so, or something goes wrong in the loop around a worker. No source is edited.
"""

from collections.abc import Callable
from dataclasses import dataclass

from infra.simulation.faults import Kind
from infra.simulation.items import Request

Rewrite = Callable[[str, Request], Request | None]


@dataclass(frozen=True, slots=True)
class Suspect:
    """Which requests a bug touches: `operation` on `table`, at keys whose sort key begins so."""

    operation: str
    table: str
    sk: str

    def is_met(self, operation: str, request: Request) -> bool:
        """Whether the request is one of them."""
        if operation != self.operation or not request["TableName"].endswith(f"-{self.table}"):
            return False
        key = request.get("Item") or request["Key"]
        return bool(key["sk"]["S"].startswith(self.sk))


class Bug:
    """A planted bug; this one does nothing.

    - `what` says it in a sentence. `shows_in` are the histories that bring it out.
    - `shows_by` are the faults that do, at calls whose name begins with `shows_at`; without any it
      shows by itself.
    """

    drops_consistency = False
    acknowledges_early = False
    hides_failures = False

    def __init__(
        self,
        name: str,
        what: str,
        shows_in: str,
        shows_by: tuple[Kind, ...] = (),
        shows_at: str = "",
    ) -> None:
        self.name = name
        self.what = what
        self.shows_in = shows_in
        self.shows_by = shows_by
        self.shows_at = shows_at

    def rewritten(self, _service: str, _operation: str, request: Request, /) -> Request | None:
        """The request as the platform would send it with this bug."""
        return request

    def key_sent(self, key: str, _number: int) -> str:
        """The idempotency key under which the rail gets its `_number`-th order."""
        return key

    def run_begins(self) -> None:
        """A handler run begins."""

    def run_ended(self) -> None:
        """A handler run has ended, and has not died."""


class Rewriting(Bug):
    """A bug that changes how one kind of write is sent. It shows by what happens at that write."""

    def __init__(
        self,
        name: str,
        what: str,
        shows_in: str,
        shows_by: tuple[Kind, ...],
        *,
        suspect: Suspect,
        change: Rewrite,
    ) -> None:
        at = f"dynamodb.{suspect.operation} {suspect.table}"
        super().__init__(name, what, shows_in, shows_by, at)
        self._suspect = suspect
        self._change = change

    def rewritten(self, service: str, operation: str, request: Request, /) -> Request | None:
        """The changed request, where it is one of the suspects."""
        if service == "dynamodb" and self._suspect.is_met(operation, request):
            return self._change(operation, request)
        return request


def without_condition(_operation: str, request: Request) -> Request:
    """The write whatever stands there."""
    return {name: value for name, value in request.items() if name != "ConditionExpression"}
