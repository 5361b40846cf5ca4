"""The parameters of a path, decoded once.

A REST API hands them over as they came, percent-encoded, and so does Chalice's local server. An
HTTP API has decoded them already; its events alone tell their payload's version.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from chalicelib.kernel.refusals import Malformed

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def decode(parameters: Mapping[str, str], event: Mapping[str, Any]) -> dict[str, str]:
    """The `parameters` of `event` as their sender meant them. A `+` is a plus.

    :raises Malformed: one has a `%` that escapes nothing, or is not UTF-8.
    """
    if event.get("version"):
        return dict(parameters)
    return {name: _decoded(name, value) for name, value in parameters.items()}


def _decoded(name: str, value: str) -> str:
    if _BROKEN_ESCAPE.search(value):
        raise Malformed("the path has a % that is no escape; a % itself is %25", field=name)
    try:
        return unquote_to_bytes(value).decode()
    except ValueError as error:
        raise Malformed("the path is not UTF-8", field=name, code="not_utf8") from error
