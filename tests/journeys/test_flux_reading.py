"""Banks that switched accounts on, as Flux's did, read receipts for the users of their payments."""

import pytest

from chalicelib.members import service as members
from chalicelib.members.activation import Activation, GivenAccount
from chalicelib.members.model import LinkKind, Reference, TermsAcceptance
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from tests.makers.api import Said, make_client
from tests.makers.journeys import (
    OPENED_AT,
    PAID,
    connection_of,
    open_town,
    send_receipts,
    till_receipt,
    token,
)
from tests.makers.members import numbered
from tests.makers.outside import ask, work
from tests.makers.signed_hooks import signed

pytestmark = pytest.mark.stores


def switch_account_on(provider: Provider) -> None:
    """A bank that knows accounts only, and the account of its sample payment."""
    open_town(providers=())
    bank = connection_of(provider)
    network.record_connection(bank, now=OPENED_AT)
    make_client(f"client-{bank.connection_id}", bank.connection_id)
    anchor = Reference(LinkKind.ACCOUNT, bank.connection_id, PAID[provider].account)
    terms = TermsAcceptance("2026-01", OPENED_AT, "flux")
    activation = Activation(bank, anchor, terms, (GivenAccount(anchor),))
    members.activate_account(activation, fresh=numbered(1), now=OPENED_AT)


def buy(provider: Provider) -> None:
    assert signed(provider).send().status == 200
    assert send_receipts(till_receipt(PAID[provider], f"R-{provider.value}")).status == 202
    work()


def read(provider: Provider, user: str | None, *, scope: str = "") -> Said:
    paid = PAID[provider]
    headers = {"Authorization": f"Bearer {token(f'client-{paid.connection_id}', scope)}"}
    asked = f"&userId={user}" if user else ""
    url = f"/receipts/v2/external?transactionId={paid.transaction}{asked}"
    return ask("GET", url, headers=headers)


@pytest.mark.requirement("RCP-03")
def test_the_user_of_the_payment_reads_its_receipt_and_nobody_else(embedded_aws: None) -> None:
    switch_account_on(Provider.FLUX_V1)
    buy(Provider.FLUX_V1)
    paid = PAID[Provider.FLUX_V1]

    asked = (paid.user, None, "usr-birch-220", paid.account, "acc-joint-9")
    answers = {user: read(Provider.FLUX_V1, user) for user in asked}

    assert {user: said.status for user, said in answers.items()} == {
        paid.user: 200,
        None: 200,
        "usr-birch-220": 404,
        paid.account: 404,  # The payment says who paid, and an account's name is no user's.
        "acc-joint-9": 404,
    }
    assert answers["usr-birch-220"].body["code"] == "NOT_SUPPORTED"


def test_a_token_for_the_user_of_the_payment_reads_its_receipt_too(embedded_aws: None) -> None:
    switch_account_on(Provider.FLUX_V1)
    buy(Provider.FLUX_V1)
    user = PAID[Provider.FLUX_V1].user

    assert read(Provider.FLUX_V1, None, scope=f"user:{user}").status == 200
    assert read(Provider.FLUX_V1, user, scope=f"user:{user}").status == 200
    assert read(Provider.FLUX_V1, None, scope="user:usr-birch-220").status == 404
    assert read(Provider.FLUX_V1, user, scope="user:usr-birch-220").status == 404


def test_a_payment_without_a_user_is_its_accounts(embedded_aws: None) -> None:
    switch_account_on(Provider.FLUX_V2)
    buy(Provider.FLUX_V2)

    assert read(Provider.FLUX_V2, PAID[Provider.FLUX_V2].account).status == 200
    assert read(Provider.FLUX_V2, "somebody").status == 404


@pytest.mark.requirement("RCP-03")
def test_a_member_of_the_accounts_name_reads_nothing_of_the_account(embedded_aws: None) -> None:
    switch_account_on(Provider.FLUX_V2)
    bank, paid = connection_of(Provider.FLUX_V2), PAID[Provider.FLUX_V2]
    namesake = Reference(LinkKind.USER, bank.connection_id, paid.account)
    terms = TermsAcceptance("2026-01", OPENED_AT, "bank_app")
    members.activate(Activation(bank, namesake, terms), fresh=numbered(2), now=OPENED_AT)
    buy(Provider.FLUX_V2)

    assert read(Provider.FLUX_V2, None).status == 200
    assert read(Provider.FLUX_V2, paid.account).status == 404


def test_a_user_who_is_a_member_besides_reads_what_they_paid_by_the_account(
    embedded_aws: None,
) -> None:
    switch_account_on(Provider.FLUX_V1)
    bank, paid = connection_of(Provider.FLUX_V1), PAID[Provider.FLUX_V1]
    payer = Reference(LinkKind.USER, bank.connection_id, paid.user)
    terms = TermsAcceptance("2026-01", OPENED_AT, "bank_app")
    members.activate(Activation(bank, payer, terms), fresh=numbered(2), now=OPENED_AT)
    buy(Provider.FLUX_V1)

    assert read(Provider.FLUX_V1, paid.user).status == 200


@pytest.mark.requirement("RCP-03")
def test_where_users_are_switched_on_by_name_the_name_decides(embedded_aws: None) -> None:
    open_town(providers=(Provider.FLUX_V1, Provider.FLUX_V2))
    buy(Provider.FLUX_V1)
    paid = PAID[Provider.FLUX_V1]

    assert read(Provider.FLUX_V1, paid.user).status == 200
    assert read(Provider.FLUX_V1, paid.account).status == 404
    buy(Provider.FLUX_V2)
    other = PAID[Provider.FLUX_V2]
    assert read(Provider.FLUX_V2, other.user).status == 200
    assert read(Provider.FLUX_V2, other.account).status == 404
