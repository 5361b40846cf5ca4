"""Whatever is written as a scheme ends in a scheme that can be asked, or in a refusal."""

import copy
import json
from dataclasses import replace
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from chalicelib.api.scheme_shapes import read_document
from chalicelib.kernel.refusals import Rejected
from chalicelib.loyalty.schemes.checking import read_scheme
from chalicelib.loyalty.what_if import what_if
from tests.makers.events import event
from tests.makers.loyalty import OPENED, sale_line, sold
from tests.makers.schemes import AROUND, points, stamps

DOCUMENTS = (json.loads(event("scheme_put")), points(), stamps())
BASKET = sold(sale_line("0000", gross=760), sale_line("0001", gross=0), sale_line("0002"))
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 2, 10**12, 10**12 + 1, 2**63, 10**30]),
    st.sampled_from(["", "0", "1/0", "3/2", "999999/1", "day", "FREQ=DAILY", "x" * 600, "\x00"]),
    st.sampled_from(["FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2", "2026-02-30", "9999-12-31"]),
    st.sampled_from([[], {}, [{}], [[]], [None]]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    found = [path] if path else []
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for key, one in inner:
        found += places(one, (*path, key))
    return found


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A good document in which up to three places hold something else, or nothing."""
    document = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(places(document)))
        holder = document
        for key in path:
            holder = holder[key]
        if isinstance(holder, dict) and draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = copy.deepcopy(draw(VALUES))  # Else one list could hold itself.
        if not places(document):
            break
    return document


@settings(max_examples=200, phases=[Phase.generate])
@given(spoilt())
def test_a_spoilt_document_is_refused_or_can_be_asked(document: Any) -> None:
    try:
        scheme = read_scheme(read_document(document), AROUND, before=None)
    except Rejected as refusal:
        assert refusal.code
        assert all(one.field for one in refusal.problems)
        return

    running = replace(scheme, starts_at=OPENED)
    found = what_if(replace(BASKET, currency=scheme.currency), running)

    assert sum(share.units for share in found.award.shares) == found.award.units
