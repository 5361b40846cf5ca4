"""Held awards, from the operator's terminal."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import payment_id_of
from chalicelib.loyalty.holding import service, store
from chalicelib.privacy import access_log
from chalicelib.runtime import clock, queues
from tests.makers.holds import HELD, ensure_queue, settled
from tests.makers.operating import WHY, operate
from tests.makers.purchases import BANK, PAID_AT, open_town
from tests.makers.refunds import bought, purchase

pytestmark = pytest.mark.stores
SOON = PAID_AT + timedelta(hours=1)


@pytest.fixture(autouse=True)
def held(embedded_aws: None) -> str:
    ensure_queue(queues.REWARDS)
    open_town()
    bought("t-1")
    own = purchase("t-1")
    of_it = replace(
        HELD,
        purchase_id=payment_id_of(BANK, "t-1"),
        member_id=own.member_id,
        anchored_at=own.payment.anchored_at,
    )
    service.hold(of_it, now=PAID_AT)
    settled()
    clock.use(lambda: SOON)
    return of_it.hold_id


def seen() -> list[tuple[str, str, str]]:
    found = access_log.list_accesses(SOON.date(), now=SOON)
    return [(one.command, one.subject, one.reason) for one in found]


def test_lists_without_showing_and_shows_for_a_reason_alone(held: str) -> None:
    listed = operate("list-holds")
    without = operate("show-hold", f"--hold={held}")
    shown = operate("show-hold", f"--hold={held}", WHY)

    assert listed.stdout.split() == [
        "2026-11-20",
        "12:00",
        held,
        "many_in_an_hour",
        "coffee-card",
        "2",
        "units",
    ]
    assert without.exit_code == 1
    assert "7.70" not in without.stdout
    assert shown.exit_code == 0
    assert "7.70 GBP" in shown.stdout
    assert seen() == [("show-hold", held, WHY.partition("=")[2])]


@pytest.mark.parametrize("verdict", ["release", "refuse"])
def test_decides_with_a_reason_that_is_written_down(held: str, verdict: str) -> None:
    refused = operate("decide-hold", f"--hold={held}", f"--verdict={verdict}")
    done = operate("decide-hold", f"--hold={held}", f"--verdict={verdict}", WHY)

    assert (refused.exit_code, done.exit_code) == (1, 0)
    assert store.list_open(now=SOON) == []
    assert settled() == [(payment_id_of(BANK, "t-1"), 1)]
    assert seen() == [("decide-hold", held, WHY.partition("=")[2])]


def test_a_hold_that_is_not_there_is_refused(held: str) -> None:
    done = operate("decide-hold", "--hold=nothing", "--verdict=release", WHY)

    assert done.exit_code == 1
    assert len(store.list_open(now=SOON)) == 1
