"""Faults: what may go wrong at one call, where it is put, and the record of the calls made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What goes wrong at a call to AWS or to a bank.

    The first five, and `repeated`, are played in pairs. "Lost" without more means every attempt of
    the SDK; "once" means the first, which the SDK then repeats by itself.
    """

    CRASH_BEFORE = "crash_before"  # the worker dies before the request leaves
    CRASH_AFTER = "crash_after"  # the worker dies when the request is done
    REQUEST_LOST = "request_lost"  # no attempt arrives
    ANSWER_LOST = "answer_lost"  # done, and the SDK repeats it; to a bank: done, never answered
    ANSWERS_LOST = "answers_lost"  # done again and again, and never answered
    REQUEST_LOST_ONCE = "request_lost_once"
    THROTTLED = "throttled"  # DynamoDB, SQS or KMS refuses every attempt
    THROTTLED_ONCE = "throttled_once"
    FAILED = "failed"  # answered 500 every time
    CONFLICTED = "conflicted"  # TransactionConflict on a plain write, or in a cancelled transaction
    STALE_BY_ONE = "stale_by_one"  # eventually consistent reads of this run miss the last write
    STALE = "stale"  # eventually consistent reads of this run see nothing written so far
    BANK_BUSY = "bank_busy"  # 429 with Retry-After
    BANK_FAILED = "bank_failed"  # 503
    PAUSED = "paused"  # the worker freezes; another runs; then it goes on (a zombie)
    PAUSED_TWICE = "paused_twice"  # as paused, while two others run
    PAUSED_LONG = "paused_long"  # as paused, until everything else is quiet
    REPEATED = "repeated"  # at call 0: what the run has done is delivered once more


PAIRED = (
    Kind.CRASH_BEFORE,
    Kind.CRASH_AFTER,
    Kind.REQUEST_LOST,
    Kind.ANSWER_LOST,
    Kind.ANSWERS_LOST,
)
ENDS_THE_RUN = (Kind.CRASH_BEFORE, Kind.CRASH_AFTER)
PAUSES = (Kind.PAUSED, Kind.PAUSED_TWICE, Kind.PAUSED_LONG)
_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}
_READS = {"GetItem", "BatchGetItem", "Query", "GetQueueUrl", "Decrypt", "GetSecretValue"}
_OF_AWS = (*PAIRED, Kind.REQUEST_LOST_ONCE, Kind.THROTTLED, Kind.THROTTLED_ONCE, Kind.FAILED)
_OF_BANKS = (*PAIRED[:4], Kind.BANK_BUSY, Kind.BANK_FAILED)
BANK = "bank"


class Crash(BaseException):
    """The worker's process dies here. No handler of ours may catch it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a worker made: `dynamodb` and `PutItem tills`, `bank` and `POST`.

    `may_lag` says that it is an eventually consistent read.
    """

    service: str
    name: str
    may_lag: bool = False

    def __str__(self) -> str:
        return f"{self.service}.{self.name}"


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` at call `call` (counted from 1) of handler run `run` (counted from 1)."""

    run: int
    call: int
    kind: Kind

    def __str__(self) -> str:
        return f"{self.run}.{self.call}.{self.kind.value}"


def parse_fault(text: str) -> Fault:
    """The fault that `str()` wrote. :raises ValueError: it is none."""
    run, call, kind = text.split(".")
    return Fault(int(run), int(call), Kind(kind))


def paired_at(call: Call) -> tuple[Kind, ...]:
    """What is played in pairs at `call`.

    To a read that the SDK repeats by itself nothing happens, so its answer is lost for good here.
    """
    if call.service == BANK:
        return _OF_BANKS[:4]
    is_read = call.name.split()[0] in _READS
    return tuple(k for k in PAIRED if not (is_read and k is Kind.ANSWER_LOST))


def kinds_at(call: Call) -> tuple[Kind, ...]:
    """Everything that can go wrong at `call`, what freezes the worker included."""
    if call.service == BANK:
        return (*_OF_BANKS, *PAUSES)
    kinds: tuple[Kind, ...] = _OF_AWS
    if call.name.split()[0] in _WRITES:
        kinds = (*kinds, Kind.CONFLICTED)
    if call.may_lag:
        kinds = (*kinds, Kind.STALE_BY_ONE, Kind.STALE)
    # Keys are fetched under a lock of the process, which the worker that runs meanwhile shares
    # here and nowhere else. Freezing before the next call shows the same.
    return kinds if call.service == "secretsmanager" else (*kinds, *PAUSES)


class Injector:
    """Counts the calls of one handler run and says what goes wrong at each.

    Between runs nothing is counted and nothing goes wrong. `pause` is called where a worker
    freezes, and returns when it goes on.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.pause: Callable[[], None] | None = None
        self._plan: Mapping[int, Kind] = {}
        self._otherwise: Kind | None = None
        self._is_running = False

    def begin(self, plan: Mapping[int, Kind], *, otherwise: Kind | None = None) -> None:
        """A handler run begins; `plan` says what goes wrong at which call, and `otherwise` what
        does at all others.
        """
        self.calls, self._plan, self._otherwise = [], plan, otherwise
        self._is_running = True

    def end(self) -> None:
        """The handler run is over."""
        self._is_running = False

    def meet(self, call: Call) -> Kind | None:
        """What goes wrong at this call, which is about to be made. :raises Crash: the end."""
        if not self._is_running:
            return None
        self.calls.append(call)
        kind = self._plan.get(len(self.calls), self._otherwise)
        if kind is Kind.CRASH_BEFORE:
            raise Crash
        if kind in PAUSES and self.pause is not None:
            if call.service != "secretsmanager":  # See `kinds_at`.
                self.pause()
            return None
        return kind
