"""The three endings of a step: it returns, it is `Rejected` for good, or it says `TryAgain`.

A refusal is defined beside what refuses, as a subclass of these two. Messages state a fact and
carry no personal value, because they are logged and answered.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class Rejected(Exception):
    """What was asked can never succeed as it stands.

    `code` is the stable word that answers, metrics and quarantine use. `field` names the place in
    the input (a JSON path such as `items[3].amount`), where there is one. `party` is whose message
    it was, or whom it was for, where that is known (`concerning`).
    """

    code = "rejected"
    party: str | None = None
    problems: tuple["Rejected", ...] = ()  # Each of several, where a document has more than one.

    def __init__(self, detail: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        if code is not None:
            self.code = code


@contextmanager
def concerning(party: str) -> Iterator[None]:
    """Name `party` in what is refused within, for whoever looks at it later."""
    try:
        yield
    except Rejected as refusal:
        refusal.party = refusal.party or party
        raise


class Malformed(Rejected):
    """The input does not parse or has not the documented shape."""

    code = "malformed"


class Misshapen(Malformed):
    """The input is well-formed JSON (or a message of ours) and has not the documented shape."""


class NotAllowed(Rejected):
    """The input parses and breaks a rule of its format or of this service."""

    code = "not_allowed"


class NotAsItStands(NotAllowed):
    """Nothing is wrong with the input: what is stored does not stand so that it could be done."""


class NotAgreed(NotAllowed):
    """The member has to agree to something first."""


class TooLarge(Rejected):
    """The input is over a documented limit."""

    code = "too_large"


class NotFound(Rejected):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"


class Conflicting(Rejected):
    """The same name came before with other content. Always worth an alarm."""

    code = "conflicting"


class SignatureMismatch(Rejected):
    """The sender did not prove who it is: signature, timestamp, or credential."""

    code = "signature_mismatch"


class TooOften(Rejected):
    """It was asked for too often; after `after_seconds` it may be asked for again."""

    code = "too_often"

    def __init__(self, detail: str, *, after_seconds: int) -> None:
        super().__init__(detail)
        self.after_seconds = after_seconds


class TryAgain(Exception):
    """A passing obstacle: throttled, changed underneath, or another party is not answering.

    `after_seconds` is the least time to wait, where somebody said so (a Retry-After header).
    """

    code = "try_again"

    def __init__(self, detail: str, *, after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.after_seconds = after_seconds
