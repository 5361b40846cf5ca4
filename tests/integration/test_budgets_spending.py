"""Budgets on real tables: once per purchase, never over, to the last penny, whatever dies."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from chalicelib.budgets import service, store, verifying
from chalicelib.budgets.leasing import SLOTS, SPENDS_MAX, Budget, CapTooLow, OpenLease
from chalicelib.budgets.service import ConflictingBudget, ConflictingSpend, Purse, Standing
from tests.conftest import NOON
from tests.makers.calls import counting_dynamodb_calls

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

PURSE = Purse("autumn", datetime(2026, 12, 24, tzinfo=UTC))
ON_REAL_DYNAMODB = bool(os.environ.get("COUNTERFOIL_REAL_DYNAMODB"))
LATER = NOON + timedelta(hours=1)


def open_budget(cap_minor: int) -> None:
    service.open_budget(PURSE.campaign_id, cap_minor=cap_minor, currency="GBP", now=NOON)


def buy(name: str, minor: int, *, slot: int = 0) -> int | None:
    """Spend for the purchase `name` as a worker does; the lease it was paid from, or None."""
    entry = service.entry_of(PURSE.campaign_id, name)
    for _ in range(50):
        number = service.lease_for(PURSE, slot=slot, wanted_minor=minor, now=NOON)
        if number is None or service.spend(PURSE, number, entry, minor, slot=slot, now=NOON):
            return number
    raise AssertionError("no lease was found in fifty attempts")


def give_back(name: str, number: int, kept_minor: int) -> None:
    entry = service.entry_of(PURSE.campaign_id, name)
    service.give_back(PURSE, number, entry, kept_minor, now=LATER)


def standing() -> Standing:
    assert verifying.list_faults(PURSE.campaign_id, now=LATER) == []
    return replace(service.get_standing(PURSE, now=LATER), spends=0)


def test_spends_once_however_often_it_is_asked() -> None:
    open_budget(6_400)
    number = buy("p-1", 40)
    assert number == 1

    again = service.spend(
        PURSE, number, service.entry_of(PURSE.campaign_id, "p-1"), 40, slot=0, now=NOON
    )

    assert again
    assert standing() == Standing("GBP", 6_400, 40, 6_360, is_closed=False)


def test_refuses_the_same_purchase_with_a_smaller_amount() -> None:
    open_budget(6_400)
    number = buy("p-1", 40)
    assert number is not None

    with pytest.raises(ConflictingSpend):
        service.spend(
            PURSE, number, service.entry_of(PURSE.campaign_id, "p-1"), 39, slot=0, now=NOON
        )

    assert standing().spent_minor == 40


def test_a_spend_costs_one_call_while_the_lease_is_remembered() -> None:
    open_budget(6_400)
    buy("p-1", 10)

    with counting_dynamodb_calls() as calls:
        buy("p-2", 10)

    assert calls == ["UpdateItem"]


def test_opens_another_lease_when_one_has_no_room_or_too_many_spends() -> None:
    open_budget(6_400)
    by_amount = [buy(f"a-{n}", 60) for n in range(3)]
    by_number = [buy(f"b-{n}", 1) for n in range(SPENDS_MAX + 1)]

    assert by_amount == [1, 2, 3]
    assert by_number == [3] * (SPENDS_MAX - 1) + [4, 4]
    assert standing() == Standing("GBP", 6_400, 217, 6_183, is_closed=False)
    head = store.find_budget(PURSE.campaign_id, now=NOON)
    assert head is not None
    assert (head.leases, head.spent_minor) == ({0: OpenLease(4, 100)}, 215)
    assert service.get_standing(PURSE, now=LATER).spends == 40


def test_spends_to_the_last_penny_and_not_one_more() -> None:
    open_budget(1_000)

    paid = [buy(f"p-{n}", 70, slot=n % SLOTS) is not None for n in range(17)]

    assert paid == [True] * 14 + [False] * 3
    assert standing() == Standing("GBP", 1_000, 980, 20, is_closed=False)
    assert buy("last", 20, slot=3) is not None
    assert standing().left_minor == 0


def test_gathers_what_several_leases_have_left_for_one_purchase() -> None:
    open_budget(400)
    for slot in range(SLOTS):
        buy(f"s-{slot}", 90, slot=slot)

    assert buy("large", 40, slot=1) is not None
    assert buy("too much", 1, slot=2) is None
    assert standing() == Standing("GBP", 400, 400, 0, is_closed=False)


def test_gives_back_to_an_open_lease_once() -> None:
    open_budget(640)
    number = buy("p-1", 8)
    assert number is not None

    give_back("p-1", number, 3)
    give_back("p-1", number, 3)
    give_back("p-1", number, 5)  # A run that is late: more was taken back since.

    assert standing() == Standing("GBP", 640, 3, 637, is_closed=False)


@pytest.mark.parametrize("is_settled", [True, False], ids=["settled", "closed by a crash"])
def test_gives_back_to_a_closed_lease_once(is_settled: bool) -> None:
    open_budget(640)
    number = buy("p-1", 8)
    assert number is not None
    if is_settled:
        service.close_budget(PURSE, now=NOON)
    else:
        store.close_lease(PURSE.campaign_id, number, now=NOON)

    give_back("p-1", number, 3)
    give_back("p-1", number, 3)
    give_back("p-1", number, 0)

    assert standing() == Standing("GBP", 640, 0, 640, is_closed=is_settled)


def test_a_purchase_given_back_is_not_paid_again_by_a_message_that_comes_late() -> None:
    open_budget(640)
    number = buy("p-1", 8)
    assert number is not None
    give_back("p-1", number, 0)

    entry = service.entry_of(PURSE.campaign_id, "p-1")
    assert service.spend(PURSE, number, entry, 8, slot=0, now=NOON)

    assert standing().spent_minor == 0


def test_what_dies_before_the_lease_is_written_is_finished_by_the_next() -> None:
    open_budget(640)
    head = store.find_budget(PURSE.campaign_id, now=NOON)
    assert head is not None
    dead = replace(head, leases={0: OpenLease(1, 10)}, next_number=2)
    store.record_budget(dead, after_version=head.version)

    assert buy("p-1", 8) == 1
    assert standing() == Standing("GBP", 640, 8, 632, is_closed=False)


def test_what_dies_after_closing_a_lease_leaves_its_money_for_the_next() -> None:
    open_budget(20)
    first = buy("p-1", 8)
    assert first == 1
    store.close_lease(PURSE.campaign_id, 1, now=NOON)

    assert buy("p-2", 12) == 2
    assert standing() == Standing("GBP", 20, 20, 0, is_closed=False)


def test_leases_nothing_of_a_closed_budget_nor_of_none() -> None:
    assert buy("p-0", 1) is None
    open_budget(640)
    buy("p-1", 8, slot=1)
    service.close_budget(PURSE, now=NOON)
    service.close_budget(PURSE, now=NOON)

    assert buy("p-2", 1, slot=2) is None
    assert standing() == Standing("GBP", 640, 8, 632, is_closed=True)


def test_a_lease_that_is_closed_takes_no_spend_of_a_process_that_remembers_it() -> None:
    open_budget(640)
    buy("p-1", 8)
    service.close_budget(PURSE, now=NOON)

    assert buy("p-2", 1) is None
    assert standing().spent_minor == 8


def test_what_was_spent_of_a_lease_that_is_forgotten_is_not_spent_again() -> None:
    open_budget(6_400)
    number = buy("p-1", 40)
    assert number == 1
    service.bring_back(PURSE, now=NOON)
    store.LeaseRow("campaign#autumn", "lease#00000001").delete()
    entry = service.entry_of(PURSE.campaign_id, "p-1")

    said = [service.spend(PURSE, one, entry, 40, slot=0, now=LATER) for one in (1, 2)]

    assert said == [True, False]  # There was no second lease.
    assert service.get_standing(PURSE, now=LATER).spent_minor == 40


def test_the_cap_can_rise_and_can_fall_to_what_is_spent_and_leased() -> None:
    open_budget(640)
    buy("p-1", 8)

    open_budget(1_280)
    open_budget(10)
    with pytest.raises(CapTooLow):
        open_budget(9)
    with pytest.raises(ConflictingBudget):
        service.open_budget(PURSE.campaign_id, cap_minor=10, currency="EUR", now=NOON)

    assert standing() == Standing("GBP", 10, 8, 2, is_closed=False)


def test_of_two_who_change_the_budget_at_once_the_slower_changes_nothing() -> None:
    open_budget(6_400)
    head = store.find_budget(PURSE.campaign_id, now=NOON)
    assert head is not None

    is_written = [
        store.record_budget(replace(head, cap_minor=cap_minor), after_version=head.version)
        for cap_minor in (7_000, 8_000)
    ]

    assert is_written == [True, False]
    assert standing() == Standing("GBP", 7_000, 0, 7_000, is_closed=False)


def test_names_every_fault_of_rows_that_were_spoilt() -> None:
    store.record_new_budget(Budget(PURSE.campaign_id, "GBP", 10, spent_minor=4))
    head = store.find_budget(PURSE.campaign_id, now=NOON)
    assert head is not None
    spoilt = replace(head, leases={0: OpenLease(1, 7)}, next_number=2)
    store.record_budget(spoilt, after_version=1)

    faults = verifying.list_faults(PURSE.campaign_id, now=NOON)

    assert faults == [verifying.Fault.OVER_CAP, verifying.Fault.SPENT_DIFFERS]


# moto answers one call after the other, so that there fewer threads show as much.
THREADS, EACH = (16, 24) if ON_REAL_DYNAMODB else (4, 4)


@pytest.mark.requirement("OFR-09")
def test_many_threads_spend_a_budget_to_the_last_penny_and_never_over() -> None:
    """Every purchase is asked for twice, by two threads; a third of them is given back."""
    cap = THREADS * EACH * 5
    open_budget(cap)
    together = Barrier(THREADS)

    def work(worker: int) -> dict[str, int]:
        paid = {}
        together.wait()
        for n in range(EACH * 2):
            name = f"{worker // 2}-{n}"
            minor = 5 + n % 7
            number = buy(name, minor, slot=(worker // 2) % SLOTS)
            if number is not None:
                paid[name] = minor
            if n % 3 == 0 and number is not None and worker % 2:
                give_back(name, number, 0)
        return paid

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    for n in range(cap):
        if buy(f"rest-{n}", 1, slot=n % SLOTS) is None:
            break

    assert standing() == Standing("GBP", cap, cap, 0, is_closed=False)
