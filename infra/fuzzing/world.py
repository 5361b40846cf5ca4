"""The world that is fuzzed: the local stack with a member and a purchase at each kind of bank.

Without a real credential nothing gets past 401, and without a real transaction nothing gets past
404. So there are members, purchases and receipts, and the fuzzers know their names.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from chalicelib.network.model import Provider
from infra.local.calling import call_form
from infra.local.clockwork import SteppableClock
from infra.local.stack import STAGE, Stack

if TYPE_CHECKING:
    from infra.local.errands import Errand
    from infra.local.setup import Setting
    from infra.local.town import Town

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SWITCHED_ON_BEFORE = timedelta(hours=2)
PAID_BEFORE = timedelta(minutes=20)


class NotOpened(Exception):
    """The world did not come to be as it should. The text says at which step."""


@dataclass(frozen=True)
class World:
    """What a fuzzer needs to get past the door.

    - `tokens`: bearer tokens by client id; `user` is a bank's, narrowed to one person;
    - `names`: true values of path and query parameters, by the parameter's name;
    - `errands`: by provider, the purchase that its member made.
    """

    stack: Stack
    setting: "Setting"
    town: "Town"
    clock: SteppableClock
    tokens: dict[str, str]
    names: dict[str, list[str]]
    errands: dict[Provider, "Errand"]

    @property
    def base_url(self) -> str:
        """Where the app answers."""
        return self.stack.base_url


@contextmanager
def opened(*, seed: int, stage: str = STAGE) -> Iterator[World]:
    """A running stack; everything is made from `seed` but its keys and secrets."""
    clock = SteppableClock(NOON - SWITCHED_ON_BEFORE)
    with Stack(use_clock=clock, stage=stage) as stack:
        # These modules know row types, whose import needs the stage that the stack has set.
        from infra.local.setup import set_up
        from infra.local.switching_on import switch_on
        from infra.local.town import build_town

        town = build_town(Random(seed))
        people = [next(p for p in town.people if p.provider is one) for one in Provider]
        town = replace(town, people=tuple(people))
        setting = set_up(town, base_url=stack.base_url, now=clock.now, learns=True)
        try:
            switch_on(setting, people, now=clock.now())
            clock.step_to(NOON)
            errands = _shop(stack, setting, town)
            user = errands[Provider.STANDARD].payment.person.user
            tokens = _tokens(setting, user)
            yield World(stack, setting, town, clock, tokens, _names(setting, errands), errands)
        finally:
            setting.bank.stop()


def _shop(stack: Stack, setting: "Setting", town: "Town") -> dict[Provider, "Errand"]:
    """Everybody buys something; the bank tells of it, and the till sends the receipt."""
    from infra.local.errands import errand
    from infra.local.sandbox_senders import Outbox
    from infra.local.sandbox_till import send_receipts
    from infra.local.town import Route

    brand = next(brand for brand in town.brands if brand.route is Route.NATIVE)
    outbox = Outbox(now=lambda: NOON)
    errands: dict[Provider, Errand] = {}
    for number, person in enumerate(town.people):
        at = NOON - PAID_BEFORE + timedelta(minutes=number)
        one = errands[person.provider] = errand(number, person, brand, brand.shops[0], at=at)
        outbox.send(setting.lines[person.provider], [one.telling])
    answer = send_receipts(
        brand.route,
        setting.till_logins[brand.retailer_id],
        [one.receipt for one in errands.values()],
        retailer_id=brand.retailer_id,
        now=NOON,
    )
    if outbox.undelivered or answer.status != 202:
        raise NotOpened(f"the purchases were not taken: {outbox.undelivered} {answer.status}")
    stack.pump.drain()
    return errands


def _names(setting: "Setting", errands: dict[Provider, "Errand"]) -> dict[str, list[str]]:
    """The world's true names; those of the bank that asks come first, and stand alone where the
    other banks' would only be 404.
    """
    own = errands[Provider.STANDARD]
    person = own.payment.person
    return {
        "transaction": [own.transaction_id],
        "transactionId": [own.transaction_id],
        "user": [person.user, errands[Provider.MONZO].payment.person.user, "somebody-new"],
        "userId": [person.user],
        "account_id": [person.account, "an-account-of-nobody"],
        "connection": [setting.connections[Provider.MONZO].connection_id],
        "hook": [one.hook for one in setting.connections.values() if one.hook],
        "retailer": [own.brand.retailer_id],
        "reference": [own.receipt["reference"]],
        "as": ["text", "page", "json"],
    }


def _tokens(setting: "Setting", user: str) -> dict[str, str]:
    """Bearer tokens by client; `user` is the standard bank's own, narrowed to one person."""
    logins = [*setting.bank_logins.values(), *setting.till_logins.values()]
    bank = setting.bank_logins[Provider.STANDARD]
    form = {
        "grant_type": "client_credentials",
        "client_id": bank.client_id,
        "client_secret": bank.client_secret,
        "scope": f"receipts:read user:{user}",
    }
    answer = call_form("POST", f"{bank.base_url}/auth/oauth/token", form)
    if answer.status != 200:
        raise NotOpened(f"the token of one user was answered {answer.status}")
    narrowed = {"user": str(answer.json()["access_token"])}
    return {login.client_id: login.token() for login in logins} | narrowed
