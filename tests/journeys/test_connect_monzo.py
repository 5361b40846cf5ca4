"""A person connects Monzo and leaves again: over HTTP, against a bank on loopback."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.banks import monzo_oauth
from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.members import service as members
from chalicelib.members.connecting import store as connecting
from chalicelib.members.connecting import tokens
from chalicelib.members.connecting.model import TokenState
from chalicelib.members.connecting.tokens import NotConnected, ScopeNotHeld
from chalicelib.network import service as network
from chalicelib.network.model import Connection, ConnectionKey, KeyUse, Provider
from chalicelib.privacy import leaving
from chalicelib.runtime import aws, clock, rows
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.events import event
from tests.makers.members import user
from tests.makers.monzo_bank import CLIENT, MonzoBank, monzo_bank
from tests.makers.network import BANK, make_connection

pytestmark = pytest.mark.stores

TERMS = {"version": "2026-01", "channel": "bank_app"}


@pytest.fixture
def bank(embedded_aws: None, now: datetime) -> Iterator[MonzoBank]:
    clock.use(lambda: now)
    with monzo_bank() as running:
        network.record_connection(connection_to(running), now=now)
        make_client("bank", BANK)
        switched_on("ada")
        yield running


def connection_to(running: MonzoBank) -> Connection:
    return make_connection(
        provider=Provider.MONZO,
        api_url=running.url,
        auth_url=f"{running.url}/auth",
        client_id=CLIENT["client_id"],
        keys=(ConnectionKey(KeyUse.CLIENT, Personal(CLIENT["client_secret"])),),
    )


def switched_on(name: str) -> MemberId:
    body = {"terms": TERMS, "accounts": [{"id": f"acc-{name}"}]}
    said = call("PUT", f"/v1/members/{name}", token=token_of("bank"), body=body)
    return MemberId(said.body["member_id"])


def ticket_link() -> str:
    raw = event("connect_ticket")
    said = call("POST", f"/connect/{BANK}/tickets", token=token_of("bank"), raw=raw)
    assert said.status == 201
    url: str = said.body["url"]
    return url.removeprefix("https://api.counterfoil.test")


def state_given() -> str:
    said = call("GET", ticket_link())
    assert said.status == 302
    return parse_qs(urlsplit(said.headers["Location"]).query)["state"][0]


def came_back(bank: MonzoBank, *, by: str = "ada", code: str = "code-1") -> Said:
    bank.users[code] = by
    return call("GET", f"/connect/{BANK}/callback?code={code}&state={state_given()}")


def asked_status() -> Said:
    return call("GET", f"/connect/{BANK}/status?user=ada", token=token_of("bank"))


def stored_in_people() -> str:
    return repr(aws.client("dynamodb").scan(TableName=rows.settings.table("people"))["Items"])


def member_of(name: str, now: datetime) -> MemberId:
    return members.get_member(user(name), now=now).member_id


def test_sends_the_person_to_the_bank_with_a_state(bank: MonzoBank) -> None:
    said = call("GET", ticket_link())

    location = urlsplit(said.headers["Location"])
    asked = {name: values[0] for name, values in parse_qs(location.query).items()}
    assert f"{location.scheme}://{location.netloc}{location.path}" == f"{bank.url}/auth"
    assert asked.pop("state")
    assert asked == {
        "client_id": CLIENT["client_id"],
        "redirect_uri": f"https://api.counterfoil.test/connect/{BANK}/callback",
        "response_type": "code",
    }


def test_is_connected_once_the_person_approved_in_the_banks_app(bank: MonzoBank) -> None:
    back = came_back(bank)
    waiting = asked_status()
    bank.is_approved = True
    approved = asked_status()

    assert (back.status, back.body) == (202, {"status": "pending_approval"})
    assert waiting.status == 202
    assert (approved.status, approved.body) == (200, {"status": "connected"})
    assert [(one["account_id"], one["url"]) for one in bank.webhooks.values()] == [
        ("acc-ada", f"https://api.counterfoil.test/hooks/hook-of-{BANK}")
    ]


def test_connecting_again_registers_no_second_webhook(bank: MonzoBank) -> None:
    bank.is_approved = True
    came_back(bank)

    again = came_back(bank, code="code-2")

    assert again.body == {"status": "connected"}
    assert len(bank.webhooks) == 1


@pytest.mark.requirement("LNK-02")
def test_the_banks_tokens_are_unreadable_at_rest(bank: MonzoBank) -> None:
    bank.is_approved = True
    came_back(bank)

    assert "token#" in stored_in_people()
    assert "MARKER" not in stored_in_people()


def test_refuses_a_state_that_was_never_given_or_was_used(bank: MonzoBank) -> None:
    bank.users |= {"code-1": "ada", "code-2": "ada"}
    state = state_given()
    call("GET", f"/connect/{BANK}/callback?code=code-1&state={state}")
    before = stored_in_people()

    for bad in (state, "made-up", "", "x" * 300):
        said = call("GET", f"/connect/{BANK}/callback?code=code-2&state={bad}")
        assert (said.status, said.body["code"]) == (400, "bad_state")

    assert stored_in_people() == before
    assert "code-2" in bank.users


def test_refuses_a_state_after_ten_minutes(bank: MonzoBank, now: datetime) -> None:
    bank.users["code-1"] = "ada"
    state = state_given()
    clock.use(lambda: now + timedelta(minutes=10))

    said = call("GET", f"/connect/{BANK}/callback?code=code-1&state={state}")

    assert (said.status, said.body["code"]) == (400, "bad_state")
    assert "token#" not in stored_in_people()


def test_a_ticket_is_good_once_and_needed(bank: MonzoBank) -> None:
    link = ticket_link()
    call("GET", link)

    assert call("GET", link).status == 401
    assert call("GET", f"/connect/{BANK}/start").status == 401
    assert call("GET", f"/connect/{BANK}/start?user=ada").status == 401
    with_bearer = call("GET", f"/connect/{BANK}/start?user=ada", token=token_of("bank"))
    assert with_bearer.status == 302


@pytest.mark.parametrize("query", ["", "&code=unknown"])
def test_nothing_is_kept_without_a_good_code(bank: MonzoBank, query: str) -> None:
    said = call("GET", f"/connect/{BANK}/callback?state={state_given()}{query}")

    assert said.status == 400
    assert "token#" not in stored_in_people()


def test_another_persons_consent_is_handed_back(bank: MonzoBank) -> None:
    said = came_back(bank, by="mallory")

    assert (said.status, said.body["code"]) == (422, "somebody_else")
    assert bank.access == {}
    assert "token#" not in stored_in_people()


def connected(bank: MonzoBank, now: datetime) -> tuple[MemberId, Connection]:
    bank.is_approved = True
    came_back(bank)
    return member_of("ada", now), network.get_connection(BANK, now=now)


def test_a_token_is_used_until_shortly_before_its_end(bank: MonzoBank, now: datetime) -> None:
    member_id, connection = connected(bank, now)
    soon = now + timedelta(hours=5, minutes=55)

    first = monzo_oauth.access_token(member_id, connection, now=soon - timedelta(seconds=1))
    second = monzo_oauth.access_token(member_id, connection, now=soon)

    assert (first.reveal(), second.reveal()) == ("MARKER-access-ada-0", "MARKER-access-ada-1")
    assert bank.refreshes == 1


def test_a_token_that_the_bank_refused_is_refreshed_early(bank: MonzoBank, now: datetime) -> None:
    member_id, connection = connected(bank, now)
    first = monzo_oauth.access_token(member_id, connection, now=now)

    second = monzo_oauth.access_token(member_id, connection, refused=first, now=now)
    again = monzo_oauth.access_token(member_id, connection, refused=first, now=now)

    assert first != second == again
    assert bank.refreshes == 1


@pytest.mark.requirement("LNK-02")
def test_many_who_need_a_fresh_token_at_once_refresh_it_once(
    bank: MonzoBank, now: datetime
) -> None:
    member_id, connection = connected(bank, now)
    later = now + timedelta(hours=7)

    def ask(_: int) -> str:
        try:
            return monzo_oauth.access_token(member_id, connection, now=later).reveal()
        except TryAgain:
            return "again"

    with ThreadPoolExecutor(4) as threads:
        got = set(threads.map(ask, range(4)))

    assert got <= {"MARKER-access-ada-1", "again"}
    assert bank.refreshes == 1
    held = tokens.find(member_id, BANK, now=later)
    assert held is not None
    assert held.token.refresh == Personal("MARKER-refresh-ada-1")


@pytest.mark.requirement("LNK-14")
def test_a_consent_taken_back_at_the_bank_stops_everything(bank: MonzoBank, now: datetime) -> None:
    member_id, connection = connected(bank, now)
    bank.refresh.clear()

    with pytest.raises(NotConnected):
        monzo_oauth.access_token(member_id, connection, now=now + timedelta(hours=7))
    lost = asked_status().body
    holder = members.find_holder(BANK, account_ref="acc-ada", now=now)
    came_back(bank, code="code-2")

    assert lost == {"status": "lost"}
    assert isinstance(holder, members.NotHeld)
    found = members.find_holder(BANK, account_ref="acc-ada", now=now)
    assert not isinstance(found, members.NotHeld)
    assert found.member_id == member_id


@pytest.mark.requirement("RCP-16")
def test_a_token_is_for_reading_transactions_only(bank: MonzoBank, now: datetime) -> None:
    member_id, _ = connected(bank, now)
    held = tokens.find(member_id, BANK, now=now)

    assert held is not None
    assert (held.scope, held.state) == ("transactions:read", TokenState.CONNECTED)
    with pytest.raises(ScopeNotHeld):
        tokens.access_token(
            member_id,
            BANK,
            refresh=lambda _: pytest.fail("asked the bank"),
            scope="payments:write",
            now=now,
        )


@pytest.mark.requirement("LNK-02")
def test_leaving_revokes_the_token_at_the_bank_and_wipes_it(bank: MonzoBank, now: datetime) -> None:
    member_id, connection = connected(bank, now)

    said = call("DELETE", "/v1/members/ada", token=token_of("bank"))

    assert said.status == 204
    assert (bank.access, bank.webhooks) == ({}, {})
    assert "token#" not in stored_in_people()
    assert connecting.list_departures(now=now) == ()
    with pytest.raises(NotConnected):
        monzo_oauth.access_token(member_id, connection, now=now)


def test_a_bank_that_is_away_keeps_nobody_in(bank: MonzoBank, now: datetime) -> None:
    connected(bank, now)
    bank.is_away = True

    said = call("DELETE", "/v1/members/ada", token=token_of("bank"))
    still_waiting = leaving.finish_departures(now=now)
    bank.is_away = False
    waiting_after = leaving.finish_departures(now=now)

    assert said.status == 204
    assert (still_waiting, waiting_after) == (1, 0)
    assert (bank.access, bank.webhooks) == ({}, {})
    assert "departures" not in stored_in_people()
