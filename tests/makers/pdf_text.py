"""The text of a PDF as it stands there: of those that fpdf2 writes with the core fonts."""

import re
import zlib

_STREAM = re.compile(rb"stream\n(.*?)\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\) Tj", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def texts_of(document: bytes) -> list[str]:
    """Every text that is shown, in the order in which it is drawn: a line of a cell each."""
    return [
        _ESCAPED.sub(rb"\1", shown).decode("latin-1")
        for stream in _STREAM.findall(document)
        for shown in _SHOWN.findall(_unpacked(stream))
    ]


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream
