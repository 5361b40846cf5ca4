"""Who is calling: the bearer token of a machine client, checked without an AWS call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.refusals import Rejected, SignatureMismatch
from chalicelib.network.model import ClientKind


class NotPermitted(Rejected):
    """The caller is known and may not do this."""

    code = "not_permitted"


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified machine client. `subject` is the connection id or retailer id it acts for.

    `user` narrows the token to one of the bank's users, where the token was asked for with one.
    """

    client_id: str
    kind: ClientKind
    subject: str
    scopes: tuple[str, ...]
    user: str | None = None


def authenticate(headers: Mapping[str, str], scopes: tuple[str, ...], *, now: datetime) -> Caller:
    """The caller whose bearer token stands in `headers`.

    :raises SignatureMismatch: no token, or one that does not verify or has expired.
    :raises NotPermitted: the token lacks one of `scopes`.
    """
    raise SignatureMismatch("no credential was given")
