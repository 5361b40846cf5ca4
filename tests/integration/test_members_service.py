"""Switching on: once, whole, and found by every link."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.cards import KnownDigits
from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.pan import CardNumberFound
from chalicelib.kernel.refusals import NotFound, Rejected, TooLarge
from chalicelib.members import service
from chalicelib.members.activation import (
    Activation,
    GivenAccount,
    GivenCard,
    TermsNotAccepted,
)
from chalicelib.members.model import (
    Fresh,
    Holder,
    LinkKind,
    NotHeld,
    Reference,
    TermsAcceptance,
)
from chalicelib.runtime import aws, rows
from tests.makers.calls import counting_dynamodb_calls
from tests.makers.members import (
    ACCEPTED_AT,
    account,
    card_four,
    card_token,
    make_activation,
    numbered,
    user,
)
from tests.makers.network import BANK, CARD_NETWORK, OTHER_BANK, make_connection

pytestmark = pytest.mark.stores

VISA = GivenCard(card_four("4321"), "visa")


def switch_on(activation: Activation, number: int, now: datetime) -> MemberId:
    return service.activate(activation, fresh=numbered(number), now=now).member.member_id


def stored(table: str) -> list[dict[str, object]]:
    answer = aws.client("dynamodb").scan(TableName=rows.settings.table(table))
    return sorted(answer["Items"], key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


@pytest.mark.requirement("LNK-01")
def test_two_activations_at_once_make_one_member(embedded_aws: None, now: datetime) -> None:
    activations = [make_activation(accounts=(f"acc-{n}",)) for n in range(4)]

    with ThreadPoolExecutor(4) as threads:
        done = list(
            threads.map(
                lambda n: service.activate(activations[n], fresh=numbered(n), now=now), range(4)
            )
        )

    assert len({one.member.member_id for one in done}) == 1
    assert sorted(one.is_new for one in done) == [False, False, False, True]
    assert len(stored("wallets")) == 1
    last = service.get_member(user("ada"), now=now)
    assert len(last.accounts) == 1
    assert len(stored("people")) == 2  # the anchor and the one account that was given last
    assert service.find_holder(
        BANK, account_ref=last.accounts[0].reference.value, now=now
    ) == Holder(last.member_id, now)


@pytest.mark.requirement("LNK-01")
def test_the_same_activation_again_changes_nothing(embedded_aws: None, now: datetime) -> None:
    first = switch_on(make_activation(cards=(VISA,)), 1, now)
    before = stored("wallets"), stored("people")

    again = service.activate(
        make_activation(cards=(VISA,)), fresh=numbered(2), now=now + timedelta(days=1)
    )

    assert (again.member.member_id, again.is_new) == (first, False)
    assert (stored("wallets"), stored("people")) == before


@pytest.mark.requirement("LNK-03")
def test_a_member_is_found_by_every_account_and_card(embedded_aws: None, now: datetime) -> None:
    cards = (
        GivenCard(card_four("1111"), "visa", card_token("card-1")),
        GivenCard(card_four("2222"), "mastercard", card_token("card-2")),
    )
    member_id = switch_on(make_activation(accounts=("a", "b"), cards=cards), 1, now)

    holder = Holder(member_id, now, KnownDigits((card_four("1111"), card_four("2222"))))
    for found in (
        service.find_holder(BANK, account_ref="a", user_ref="ada", now=now),
        service.find_holder(BANK, account_ref="b", now=now),
        service.find_holder(BANK, card_ref="card-1", now=now),
        service.find_holder(BANK, card_ref="card-2", user_ref="ada", now=now),
        service.find_holder(BANK, account_ref="unknown", card_ref="card-1", now=now),
        service.find_holder(BANK, user_ref="ada", now=now),
    ):
        assert found == holder


@pytest.mark.requirement("RCP-12")
@pytest.mark.requirement("LNK-08")
def test_what_was_not_switched_on_is_no_members(embedded_aws: None, now: datetime) -> None:
    switch_on(make_activation(), 1, now)

    nobody = NotHeld("not_a_member")
    assert service.find_holder(BANK, account_ref="other", user_ref="ada", now=now) == nobody
    assert service.find_holder(BANK, card_ref="token", now=now) == nobody
    assert service.find_holder(BANK, user_ref="bob", now=now) == nobody
    assert service.find_holder(BANK, now=now) == nobody


@pytest.mark.requirement("RCP-03")
def test_one_banks_names_mean_nothing_at_another(embedded_aws: None, now: datetime) -> None:
    switch_on(make_activation(), 1, now)

    found = service.find_holder(OTHER_BANK, account_ref="acc-1", user_ref="ada", now=now)

    assert found == NotHeld("not_a_member")
    with pytest.raises(NotFound):
        service.get_member(user("ada", OTHER_BANK), now=now)
    assert service.leave(user("ada", OTHER_BANK), now=now) is None


def test_the_holders_of_a_joint_account_are_told_apart(embedded_aws: None, now: datetime) -> None:
    ada = switch_on(make_activation("ada", accounts=("joint",)), 1, now)
    bob = switch_on(make_activation("bob", accounts=("joint",)), 2, now)

    def find(payer: str | None) -> Holder | NotHeld:
        return service.find_holder(BANK, account_ref="joint", user_ref=payer, now=now)

    assert find("ada") == Holder(ada, now)
    assert find("bob") == Holder(bob, now)
    assert find("cyd") == NotHeld("joint_holder")
    assert find(None) == NotHeld("ambiguous_holder")


def test_finding_a_holder_costs_one_read(embedded_aws: None, now: datetime) -> None:
    switch_on(make_activation(), 1, now)

    with counting_dynamodb_calls() as calls:
        service.find_holder(BANK, account_ref="acc-1", user_ref="ada", now=now)

    assert calls == ["Query"]


@pytest.mark.requirement("LNK-07")
def test_a_holders_key_comes_with_the_holder(embedded_aws: None, now: datetime) -> None:
    fresh = numbered(1)
    service.activate(make_activation(), fresh=fresh, now=now)

    holder = service.find_holder(BANK, account_ref="acc-1", now=now)

    assert isinstance(holder, Holder)
    assert holder.salt == fresh.salt
    assert "salt" not in repr(holder)


def test_links_follow_what_the_bank_says(embedded_aws: None, now: datetime) -> None:
    token = GivenCard(card_four("1111"), "visa", card_token("card-1"))
    member_id = switch_on(make_activation(accounts=("a", "b"), cards=(token,)), 1, now)
    later = now + timedelta(days=1)

    service.activate(make_activation(accounts=("b", "c")), fresh=numbered(2), now=later)

    nobody = NotHeld("not_a_member")
    assert service.find_holder(BANK, account_ref="a", now=later) == nobody
    assert service.find_holder(BANK, card_ref="card-1", now=later) == nobody
    assert service.find_holder(BANK, account_ref="b", now=later) == Holder(member_id, now)
    assert service.find_holder(BANK, account_ref="c", now=later) == Holder(member_id, later)
    assert len(stored("people")) == 3


@pytest.mark.requirement("LNK-22")
@pytest.mark.requirement("LNK-06")
def test_a_card_of_another_provider_leads_to_the_same_member(
    embedded_aws: None, now: datetime
) -> None:
    bank = make_connection(sources=(CARD_NETWORK,))
    card = GivenCard(card_four("1111"), "visa", card_token("fidel-card", CARD_NETWORK))
    member_id = switch_on(make_activation(cards=(card,), connection=bank), 1, now)

    # The provider's own account id names no user of the bank, so it decides nothing.
    found = service.find_holder(
        CARD_NETWORK, card_ref="fidel-card", user_ref="their-account", now=now
    )

    assert found == Holder(member_id, now, KnownDigits((card_four("1111"),)))


@pytest.mark.requirement("LNK-22")
def test_refuses_a_card_of_a_provider_that_the_bank_does_not_use(
    embedded_aws: None, now: datetime
) -> None:
    card = GivenCard(reference=card_token("card", CARD_NETWORK))

    with pytest.raises(NotFound) as refused:
        switch_on(make_activation(cards=(card,)), 1, now)

    assert refused.value.field == "cards[0].token.connection"
    assert (stored("wallets"), stored("people")) == ([], [])


@pytest.mark.requirement("LNK-05")
@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (TermsAcceptance("2025-12", ACCEPTED_AT, "bank_app"), "terms.version"),
        (
            TermsAcceptance("2026-01", ACCEPTED_AT + timedelta(minutes=12), "bank_app"),
            "terms.accepted_at",
        ),
    ],
)
def test_nothing_starts_without_the_current_terms(
    embedded_aws: None, now: datetime, terms: TermsAcceptance, field: str
) -> None:
    with pytest.raises(TermsNotAccepted) as refused:
        switch_on(make_activation(terms=terms), 1, now)

    assert (refused.value.code, refused.value.field) == ("terms_not_accepted", field)
    assert (stored("wallets"), stored("people")) == ([], [])


@pytest.mark.requirement("LNK-05")
def test_keeps_which_terms_were_accepted_when_and_where(embedded_aws: None, now: datetime) -> None:
    switch_on(make_activation(), 1, now)
    again = TermsAcceptance("2026-01", ACCEPTED_AT + timedelta(minutes=1), "web")

    service.activate(make_activation(terms=again), fresh=numbered(2), now=now)

    kept = service.get_member(user("ada"), now=now).terms
    assert kept == TermsAcceptance("2026-01", ACCEPTED_AT, "bank_app")


@pytest.mark.requirement("SEC-05")
def test_refuses_a_card_number_for_a_name() -> None:
    with pytest.raises(CardNumberFound) as refused:
        Reference(LinkKind.CARD, BANK, "tok 4111 1111 1111 1111")

    assert "4111" not in str(refused.value)


def test_refuses_more_links_than_a_member_has() -> None:
    too_many = make_activation(accounts=tuple(f"a{n}" for n in range(21)))

    with pytest.raises(TooLarge) as refused:
        service.activate(too_many, fresh=numbered(1), now=ACCEPTED_AT)

    assert refused.value.field == "accounts"


def test_changes_every_link_of_a_full_member_in_one_go(embedded_aws: None, now: datetime) -> None:
    def full(prefix: str) -> Activation:
        cards = tuple(GivenCard(reference=card_token(f"{prefix}{n}")) for n in range(20))
        accounts = tuple(f"{prefix}{n}" for n in range(20))
        return make_activation(accounts=accounts, cards=cards)

    switch_on(full("old"), 1, now)
    switch_on(full("new"), 2, now)

    assert len(stored("people")) == 41
    assert service.find_holder(BANK, account_ref="old7", now=now) == NotHeld("not_a_member")


def account_only(name: str) -> Activation:
    return Activation(
        make_connection(), account(name), make_activation().terms, (GivenAccount(account(name)),)
    )


def test_an_account_alone_can_be_switched_on(embedded_aws: None, now: datetime) -> None:
    made = service.activate_account(account_only("acc-9"), fresh=numbered(1), now=now)
    again = service.activate_account(account_only("acc-9"), fresh=numbered(2), now=now)

    assert (made.is_new, again.is_new) == (True, False)
    holder = Holder(made.member.member_id, now)
    assert service.find_holder(BANK, account_ref="acc-9", user_ref="any", now=now) == holder
    service.leave(account("acc-9"), now=now)
    assert [item["pk"]["S"] for item in stored("people")] == ["departures"]


def test_an_account_of_a_member_is_on_already(embedded_aws: None, now: datetime) -> None:
    member_id = switch_on(make_activation(), 1, now)

    again = service.activate_account(account_only("acc-1"), fresh=numbered(2), now=now)

    assert (again.member.member_id, again.is_new) == (member_id, False)
    assert len(stored("wallets")) == 1


def test_the_same_account_twice_is_refused(embedded_aws: None, now: datetime) -> None:
    with pytest.raises(Rejected) as refused:
        switch_on(make_activation(accounts=("a", "a")), 1, now)

    assert (refused.value.code, refused.value.field) == ("malformed", "accounts")
    assert stored("wallets") == []


def test_a_fresh_pseudonym_is_used_for_one_person_only(embedded_aws: None, now: datetime) -> None:
    fresh: Fresh = numbered(1)
    service.activate(make_activation("ada"), fresh=fresh, now=now)

    with pytest.raises(Exception, match="changed by somebody else"):
        service.activate(make_activation("bob", accounts=()), fresh=fresh, now=now)

    assert len(stored("wallets")) == 1
