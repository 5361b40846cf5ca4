"""Half of a surrogate pair is valid JSON and no text."""

import pytest

from chalicelib.kernel.refusals import Malformed
from chalicelib.runtime import wire


@pytest.mark.parametrize("text", ['{"a":"\\ud800"}', '["\\udfff"]', '{"\\ud83d":1.5}'])
def test_refuses_half_of_a_surrogate_pair(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        wire.read_json(text.encode())
    assert caught.value.code == "not_utf8"


def test_takes_a_whole_surrogate_pair_as_its_character() -> None:
    assert wire.read_json(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_leaves_card_numbers_to_the_reader_of_entries_where_it_asks_for_that() -> None:
    assert wire.parse_json(b'["4000056655665556"]') == ["4000056655665556"]
