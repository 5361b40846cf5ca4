"""A deployment in the middle of it all: today's code on the rewards of a release before."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.kernel.ids import ConnectionId
from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.books import store as books
from chalicelib.ledger.model import Balances
from chalicelib.ledger.verifying import verify_book
from chalicelib.network import service as network
from chalicelib.payouts import looking
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import clock, queues
from infra.local.sandbox_payments import SandboxPayments
from infra.local.serving import LoopbackServer
from tests.makers import frozen_rewards
from tests.makers.api import call, token_of
from tests.makers.bank_server import BankServer, bank_server
from tests.makers.frozen import captured, kinds, read_release, restored
from tests.makers.frozen_rewards import CLAIM, LEFT_AT, POINTS, live
from tests.makers.outside import Counted, dead_on, waiting_on, work
from tests.makers.paying import TOKEN, make_account, record_paying
from tests.makers.purchases import BANK
from tests.makers.rewarding import ADA, bring_back, card, money

pytestmark = pytest.mark.stores

every_release = pytest.mark.parametrize(
    "release", frozen_rewards.RELEASES, ids=lambda path: path.stem
)
LATER = LEFT_AT + timedelta(hours=2)
CARD = f"/v1/members/ada/schemes/{POINTS}"
QUEUES = (queues.REWARDS, queues.PAYOUTS, queues.NOTICES)


def test_the_frozen_release_holds_every_kind_of_row_and_message(embedded_aws: None) -> None:
    live()
    now_written = captured()
    if os.environ.get("FREEZE_RELEASE"):
        text = json.dumps(now_written, indent=1, sort_keys=True)
        frozen_rewards.NEWEST.write_text(text + "\n")

    assert kinds(now_written) == kinds(read_release(frozen_rewards.NEWEST))


@pytest.fixture
def bank() -> Iterator[BankServer]:
    """A bank that hears notices."""
    with bank_server() as server:
        yield server


@pytest.fixture
def deployed(embedded_aws: None, bank: BankServer) -> Iterator[Callable[[Path], None]]:
    """Put a release's rows back, reach bank and rail where they are now, and do all its work."""
    clock.use(lambda: LATER)
    rail = SandboxPayments(now=lambda: LATER, token=TOKEN)
    with LoopbackServer(rail.answer) as server:

        def deploy(release: Path) -> None:
            restored(read_release(release))
            frozen_rewards.forget()
            before = network.with_keys(network.get_connection(ConnectionId(BANK), now=LATER))
            reached = replace(before, told_at_url=f"{bank.url}/notices")
            record_paying(make_account(Rail.SANDBOX, api_url=server.url), connection=reached)
            network.forget()
            work(queues.REWARDS)
            looking.look_up_due(now=LATER)
            work(queues.PAYOUTS, queues.NOTICES)

        yield deploy


@every_release
def test_goes_on_where_the_release_before_stopped(
    deployed: Callable[[Path], None], bank: BankServer, counted: Counted, release: Path
) -> None:
    deployed(release)

    held = card(now=LATER)
    assert held is not None
    assert [fill.minor for fill in held.fills if not fill.undone_by] == [300, 300]
    assert [entry.held for entry in held.entries].count("many_in_an_hour") == 2
    # An offer gave half a pound seven times; one coffee in five of its first purchase came back.
    assert money(now=LATER) == (Balances("GBP", pending=340, available=300, paid=300),)
    heard = [json.loads(one.body)["type"] for one in bank.heard]
    assert Counter(heard) == {
        "reward.stamp_earned": 7,
        "reward.points_earned": 7,
        "reward.card_complete": 2,
        "reward.offer_redeemed": 7,
        "reward.adjusted": 3,
        "reward.paid": 1,
    }
    assert [dead_on(name) for name in QUEUES] == [0, 0, 0]
    assert ([waiting_on(name) for name in QUEUES], counted["quarantined"]) == ([0, 0, 0], 0)


@every_release
def test_what_the_release_before_gave_can_be_claimed_taken_back_and_proven(
    deployed: Callable[[Path], None], release: Path
) -> None:
    deployed(release)
    mug = {"reward": "mug"}
    claimed = call("PUT", f"{CARD}/claims/{CLAIM}", token=token_of("bank"), body=mug)
    code = claimed.body["code"]
    redeemed = call("POST", f"/v1/claims/{code}/confirm", token=token_of("till"), body={})
    bring_back("t-1", 4, reference="B-2", at=LATER)
    work(queues.REWARDS)
    missing = call("GET", "/v1/transactions/t-2/rewards/claims", token=token_of("bank"))

    assert (redeemed.status, redeemed.body["state"]) == (200, "redeemed")
    assert money(now=LATER) == (Balances("GBP", pending=300, paid=300),)
    assert (missing.status, missing.body["waits_for"]) == (200, "person")
    page = books.read_open_page(member_owner(ADA), now=LATER)
    assert page is not None
    closed = books.list_closed_pages(page.page.owner, before_number=page.page.number, now=LATER)
    assert verify_book([*closed, page]) == ()
