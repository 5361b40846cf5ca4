"""Leaving, and what a member may stop alone: at once, whole, and never found again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.cards import KnownDigits
from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.members import service
from chalicelib.members.activation import (
    Activation,
    GivenCard,
    ReceiptsAreTheService,
    ServiceNotOffered,
)
from chalicelib.members.connecting.model import Departure
from chalicelib.members.model import (
    Holder,
    MemberStatus,
    NotHeld,
)
from chalicelib.members.switching import Switch
from chalicelib.network.programmes import Service
from chalicelib.runtime import aws, rows, vault
from tests.makers.members import (
    card_four,
    card_token,
    make_activation,
    numbered,
    user,
)
from tests.makers.network import BANK, make_connection

pytestmark = pytest.mark.stores

VISA = GivenCard(card_four("4321"), "visa")


def switch_on(activation: Activation, number: int, now: datetime) -> MemberId:
    return service.activate(activation, fresh=numbered(number), now=now).member.member_id


def stored(table: str) -> list[dict[str, object]]:
    answer = aws.client("dynamodb").scan(TableName=rows.settings.table(table))
    return sorted(answer["Items"], key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


@pytest.mark.requirement("LNK-04")
def test_somebody_who_left_comes_back_as_somebody_new(embedded_aws: None, now: datetime) -> None:
    first = switch_on(make_activation(), 1, now)
    service.leave(user("ada"), now=now)

    second = switch_on(make_activation(), 2, now + timedelta(days=1))

    assert second != first
    found = service.find_holder(BANK, account_ref="acc-1", now=now)
    assert found == Holder(second, now + timedelta(days=1))


@pytest.mark.requirement("RCP-13")
def test_leaving_removes_every_link_and_name_at_once(embedded_aws: None, now: datetime) -> None:
    card = GivenCard(card_four("1111"), "visa", card_token("card-1"))
    activation = replace(make_activation(cards=(card,)), email=Personal("ada@example.test"))
    member_id = switch_on(activation, 1, now)

    left = service.leave(user("ada"), now=now)

    assert left == Departure(member_id, BANK, now)
    assert [item["pk"]["S"] for item in stored("people")] == ["departures"]
    gone = service.find_member(member_id, now=now)
    assert gone is not None
    assert (gone.status, gone.anchor, gone.accounts, gone.cards, gone.email) == (
        MemberStatus.LEFT,
        None,
        (),
        (),
        None,
    )
    assert service.member_key_of(member_id, now=now) == vault.member_key(numbered(1).salt)
    assert service.leave(user("ada"), now=now) is None


def test_leaving_and_changing_at_once_ends_in_one_of_the_two(
    embedded_aws: None, now: datetime
) -> None:
    switch_on(make_activation(), 1, now)

    def change(n: int) -> object:
        if n == 0:
            return service.leave(user("ada"), now=now)
        return switch_on(make_activation(accounts=("acc-2",)), n + 1, now)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(change, range(2)))

    people = stored("people")
    found = service.find_holder(BANK, account_ref="acc-2", now=now)
    # Either the change came first and then they left, or they left and are new.
    assert (found, len(people)) in (
        (NotHeld("not_a_member"), 1),
        (Holder(numbered(2).member_id, now), 3),
    )


def test_no_key_opens_what_was_sealed_for_a_forgotten_member(
    embedded_aws: None, now: datetime
) -> None:
    member_id = switch_on(make_activation(), 1, now)
    service.leave(user("ada"), now=now)

    service.shred(member_id)

    assert service.member_key_of(member_id, now=now) is None
    assert service.member_key_of(MemberId("nobody"), now=now) is None


@pytest.mark.requirement("LNK-02")
def test_no_reference_to_a_person_is_readable_at_rest(embedded_aws: None, now: datetime) -> None:
    activation = make_activation(
        "MARKER-user",
        accounts=("MARKER-account",),
        cards=(GivenCard(card_four("9876"), "visa", card_token("MARKER-card")),),
    )
    switch_on(replace(activation, email=Personal("MARKER@example.test")), 1, now)

    dump = repr(stored("wallets") + stored("people"))

    assert "MARKER" not in dump
    assert "9876" not in dump


def test_references_print_as_dots() -> None:
    activation = replace(make_activation("ada-lovely"), email=Personal("ada-lovely@x.test"))

    assert "ada-lovely" not in f"{activation} {activation!r} {activation.anchor}"


@pytest.mark.requirement("LNK-14")
def test_a_consent_taken_back_at_the_bank_stops_everything_until_it_is_given_anew(
    embedded_aws: None, now: datetime
) -> None:
    card = GivenCard(card_four("1111"), "visa", card_token("card-1"))
    member_id = switch_on(make_activation(cards=(card,)), 1, now)
    before = stored("people")

    def find_all() -> list[Holder | NotHeld]:
        return [
            service.find_holder(BANK, account_ref="acc-1", now=now),
            service.find_holder(BANK, card_ref="card-1", now=now),
            service.find_holder(BANK, user_ref="ada", now=now),
        ]

    service.suspend(member_id, now=now)
    suspended = find_all()
    service.resume(member_id, now=now)

    assert suspended == [NotHeld("not_a_member")] * 3
    assert find_all() == [Holder(member_id, now, KnownDigits((card_four("1111"),)))] * 3
    assert [(row["pk"], row["sk"]) for row in stored("people")] == [
        (row["pk"], row["sk"]) for row in before
    ]


@pytest.mark.requirement("RCP-13")
def test_receipts_cannot_stop_alone_and_extras_can(embedded_aws: None, now: datetime) -> None:
    switch_on(make_activation(), 1, now)
    bank = make_connection()
    assert service.get_member(user("ada"), now=now).services == {Service.RECEIPTS, Service.STAMPS}

    with pytest.raises(ReceiptsAreTheService):
        service.change_services(
            user("ada"), {Service.STAMPS: False, Service.RECEIPTS: False}, bank, now=now
        )
    unchanged = service.get_member(user("ada"), now=now)
    service.change_services(
        user("ada"), {Service.STAMPS: False, Service.OFFERS: True}, bank, now=now
    )

    assert unchanged.services == {Service.RECEIPTS, Service.STAMPS}
    changed = service.get_member(user("ada"), now=now)
    assert changed.services == {Service.RECEIPTS, Service.OFFERS}
    assert changed.switches == (
        Switch(Service.STAMPS, now, False),
        Switch(Service.OFFERS, now, True),
    )
    assert unchanged.switches == ()


def test_when_services_were_switched_is_not_kept_of_somebody_who_left(
    embedded_aws: None, now: datetime
) -> None:
    member_id = switch_on(make_activation(), 1, now)
    bank = make_connection()
    service.change_services(user("ada"), {Service.STAMPS: False}, bank, now=now)

    service.leave(user("ada"), now=now)

    left = service.find_member(member_id, now=now)
    assert left is not None
    assert left.switches == ()


@pytest.mark.requirement("RCP-03")
def test_a_service_that_the_bank_does_not_give_does_not_start(
    embedded_aws: None, now: datetime
) -> None:
    bank = make_connection(stamps=False, offers=False)
    switch_on(make_activation(connection=bank), 1, now)

    with pytest.raises(ServiceNotOffered):
        service.change_services(user("ada"), {Service.OFFERS: True}, bank, now=now)

    assert service.get_member(user("ada"), now=now).services == {Service.RECEIPTS}
