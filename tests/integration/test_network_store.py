"""Participants: found by any of their names, remembered for under a minute, rotated safely."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import NotFound
from chalicelib.kernel.times import UnknownZone
from chalicelib.network import service, store
from chalicelib.network.identifiers import STORES_PER_IDENTIFIER_MAX, Identifier
from chalicelib.network.model import ConnectionKey, KeyUse, RetailerStatus
from chalicelib.network.programmes import UnknownProgramme
from tests.makers.calls import counting_dynamodb_calls
from tests.makers.network import (
    BAKERY,
    BANK,
    CINEMA,
    OTHER_BANK,
    make_connection,
    make_retailer,
    make_store,
    mid,
    narrative,
    tid,
)

pytestmark = pytest.mark.stores


@pytest.fixture
def shops(embedded_aws: None, now: datetime) -> None:
    """Two bakeries behind one merchant id, told apart by their terminals, and a cinema."""
    service.record_retailer(make_retailer(BAKERY))
    service.record_retailer(make_retailer(CINEMA, RetailerStatus.TEST))
    common = [mid("M1"), narrative("CRUMB AND KETTLE")]
    service.record_store(make_store("wharf", reference="1"), [*common, tid("T1")], now=now)
    service.record_store(make_store("mill", reference="2"), [*common, tid("T2")], now=now)
    service.record_store(make_store("screen", CINEMA, "1"), [mid("M2"), tid("T1")], now=now)


def ids_found(*merchant: Identifier, now: datetime) -> list[str]:
    return [found.store_id for found in service.find_stores(merchant, now=now)]


@pytest.mark.requirement("RCP-02")
def test_finds_the_stores_that_a_payment_names(shops: None, now: datetime) -> None:
    assert ids_found(mid("M1"), tid("T1"), now=now) == ["wharf"]
    assert ids_found(mid("M1"), now=now) == ["mill", "wharf"]
    assert ids_found(narrative("CRUMB AND KETTLE"), now=now) == ["mill", "wharf"]
    assert ids_found(mid("M2"), now=now) == ["screen"]
    assert ids_found(mid("M9"), now=now) == []


@pytest.mark.requirement("RCP-02")
def test_a_retailer_that_ended_is_not_in_the_network(shops: None, now: datetime) -> None:
    service.record_retailer(make_retailer(BAKERY, RetailerStatus.ENDED))

    assert ids_found(mid("M1"), now=now) == []
    assert service.find_store_for_till(BAKERY, reference="1", now=now) is None


def test_asks_dynamodb_once_for_a_shop_that_does_not_take_part(shops: None, now: datetime) -> None:
    with counting_dynamodb_calls() as calls:
        for seconds in range(0, 49, 7):
            assert ids_found(mid("M9"), tid("T"), now=now + timedelta(seconds=seconds)) == []

    assert calls == ["BatchGetItem"]


def test_answers_a_known_shop_from_memory(shops: None, now: datetime) -> None:
    ids_found(mid("M1"), tid("T1"), now=now)

    with counting_dynamodb_calls() as calls:
        assert ids_found(mid("M1"), tid("T1"), now=now + timedelta(seconds=49)) == ["wharf"]

    assert calls == []


def test_sees_a_change_made_by_another_process_within_a_minute(shops: None, now: datetime) -> None:
    assert ids_found(mid("NEW"), now=now) == []

    store.record_store(make_store("wharf", reference="1"), [mid("NEW")], now=now)

    assert ids_found(mid("NEW"), now=now + timedelta(seconds=10)) == []
    assert ids_found(mid("NEW"), now=now + timedelta(seconds=60)) == ["wharf"]


def test_a_store_is_no_longer_found_by_a_name_it_lost(shops: None, now: datetime) -> None:
    service.record_store(make_store("wharf", reference="1"), [mid("M3")], now=now)

    assert ids_found(mid("M1"), now=now) == ["mill"]
    assert ids_found(mid("M3"), now=now) == ["wharf"]
    assert ids_found(mid("M1"), tid("T1"), now=now) == ["mill"]


def test_refuses_the_fifty_first_store_of_one_name(shops: None, now: datetime) -> None:
    for number in range(STORES_PER_IDENTIFIER_MAX):
        service.record_store(make_store(f"s{number}"), [narrative("KIOSK")], now=now)

    with pytest.raises(store.TooManyStores) as refused:
        service.record_store(make_store("one-more"), [narrative("KIOSK")], now=now)
    service.record_store(make_store("s0"), [narrative("KIOSK")], now=now)

    assert (refused.value.code, refused.value.field) == ("too_many_stores", "narrative")
    assert len(ids_found(narrative("KIOSK"), now=now)) == STORES_PER_IDENTIFIER_MAX


def test_a_till_is_found_by_its_retailers_own_store_number(shops: None, now: datetime) -> None:
    found = service.find_store_for_till(BAKERY, reference=" 2 ", now=now)

    assert found == make_store("mill", reference="2")
    assert service.find_store_for_till(CINEMA, reference="2", now=now) is None


def test_a_till_is_found_by_identifiers_only_among_its_own_stores(
    shops: None, now: datetime
) -> None:
    find = service.find_store_for_till
    wharf = make_store("wharf", reference="1")

    assert find(BAKERY, identifiers=[mid("M1"), tid("T1")], now=now) == wharf
    assert find(BAKERY, reference="99", identifiers=[mid("M1"), tid("T1")], now=now) == wharf
    assert find(BAKERY, identifiers=[mid("M1")], now=now) is None
    assert find(CINEMA, identifiers=[mid("M1"), tid("T1")], now=now) is None


def test_lists_a_retailers_own_stores(shops: None, now: datetime) -> None:
    assert [one.store_id for one in service.list_stores(BAKERY, now=now)] == ["mill", "wharf"]
    assert [one.store_id for one in service.list_stores(CINEMA, now=now)] == ["screen"]
    assert service.get_store(StoreId("mill"), now=now).retailer_id == BAKERY
    with pytest.raises(NotFound):
        service.get_store(StoreId("nowhere"), now=now)


def test_refuses_a_store_in_no_zone_or_of_no_retailer(shops: None, now: datetime) -> None:
    with pytest.raises(UnknownZone):
        service.record_store(replace(make_store("x"), zone="Mars/Base"), [], now=now)
    with pytest.raises(NotFound):
        service.record_store(make_store("x", RetailerId("nobody")), [], now=now)
    with pytest.raises(store.StoreOfAnotherRetailer):
        service.record_store(make_store("wharf", CINEMA), [], now=now)

    assert [one.store_id for one in service.list_stores(CINEMA, now=now)] == ["screen"]


def test_a_connection_comes_back_whole(embedded_aws: None, now: datetime) -> None:
    connection = make_connection(
        keys=(ConnectionKey(KeyUse.VERIFY, Personal("whsec_MARKER"), now),),
        sources=(OTHER_BANK,),
    )

    service.record_connection(connection, now=now)

    found = service.get_connection(BANK, now=now)
    assert service.list_connections(now=now) == (found,)
    assert replace(found, keys_version="") == replace(connection, keys=())
    assert service.with_keys(found) == replace(connection, keys_version=found.keys_version)


def test_a_hook_is_found_whole_or_not_at_all_without_a_read(
    embedded_aws: None, now: datetime
) -> None:
    service.record_connection(make_connection(hook="h" * 43), now=now)
    service.record_connection(make_connection(OTHER_BANK, hook=""), now=now)

    found = service.find_connection_by_hook("h" * 43, now=now)
    assert found is not None
    assert found.connection_id == BANK
    with counting_dynamodb_calls() as calls:
        for guess in ("", "h" * 42, "h" * 44, "h" * 1000):
            assert service.find_connection_by_hook(guess, now=now) is None
    assert calls == []


def test_two_keys_are_valid_while_they_are_rotated(embedded_aws: None, now: datetime) -> None:
    first = ConnectionKey(KeyUse.VERIFY, Personal("one"))
    other = ConnectionKey(KeyUse.SIGN, Personal("mine"))
    service.record_connection(make_connection(keys=(other, first)), now=now)
    until = now + timedelta(days=1)

    for _ in range(2):  # A repeat changes nothing.
        service.rotate_key(BANK, KeyUse.VERIFY, Personal("two"), old_valid_until=until, now=now)

    connection = service.with_keys(service.get_connection(BANK, now=now))
    assert connection.keys_for(KeyUse.VERIFY, now=now) == ("two", "one")
    assert connection.keys_for(KeyUse.VERIFY, now=until) == ("two",)
    assert connection.keys_for(KeyUse.SIGN, now=until) == ("mine",)


def test_a_third_key_ends_the_oldest_at_once(embedded_aws: None, now: datetime) -> None:
    key = ConnectionKey(KeyUse.VERIFY, Personal("one"))
    service.record_connection(make_connection(keys=(key,)), now=now)
    until = now + timedelta(days=1)

    for value in ("two", "three"):
        service.rotate_key(BANK, KeyUse.VERIFY, Personal(value), old_valid_until=until, now=now)

    connection = service.with_keys(service.get_connection(BANK, now=now))
    assert connection.keys_for(KeyUse.VERIFY, now=now) == ("three", "two")


def test_refuses_a_connection_of_no_programme(embedded_aws: None, now: datetime) -> None:
    with pytest.raises(UnknownProgramme):
        service.record_connection(make_connection(programme="NONE"), now=now)

    assert service.list_connections(now=now) == ()
