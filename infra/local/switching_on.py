"""The people of the town switch the programme on in their banks' apps."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.kernel.ids import MemberId, encode_id
from chalicelib.kernel.personal import Personal
from chalicelib.members import service as members
from chalicelib.members.activation import Activation, GivenAccount, GivenCard
from chalicelib.members.connecting import tokens
from chalicelib.members.connecting.model import BankToken, TokenState
from chalicelib.members.model import Fresh, LinkKind, Member, Reference, TermsAcceptance
from chalicelib.members.service import Activated
from chalicelib.network.model import Connection, Provider
from chalicelib.network.programmes import FLUX
from infra.local.calling import call, call_form
from infra.local.sandbox_bank import MONZO_CLIENT, SandboxBank
from infra.local.setup import Setting
from infra.local.town import Person

BACK = "http://127.0.0.1/connected"  # Where a browser would be sent; nobody listens there.


def switch_on(setting: Setting, people: Sequence[Person], *, now: datetime) -> list[Member]:
    """Activate every member among `people` at their bank; Monzo's connect by OAuth too."""
    activated = []
    for person in people:
        if person.provider is Provider.MONZO:
            setting.bank.monzo.open_account(person.user, person.account)
        if not person.is_member:
            continue
        connection = setting.connections[person.provider]
        member = _activate(person, connection, now=now).member
        activated.append(member)
        if person.provider is Provider.MONZO:
            token = _authorise(setting.bank, person, now=now)
            state = TokenState.CONNECTED
            tokens.keep(member.member_id, connection.connection_id, token, state=state, now=now)
    return activated


def _activate(person: Person, connection: Connection, *, now: datetime) -> Activated:
    own = connection.connection_id
    activation = Activation(
        connection=connection,
        anchor=Reference(LinkKind.USER, own, person.user),
        terms=TermsAcceptance(FLUX.terms_version, now, "bank_app"),
        accounts=(GivenAccount(Reference(LinkKind.ACCOUNT, own, person.account)),),
        cards=(
            GivenCard(
                LastFour(person.card_digits, LastFourKind.CARD),
                person.scheme,
                Reference(LinkKind.CARD, own, person.card_token),
            ),
        ),
    )
    fresh = Fresh(MemberId(encode_id(secrets.token_bytes(17))), secrets.token_bytes(16))
    return members.activate(activation, fresh=fresh, now=now)


def _authorise(bank: SandboxBank, person: Person, *, now: datetime) -> BankToken:
    """Log in at the sandbox, take the code back, exchange it, and approve in the app."""
    asked = {"client_id": MONZO_CLIENT, "redirect_uri": BACK, "response_type": "code"}
    page = call("GET", f"{bank.monzo.url}/?{urlencode(asked | {'login': person.user})}")
    code = parse_qs(urlsplit(page.headers["location"]).query)["code"][0]
    form = asked | {"grant_type": "authorization_code", "code": code}
    secret = {"client_secret": bank.monzo_secret}
    granted = call_form("POST", f"{bank.monzo.url}/oauth2/token", form | secret).json()
    bank.monzo.approve(person.user)
    return BankToken(
        access=Personal(granted["access_token"]),
        refresh=Personal(granted["refresh_token"]),
        expires_at=now + timedelta(seconds=granted["expires_in"]),
    )
