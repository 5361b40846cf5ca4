"""Refunds that wait for a person, from the operator's terminal."""

from datetime import timedelta

import pytest

from chalicelib.kernel.ids import payment_id_of
from chalicelib.network import service as network
from chalicelib.privacy import access_log
from chalicelib.purchases.refunding import store, waiting
from chalicelib.purchases.refunds import refunded
from chalicelib.runtime import clock
from tests.makers.network import BAKERY
from tests.makers.operating import WHY, operate
from tests.makers.purchases import BANK, PAID_AT, open_town
from tests.makers.refunds import bought, purchase, refund, tell

pytestmark = pytest.mark.stores
A_WEEK_LATER = PAID_AT + timedelta(days=8, hours=3)
REFUND = payment_id_of(BANK, "t-9")
FIRST, SECOND = payment_id_of(BANK, "t-1"), payment_id_of(BANK, "t-2")


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()
    bought("t-1")
    bought("t-2", at=PAID_AT + timedelta(hours=2))
    tell(refund("t-9", 770))
    waiting.look_daily(A_WEEK_LATER)
    clock.use(lambda: A_WEEK_LATER)


def seen() -> list[tuple[str, str, str]]:
    found = access_log.list_accesses(A_WEEK_LATER.date(), now=A_WEEK_LATER)
    return [(one.command, one.subject, one.reason) for one in found]


@pytest.mark.requirement("SEC-09")
def test_lists_without_showing_and_shows_for_a_reason_alone() -> None:
    listed = operate("list-reviews")
    without = operate("show-review", f"--payment={REFUND}")
    shown = operate("show-review", f"--payment={REFUND}", WHY)

    rows = [line.split("  ") for line in listed.stdout.splitlines()]
    assert [row[:4] for row in rows] == [
        ["2026-11-28 12:01", REFUND, "several_purchases", SECOND],
        ["2026-11-28 12:01", REFUND, "several_purchases", FIRST],
    ]
    assert 0 < float(rows[1][4].removesuffix(" %")) < 50 < float(rows[0][4].removesuffix(" %"))
    assert "7.70" not in listed.stdout
    assert without.exit_code == 1
    assert "7.70" not in without.stdout
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0] == "2026-11-21 12:00:00  refund  7.70 GBP"
    assert len(shown.stdout.splitlines()) == 3
    assert seen() == [("show-review", REFUND, WHY.partition("=")[2])]


def test_decides_with_a_reason_that_is_written_down() -> None:
    refused = operate("decide-review", f"--payment={REFUND}", f"--purchase={SECOND}")
    done = operate("decide-review", f"--payment={REFUND}", f"--purchase={SECOND}", WHY)
    again = operate("decide-review", f"--payment={REFUND}", "--none", WHY)

    assert (refused.exit_code, done.exit_code, again.exit_code) == (1, 0, 1)
    assert [refunded(purchase(n, now=A_WEEK_LATER)).minor for n in ("t-1", "t-2")] == [0, 770]
    assert store.list_reviews(now=A_WEEK_LATER) == []
    assert seen() == [("decide-review", REFUND, WHY.partition("=")[2])]


def test_decides_that_it_is_of_no_purchase() -> None:
    both = operate("decide-review", f"--payment={REFUND}", f"--purchase={SECOND}", "--none", WHY)
    done = operate("decide-review", f"--payment={REFUND}", "--none", WHY)

    assert (both.exit_code, done.exit_code) == (2, 0)
    assert store.list_reviews(now=A_WEEK_LATER) == []
    assert seen() == [("decide-review", REFUND, WHY.partition("=")[2])]


def test_puts_a_brand_into_a_group() -> None:
    assert operate("change-retailer", f"--retailer={BAKERY}", "--group=crumbs").exit_code == 0
    assert operate("add-retailer", "--retailer=bun", "--name=Bun", "--group=crumbs").exit_code == 0

    assert network.list_group(BAKERY, now=A_WEEK_LATER) == (BAKERY, "bun")
