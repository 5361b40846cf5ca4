"""The operator's terminal: what is new is announced to all who want to hear of it."""

import pytest

from chalicelib.members.choices import Topic
from chalicelib.runtime import clock, queues
from tests.makers.bank_server import BankServer
from tests.makers.journeys import NOON
from tests.makers.launches import NAME, join, open_bank
from tests.makers.network import BAKERY, BANK, OTHER_BANK
from tests.makers.notices import told
from tests.makers.operating import operate
from tests.makers.outside import run_worker

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]


@pytest.fixture(autouse=True)
def two_banks(bank: BankServer) -> None:
    clock.use(lambda: NOON)
    open_bank(bank)
    join("ada", 1, Topic.PARTNERS)
    join("ben", 2, Topic.PARTNERS, connection=open_bank(bank, OTHER_BANK))


def work() -> None:
    while run_worker(queues.NOTICES).bodies:
        pass


def test_a_partner_is_announced_to_all_banks_once_and_listed(bank: BankServer) -> None:
    done = [operate("announce-partner", f"--retailer={BAKERY}") for _ in range(2)]
    work()
    listed = operate("list-announcements")

    assert [one.exit_code for one in done] == [0, 0]
    assert told(bank) == [("reward.partner_joined", 0)] * 2
    assert [line.split("  ")[2:] for line in listed.stdout.splitlines()] == [["done", "1"]] * 2


def test_a_partner_is_announced_to_one_bank_alone_and_stopped(bank: BankServer) -> None:
    begun = operate("announce-partner", f"--retailer={BAKERY}", f"--connection={BANK}")
    stopped = operate("stop-announcement", f"--name={NAME}")
    again = operate("announce-partner", f"--retailer={BAKERY}", f"--connection={BANK}")
    nothing = operate("stop-announcement", "--name=partner_joined#x#y")
    work()

    assert [one.exit_code for one in (begun, stopped, again, nothing)] == [0, 0, 1, 1]
    assert told(bank) == []
    assert "stopped: 0 members" in stopped.stderr


def test_what_is_no_campaign_is_not_announced(bank: BankServer) -> None:
    done = operate("announce-offer", f"--retailer={BAKERY}", "--campaign=spring")
    work()

    assert (done.exit_code, told(bank)) == (1, [])
