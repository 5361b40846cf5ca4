""" "My stamp is missing": as banks say it, as staff see it, and as the schedule ends it."""

import json
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import payment_id_of
from chalicelib.loyalty.holding import service as holding
from chalicelib.loyalty.holding.model import HoldOutcome
from chalicelib.network import service as network
from chalicelib.network.access.clients import RECEIPTS_READ
from chalicelib.privacy import access_log
from chalicelib.purchases import service as purchases
from chalicelib.runtime import clock, observability, queues
from chalicelib.workers import cases
from infra.local.lambda_events import scheduled_event
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.events import event
from tests.makers.holds import HELD, ensure_queue, settled
from tests.makers.inquiries import SOON, redeem, start_rewards
from tests.makers.operating import WHY, operate
from tests.makers.outside import Counted, context
from tests.makers.purchases import BANK, PAID_AT, open_town, queued
from tests.makers.purchases import event as paid
from tests.makers.refunds import bought

pytestmark = pytest.mark.stores
PATH = "/v1/transactions/t-1/rewards/claims"
OF_ADA = "/v1/members/ada/rewards/claims"
PAYMENT = payment_id_of(BANK, "t-1")
SCHEDULED = scheduled_event("r", at=PAID_AT, event_id="1", region="eu-west-2")


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    ensure_queue(queues.REWARDS)
    clock.use(lambda: SOON)
    open_town()
    bought("t-1")
    start_rewards()
    make_client("bank", BANK)
    make_client("other", "meadow-bank")


def ask(method: str, path: str, *, client: str = "bank", scope: str = "") -> Said:
    return call(method, path, token=token_of(client, scope))


def look() -> None:
    """The schedule comes."""
    cases.look_at_cases(SCHEDULED, context("look_at_cases"))


def announced() -> list[str]:
    return [json.loads(body)["reason"] for body in queued(queues.NOTICES)]


def test_a_claim_is_opened_looked_into_granted_and_told() -> None:
    opened = ask("POST", PATH)
    again = ask("POST", PATH)
    redeem()
    look()
    ended = ask("GET", PATH)

    assert (opened.status, again.status) == (201, 200)
    assert opened.body == again.body == json.loads(event("claim_checking"))
    assert (ended.status, ended.body) == (200, json.loads(event("claim_granted")))
    assert ask("GET", OF_ADA).body == {"claims": [ended.body]}
    assert announced() == ["granted"]
    assert settled() == [(PAYMENT, 1)]


def test_a_payment_without_a_receipt_is_looked_at_again_and_waits() -> None:
    purchases.record_payment(paid("t-2"), now=SOON)

    opened = ask("POST", PATH.replace("t-1", "t-2"))
    network.forget()  # The schedule's process has asked for no shop yet.
    look()
    still = ask("GET", PATH.replace("t-1", "t-2"))

    assert (opened.status, opened.body["waits_for"]) == (201, "receipt")
    assert (still.status, still.body) == (200, opened.body)
    assert announced() == []


def test_what_has_earned_is_answered_at_once() -> None:
    redeem()

    said = ask("POST", PATH)

    assert (said.status, said.body["reason"]) == (201, "earned_already")
    assert announced() == ["earned_already"]


def test_the_schedule_releases_what_was_held_for_thirty_days() -> None:
    holding.hold(HELD, now=PAID_AT)
    clock.use(lambda: PAID_AT + timedelta(days=30))

    look()

    assert settled() == [(HELD.purchase_id, 1)]
    decision = holding.find_decision(HELD.subject, HELD.purchase_id, now=clock.now())
    assert decision is not None
    assert decision.outcome is HoldOutcome.RELEASED


def test_what_was_never_claimed_is_not_found() -> None:
    assert ask("GET", PATH).status == 404
    assert ask("GET", OF_ADA).body == {"claims": []}


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_nobody_elses_transaction_can_be_claimed(method: str) -> None:
    answers = [
        ask(method, PATH, client="other"),
        ask(method, PATH, scope="user:bela claims:write receipts:read"),
        ask(method, "/v1/transactions/unheard-of/rewards/claims"),
    ]

    assert [one.status for one in answers] == [404, 404, 404]
    assert len({json.dumps(one.body, sort_keys=True) for one in answers}) == 1
    assert settled() == []


def test_saying_so_needs_its_own_scope_and_a_token_for_one_user_reaches_that_one() -> None:
    assert ask("POST", PATH, scope=RECEIPTS_READ).status == 403
    assert ask("POST", PATH, scope="user:ada claims:write").status == 201
    assert ask("GET", OF_ADA, scope="user:bela members:read").status == 404


def test_staff_list_show_settle_and_refuse_with_a_reason_that_is_written_down() -> None:
    ask("POST", PATH)
    settled()
    listed = operate("list-claims")
    without = operate("show-claim", f"--payment={PAYMENT}")
    shown = operate("show-claim", f"--payment={PAYMENT}", WHY)
    anew = operate("settle-claim", f"--payment={PAYMENT}")
    refused = operate("refuse-claim", f"--payment={PAYMENT}", "--why=not_eligible", WHY)
    gone = operate("refuse-claim", f"--payment={PAYMENT}", "--why=not_eligible", WHY)

    assert listed.stdout.split() == ["2026-11-25", "12:02", PAYMENT, "person", "-"]
    assert without.exit_code == 1
    assert "7.70" not in without.stdout
    assert shown.stdout.splitlines() == [
        "checking  waits for person  due 2026-11-25 12:02",
        "2026-11-20 12:00:00  7.70 GBP",
        "receipt of wharf-lane  2 lines  back 0 minor",
    ]
    assert (anew.exit_code, refused.exit_code, gone.exit_code) == (0, 0, 1)
    assert settled() == [(PAYMENT, 1)]
    assert announced() == ["not_eligible"]
    found = access_log.list_accesses(SOON.date(), now=SOON)
    assert sorted(one.command for one in found) == ["refuse-claim", "show-claim"]


def test_what_nobody_looks_at_in_five_days_is_overdue(counted: Counted) -> None:
    seen: dict[str, float] = {}
    stop = observability.watch(lambda name, _keys, value, _unit: seen.update({name: value}))
    ask("POST", PATH)
    clock.use(lambda: SOON + timedelta(days=5))

    look()
    stop()

    assert (seen["claims_open"], seen["claims_overdue"]) == (1, 1)
    assert "overdue" in operate("list-claims").stdout
    assert counted["schedules_done:look_at_cases"] == 1
