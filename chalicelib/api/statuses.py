"""Which status a refusal is answered with: the first kind in the table that it is one of.

Every area's refusals are of kinds that the kernel names, so that an API that answers for one area
imports no other.
"""

from chalicelib.api import callers
from chalicelib.kernel.refusals import (
    Conflicting,
    Malformed,
    Misshapen,
    NotAgreed,
    NotAsItStands,
    NotFound,
    Rejected,
    SignatureMismatch,
    TooLarge,
    TooOften,
)


class UnsupportedMediaType(Rejected):
    """The `Content-Type` of the body is none that the operation takes."""

    code = "unsupported_media_type"


STATUS_BY_REFUSAL: tuple[tuple[type[Rejected], int], ...] = (
    (SignatureMismatch, 401),
    (callers.NotPermitted, 403),
    (NotFound, 404),
    (Conflicting, 409),
    (NotAsItStands, 409),
    (NotAgreed, 412),
    (TooLarge, 413),
    (TooOften, 429),
    (UnsupportedMediaType, 415),
    (Misshapen, 422),
    (Malformed, 400),
    (Rejected, 422),
)


def status_of(refusal: Rejected) -> int:
    """The HTTP status of `refusal`."""
    return next(status for kind, status in STATUS_BY_REFUSAL if isinstance(refusal, kind))
