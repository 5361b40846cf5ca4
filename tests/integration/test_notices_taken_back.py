"""What is taken back is told wherever the bank may have heard of what was given."""

import pytest

from chalicelib.members.announcing import NoticeKind
from chalicelib.network.model import Provider
from tests.makers.bank_server import BankServer
from tests.makers.notices import make_announcement, member_of, open_banks, say, told

pytestmark = pytest.mark.stores


def test_what_is_taken_back_is_told_where_what_was_given_may_be_known(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    member_id = member_of(Provider.STANDARD).member_id
    given = make_announcement(member_id)
    say(given)

    say(
        make_announcement(member_id, may_be_known=True),
        make_announcement(member_id, NoticeKind.ADJUSTED, units=-2),
    )

    names = [one.headers["webhook-id"] for one in bank.heard]
    assert told(bank)[-1] == ("reward.adjusted", -2)
    assert names[:2] == [given.notice_id] * 2  # A repeat, which its bank knows by its id.
