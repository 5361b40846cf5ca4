"""The trace of a request: X-Ray's where there is one, else made; never what just anybody says."""

from datetime import UTC, datetime

import pytest

from chalicelib.runtime import tracing

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FRESH = bytes(range(12))
MADE = "1-6b003640-000102030405060708090a0b"
ROOT = "1-67891233-abcdef012345678912345678"


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:a87bd80c:0", ROOT),
        (f"Sampled=1;Root={ROOT}", ROOT),
        (None, MADE),
        ("", MADE),
        ("Root=ada@example.test", MADE),
    ],
)
def test_takes_the_root_that_xray_names_or_makes_one(header: str | None, trace: str) -> None:
    assert tracing.new_trace(header, fresh=FRESH, now=NOON) == trace
    assert tracing.is_trace(trace)


def test_belongs_to_a_trace_only_meanwhile() -> None:
    with tracing.following(ROOT):
        with tracing.following(MADE):
            inner = tracing.current()
        outer = tracing.current()

    assert (inner, outer, tracing.current()) == (MADE, ROOT, None)


@pytest.mark.parametrize("text", ["", ROOT + "0", ROOT.upper(), f"x{ROOT}", "1-6789-abc"])
def test_believes_no_other_text_to_be_a_trace(text: str) -> None:
    assert not tracing.is_trace(text)
