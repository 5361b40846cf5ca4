"""Half of an escaped surrogate pair."""

import pytest

from chalicelib.kernel.refusals import Malformed
from chalicelib.runtime.wire import read_json


@pytest.mark.parametrize("raw", [rb'["\ud83d"]', rb'{"\udead": 1}', rb'[{"a": "x\uDC00"}]'])
def test_refuses_half_a_surrogate_pair_that_could_never_be_written_again(raw: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        read_json(raw)
    assert refusal.value.code == "not_utf8"


def test_reads_a_whole_surrogate_pair_and_an_escaped_backslash() -> None:
    assert read_json(rb'["\ud83d\ude00", "\\ud83d"]') == ["😀", "\\ud83d"]
