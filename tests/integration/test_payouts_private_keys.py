"""The private halves of envelope keys: a bounded number, of which the newest stay."""

import pytest

from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.payouts.private_keys import store

pytestmark = pytest.mark.usefixtures("embedded_aws")


def test_of_more_keys_than_are_kept_the_oldest_goes() -> None:
    for number in (1, 2, 3):
        store.add(number, Personal(bytes([number]) * 32), keys_max=2)

    assert [store.get(number).reveal() for number in (2, 3)] == [b"\2" * 32, b"\3" * 32]
    with pytest.raises(TryAgain):
        store.get(1)


def test_a_key_that_a_run_wrote_which_died_is_written_over() -> None:
    for private in (b"\1" * 32, b"\2" * 32):
        store.add(1, Personal(private), keys_max=2)

    assert store.get(1).reveal() == b"\2" * 32
