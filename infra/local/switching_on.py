"""The people of the town switch the programme on in their banks' apps, all over public HTTP."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

from chalicelib.network.model import Provider
from chalicelib.network.programmes import FLUX
from infra.local.calling import Answered, call, call_json
from infra.local.setup import Setting
from infra.local.town import Person


class NotSwitchedOn(Exception):
    """A step of switching on was not answered as it should be. The text says which, and how."""


def switch_on(setting: Setting, people: Sequence[Person], *, now: datetime) -> int:
    """Switch on every member among `people`; Monzo's consent by OAuth too. Returns how many.

    :raises NotSwitchedOn: the platform or the bank answered otherwise.
    """
    count = 0
    for person in people:
        if person.provider is Provider.MONZO:
            setting.bank.monzo.open_account(person.user, person.account)
        if person.is_member:
            _put_member(setting, person, now=now)
            count += 1
            if person.provider is Provider.MONZO:
                _connect_monzo(setting, person)
    return count


def _put_member(setting: Setting, person: Person, *, now: datetime) -> None:
    login = setting.bank_logins[person.provider]
    body = {
        "terms": {
            "version": FLUX.terms_version,
            "channel": "bank_app",
            "accepted_at": now.isoformat(timespec="seconds"),
        },
        "accounts": [{"id": person.account}],
        "cards": [
            {
                "last_four": person.card_digits,
                "last_four_kind": "card",
                "scheme": person.scheme,
                "token": {"value": person.card_token},
            }
        ],
    }
    url = f"{login.base_url}/v1/members/{quote(person.user, safe='')}"
    _expect(201, "switching on", call_json("PUT", url, body, headers=login.headers()))


def _connect_monzo(setting: Setting, person: Person) -> None:
    """What the person's browser does, then the tap in the bank's app."""
    login = setting.bank_logins[Provider.MONZO]
    base = f"{login.base_url}/connect/{setting.connections[Provider.MONZO].connection_id}"
    ticket = call_json("POST", f"{base}/tickets", {"user": person.user}, headers=login.headers())
    start = call("GET", _expect(201, "a ticket", ticket).json()["url"])
    page = _expect(302, "the start of the consent", start).headers["location"]
    back = call("GET", f"{page}&{urlencode({'login': person.user})}")
    callback = _expect(302, "the bank's page", back).headers["location"]
    _expect(202, "the way back", call("GET", callback))
    setting.bank.monzo.approve(person.user)
    status = f"{base}/status?{urlencode({'user': person.user})}"
    _expect(200, "the consent", call("GET", status, headers=login.headers()))
    if not setting.bank.monzo.hook_urls(person.account):
        raise NotSwitchedOn("the webhook was not registered with the bank")


def _expect(status: int, step: str, answer: Answered) -> Answered:
    if answer.status != status:
        text = answer.body.decode("utf-8", "replace")[:300]
        raise NotSwitchedOn(f"{step} was answered {answer.status}, not {status}: {text}")
    return answer
