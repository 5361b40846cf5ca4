"""Why a transaction has its receipt, and what its payer says of it: over the API, as banks ask."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.network.model import Provider
from chalicelib.runtime import queues
from infra.local import queue_time
from tests.makers.api import Said
from tests.makers.bank_server import bank_server
from tests.makers.banks import event_bytes
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt, token
from tests.makers.outside import Counted, ask, run_worker, stored_rows, waiting_on, work
from tests.makers.signed_hooks import changed, signed

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]
PATH = f"/v1/transactions/{PAYER.transaction}"
NOT_MINE, THIS_IS_MINE = f"{PATH}/match/not-mine", f"{PATH}/match/this-is-mine"
CARD_OF_ANOTHER = "Z9Y8X7"


@pytest.fixture
def town(embedded_aws: None) -> Iterator[None]:
    restore = queue_time.rule()
    open_town(providers=(Provider.STANDARD, Provider.FLUX_V2))
    yield
    restore()


def say(
    method: str, path: str, body: object = None, *, client: str = "standard", scope: str = ""
) -> Said:
    bearer = token(f"client-{client}", scope)
    raw = b"" if body is None else json.dumps(body).encode()
    return ask(method, path, headers={"Authorization": f"Bearer {bearer}"}, body=raw)


def sample(name: str) -> Any:
    """The file of `events/`, its numbers as any JSON library reads them."""
    return json.loads(event_bytes(name))


def work_off() -> None:
    """Everything that is queued, also for later, but what is to be told to banks."""
    for _ in range(3):
        queue_time.skip(60)
        work()


def matched() -> None:
    signed(Provider.STANDARD).send()
    send_receipts(till_receipt(PAYER))
    work()


def waits() -> None:
    """The till's clock is hours off and it says nothing of the card."""
    signed(Provider.STANDARD).send()
    paper = till_receipt(PAYER, issued_at="2026-11-20T08:00:00Z")
    paper["tenders"] = [{"kind": "card", "amount_minor": PAYER.minor}]
    send_receipts([paper])
    work()


@pytest.mark.requirement("RCP-11")
def test_tells_why_it_matched(town: None) -> None:
    matched()

    said = say("GET", f"{PATH}/match")

    assert (said.status, said.body) == (200, sample("match_matched"))


@pytest.mark.requirement("RCP-11")
def test_says_nothing_of_a_corrected_receipt_that_is_no_longer_true(town: None) -> None:
    matched()
    tender = {"kind": "card", "amount_minor": 990, "auth_code": CARD_OF_ANOTHER}
    receipt = till_receipt(PAYER, version=2, total_minor=990, tenders=[tender])
    receipt["lines"][1]["amount_minor"] = 390
    assert send_receipts([receipt]).status == 202
    work()

    match, shown = say("GET", f"{PATH}/match").body, say("GET", f"{PATH}/receipt").body

    stands = {one["what"]: (one["stand"], one.get("relation")) for one in match["evidence"]}
    assert stands["amount"] == ("differs", "bank_higher")
    assert stands["auth_code"] == ("differs", None)
    assert (match["reason"], match["version"]) == ("card_facts_agree", 2)
    assert match["words"].endswith(
        "The shop corrected the receipt since, and not all of that still holds."
    )
    assert (shown["why"], shown["agreements"]) == ("card_facts_agree", ["time"])


@pytest.mark.requirement("RCP-11")
def test_tells_why_it_waits_and_what_would_decide_it(town: None) -> None:
    waits()
    stored = stored_rows("tills", "wallets", "people")

    said = say("GET", f"{PATH}/match")

    assert (said.status, said.body) == (200, sample("match_waiting"))
    assert stored_rows("tills", "wallets", "people") == stored


def test_counts_rivals_and_says_nothing_else_of_them(town: None) -> None:
    signed(Provider.STANDARD).send()
    first = till_receipt(PAYER)
    second = till_receipt(PAYER, "R-2", issued_at="2026-11-20T11:41:26Z")
    second["lines"][0]["description"] = "A stranger's purchase"
    send_receipts([first, second])
    work()

    said = say("GET", f"{PATH}/match")

    assert (said.body["state"], said.body["reason"], said.body["rivals"]) == (
        "waiting",
        "several_receipts",
        2,
    )
    text = json.dumps(said.body)
    assert not any(word in text for word in ("stranger", "R-1", "R-2", "Flat white", "2130"))


def test_another_bank_or_user_learns_nothing(town: None) -> None:
    matched()

    answers = [
        say("GET", f"{PATH}/match", client="flux-v2"),
        say("GET", f"{PATH}/match", scope="user:somebody-else"),
        say("GET", "/v1/transactions/never-heard-of/match"),
        say("POST", NOT_MINE, {"version": 1}, client="flux-v2"),
        say("POST", NOT_MINE, {"version": 1}, scope="user:somebody-else"),
        say("POST", THIS_IS_MINE, {"reference": "R-1"}, client="flux-v2"),
    ]

    assert {(one.status, one.body["code"]) for one in answers} == {(404, "NOT_SUPPORTED")}
    assert len({json.dumps(one.body) for one in answers}) == 1
    assert say("GET", f"{PATH}/receipt").status == 200


def test_not_mine_takes_it_away_everywhere_at_once(town: None, counted: Counted) -> None:
    matched()

    said = say("POST", NOT_MINE, {"version": 1})

    assert said.status == 200
    assert (said.body["state"], said.body["reason"], said.body["version"]) == (
        "waiting",
        "not_mine",
        2,
    )
    reads = [
        say("GET", f"{PATH}/receipt"),
        say("GET", f"{PATH}/receipt?as=page"),
        say("GET", f"{PATH}/receipt?as=text"),
        say("GET", f"/receipts/external/{PAYER.transaction}"),
        say("GET", f"/receipts/v2/external?transactionId={PAYER.transaction}"),
    ]
    assert [(one.status, one.body["code"]) for one in reads] == [(404, "PENDING")] * 5
    bought = say("GET", "/v1/me/purchases", scope=f"user:{PAYER.user}")
    assert bought.body == {"products": []}
    assert counted["receipts_withdrawn:not_mine"] == 1


@pytest.mark.requirement("RCP-14")
def test_said_again_it_has_the_same_answer_and_changes_nothing(town: None) -> None:
    matched()
    first = say("POST", NOT_MINE, {"version": 1})
    work_off()
    stored = stored_rows("wallets", "people")

    again = say("POST", NOT_MINE, {"version": 1})

    assert (again.status, again.body) == (first.status, first.body)
    assert stored_rows("wallets", "people") == stored
    told = [turn["what"] for turn in again.body["history"]]
    assert told == ["authorised", "matched", "withdrawn"]
    assert again.body["history"][2]["why"] == "not_mine"


def test_it_never_comes_back_by_itself(town: None) -> None:
    matched()
    say("POST", NOT_MINE, {"version": 1})
    work_off()

    send_receipts(till_receipt(PAYER))
    cleared = changed(Provider.STANDARD, {"type": "payment.cleared"})
    signed(Provider.STANDARD, cleared, message_id="msg-2").send()
    work_off()

    assert say("GET", f"{PATH}/receipt").body["code"] == "PENDING"


@pytest.mark.parametrize("provider", list(Provider))
def test_every_bank_is_told_to_show_it_no_more(embedded_aws: None, provider: Provider) -> None:
    restore = queue_time.rule()
    paid = PAID[provider]
    with bank_server((200, {}, b'{"receiptUid": "uid-1"}')) as bank:
        open_town(bank.url, providers=(provider,))
        signed(provider).send()
        send_receipts(till_receipt(paid))
        work_off()
        run_worker(queues.DELIVERIES)
        shown = len(bank.heard)
        path = f"/v1/transactions/{paid.transaction}/match/not-mine"
        said = say("POST", path, {"version": 1}, client=paid.connection_id)
        run_worker(queues.DELIVERIES)
    restore()

    assert (said.status, shown, len(bank.heard)) == (200, 1, 2)
    assert waiting_on(queues.DELIVERIES) == 0
    after = bank.heard[1].body.decode()
    assert not any(word in after for word in ("R-1", "Flat white", "Crumb", str(paid.minor)))


def test_this_is_mine_joins_what_the_paper_names(town: None) -> None:
    waits()

    said = say("POST", THIS_IS_MINE, {"reference": " R-1 "})
    again = say("POST", THIS_IS_MINE, {"reference": "R-1"})

    assert (said.status, said.body["state"], said.body["reason"]) == (200, "matched", "said_mine")
    assert again.body == said.body
    assert say("GET", f"{PATH}/receipt").body["receipt"]["reference"] == "R-1"


def test_a_number_that_is_made_up_and_one_of_another_look_alike(town: None) -> None:
    waits()
    other = till_receipt(PAYER, "R-7", issued_at="2026-11-20T09:00:00Z")
    other["tenders"][0]["auth_code"] = CARD_OF_ANOTHER
    send_receipts([other])
    work()

    answers = [say("POST", THIS_IS_MINE, {"reference": name}) for name in ("R-7", "R-404")]

    assert [(one.status, one.body["code"]) for one in answers] == [
        (422, "receipt_not_confirmed"),
        (422, "receipt_not_confirmed"),
    ]
    assert answers[0].body == answers[1].body


def test_says_after_how_long_it_may_be_tried_again(town: None) -> None:
    waits()
    for _ in range(5):
        say("POST", THIS_IS_MINE, {"barcode": "404"})

    said = say("POST", THIS_IS_MINE, {"reference": "R-1"})

    assert (said.status, said.body["code"]) == (429, "too_many_attempts")
    assert said.headers["Retry-After"] == str(12 * 3600 + 1)
    assert NOON.hour == 12


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (THIS_IS_MINE, {}, "shape"),
        (THIS_IS_MINE, {"reference": "R-1", "barcode": "R-1"}, "shape"),
        (THIS_IS_MINE, {"reference": "   "}, "shape"),
        (THIS_IS_MINE, {"reference": "x" * 201}, "shape"),
        (NOT_MINE, {}, "shape"),
        (NOT_MINE, {"version": 0}, "shape"),
        (NOT_MINE, {"version": 1}, "nothing_to_withdraw"),
    ],
)
def test_refuses_what_says_nothing(
    town: None, path: str, body: dict[str, object], code: str
) -> None:
    waits()
    stored = stored_rows("tills", "wallets", "people")

    said = say("POST", path, body)

    assert (said.status, said.body["code"]) == (422, code)
    assert stored_rows("tills", "wallets", "people") == stored


def test_only_who_may_correct_matches_does(town: None) -> None:
    matched()

    answers = [
        say("POST", NOT_MINE, {"version": 1}, scope="receipts:read"),
        say("POST", THIS_IS_MINE, {"reference": "R-1"}, scope="receipts:read"),
    ]

    assert [one.status for one in answers] == [403, 403]
    assert say("GET", f"{PATH}/receipt").status == 200
