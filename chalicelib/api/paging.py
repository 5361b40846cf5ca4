"""How long a page of a list may be, as callers say it in `limit`."""

from chalicelib.api.rim import Inbound
from chalicelib.kernel.refusals import Misshapen

_DIGITS_MAX = 4


def limit_of(inbound: Inbound, *, default: int, most: int) -> int:
    """How many items the caller wants. :raises Misshapen: it is not 1 to `most`."""
    text = inbound.query.get("limit", str(default))
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
    if not is_number or not 1 <= int(text) <= most:
        raise Misshapen(f"the limit is not 1 to {most}", field="limit")
    return int(text)
