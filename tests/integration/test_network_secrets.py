"""Keys of connections and signing keys: fetched once, found after a crash, moved from rows."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.network import service
from chalicelib.network.access import keys
from chalicelib.network.connections import store
from chalicelib.network.model import Connection, ConnectionKey, KeysNotFetched, KeyUse, Provider
from chalicelib.network.signing import rsa
from chalicelib.runtime import aws, ring, secretsmanager, settings, vault
from tests.makers.calls import counting_aws_calls
from tests.makers.journeys import NOON, open_town
from tests.makers.network import BANK, make_connection
from tests.makers.secrets import hold_ring, refusing_secrets
from tests.makers.signed_hooks import signed

pytestmark = pytest.mark.stores

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "sealed_by_one_master_key.json").read_text()
)
SECRET = "counterfoil-test/connections/harbour-bank"
LATER = NOON + timedelta(days=30)


def key(value: str, use: KeyUse = KeyUse.VERIFY) -> ConnectionKey:
    return ConnectionKey(use, Personal(value))


@pytest.fixture
def recorded(embedded_aws: None) -> Connection:
    """The bank as everybody reads it, with one key."""
    service.record_connection(make_connection(keys=(key("one"),)), now=NOON)
    return service.get_connection(BANK, now=NOON)


def in_a_fresh_process() -> None:
    vault.forget_keys()
    service.forget()
    keys.forget()


def verifying(connection: Connection) -> tuple[str, ...]:
    return service.with_keys(connection).keys_for(KeyUse.VERIFY, now=NOON)


def test_a_process_asks_once_for_a_version_of_keys_and_only_where_they_are_needed(
    recorded: Connection,
) -> None:
    service.record_connection(make_connection("meadow-bank", keys=(key("other"),)), now=NOON)
    in_a_fresh_process()
    service.list_connections(now=NOON)  # The ring is fetched for the rows.

    with counting_aws_calls() as calls:
        found = [verifying(service.get_connection(BANK, now=NOON)) for _ in range(3)]
    late = NOON + timedelta(hours=1)
    with counting_aws_calls() as hour_later:
        verifying(service.get_connection(BANK, now=late))

    assert found == [("one",)] * 3
    assert calls == ["GetSecretValue"]
    assert hour_later == ["Query"]


def test_keys_are_not_taken_for_none_where_they_were_not_fetched(recorded: Connection) -> None:
    with pytest.raises(KeysNotFetched):
        recorded.keys_for(KeyUse.VERIFY, now=NOON)

    assert make_connection().keys_for(KeyUse.VERIFY, now=NOON) == ()


def test_a_change_of_configuration_keeps_the_keys_and_writes_no_secret(
    recorded: Connection,
) -> None:
    with counting_aws_calls() as calls:
        service.stop_telling(BANK, now=NOON)

    stopped = service.get_connection(BANK, now=NOON)
    assert "PutSecretValue" not in calls
    assert stopped == replace(recorded, told_until=NOON)
    assert verifying(stopped) == ("one",)


def test_keys_written_for_a_row_that_was_not_change_nothing(recorded: Connection) -> None:
    """A crash between the two writes, and a repeat of it."""
    rotated = replace(service.with_keys(recorded), keys=(key("two"), key("one")))
    for _ in range(2):
        with pytest.raises(TryAgain):
            store.record_connection(rotated, after_version=7)
    in_a_fresh_process()

    assert verifying(service.get_connection(BANK, now=NOON)) == ("one",)
    service.rotate_key(BANK, KeyUse.VERIFY, Personal("three"), old_valid_until=LATER, now=NOON)
    in_a_fresh_process()
    assert verifying(service.get_connection(BANK, now=NOON)) == ("three", "one")


def test_takes_the_current_keys_where_the_version_is_gone(recorded: Connection) -> None:
    gone = replace(recorded, keys_version="a-version-that-secrets-manager-dropped")

    assert verifying(gone) == ("one",)


def test_says_try_again_where_the_keys_are_missing(recorded: Connection) -> None:
    aws.client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    in_a_fresh_process()

    with pytest.raises(TryAgain, match="missing"):
        verifying(recorded)


def test_says_which_secret_does_not_hold_the_documented_json(recorded: Connection) -> None:
    secretsmanager.write("connections/harbour-bank", "no json", version_id="v" * 32)

    with pytest.raises(settings.InvalidSetting, match="keys of a connection"):
        verifying(replace(recorded, keys_version="v" * 32))


def test_no_key_stands_in_a_row_and_the_version_says_nothing_of_it(
    embedded_aws: None,
) -> None:
    for name in (BANK, "meadow-bank"):
        service.record_connection(make_connection(name, keys=(key("same-MARKER"),)), now=NOON)

    versions = {one.keys_version for one in service.list_connections(now=NOON)}
    dump = repr(aws.client("dynamodb").scan(TableName=settings.table("network"))["Items"])

    assert len(versions) == 2
    assert "MARKER" not in dump
    assert secretsmanager.read(f"connections/{BANK}").text == (
        '{"keys":[{"use":"verify","value":"same-MARKER","valid_until":null}]}'
    )


@pytest.fixture
def town(embedded_aws: None) -> Iterator[None]:
    open_town(providers=(Provider.STANDARD,))
    yield
    in_a_fresh_process()


def test_a_hook_is_asked_to_come_again_while_its_keys_cannot_be_fetched(town: None) -> None:
    hook = signed(Provider.STANDARD)
    service.list_connections(now=NOON)

    with refusing_secrets("ThrottlingException"):
        refused = hook.send()
    taken = hook.send()

    assert (refused.status, refused.body["code"]) == (503, "try_again")
    assert taken.status == 200


def of_old_code(text: str) -> bytes:
    return base64.b64decode(text)


@pytest.fixture
def old_rows(embedded_aws: None) -> None:
    """A connection and a signing key as the code before the ring wrote them."""
    old = of_old_code(VECTORS["master_key"])
    hold_ring(ring.first_ring(names_key=old, key=old, now=datetime(2026, 1, 1, tzinfo=UTC)))
    connection, signing = VECTORS["connection_row"], VECTORS["signing_key_row"]
    put(connection, version={"N": str(connection["version"])})
    put(signing, kid={"S": signing["kid"]}, signs_from={"N": str(signing["signs_from"])})


def put(row: dict[str, Any], **more: Any) -> None:
    sealed = {"B": of_old_code(row["sealed"])}
    item = {"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}, "sealed": sealed, **more}
    aws.client("dynamodb").put_item(TableName=settings.table("network"), Item=item)


def test_reads_the_keys_that_old_code_kept_in_the_row_and_moves_them(old_rows: None) -> None:
    before = service.get_connection(BANK, now=NOON)
    assert verifying(before) == ("whsec_bm90IGEgc2VjcmV0IG9mIGFueWJvZHk=",)

    service.rotate_key(BANK, KeyUse.VERIFY, Personal("new"), old_valid_until=LATER, now=NOON)

    in_a_fresh_process()
    after = service.get_connection(BANK, now=NOON)
    assert (before.keys_version, after.keys) == ("", ())
    assert verifying(after) == ("new", "whsec_bm90IGEgc2VjcmV0IG9mIGFueWJvZHk=")
    signing = service.with_keys(after).keys_for(KeyUse.SIGN, now=NOON)
    assert signing == ("whsec_b3VycyBhbmQgbm9ib2R5IGVsc2Un",)


def test_signs_with_the_key_that_old_code_kept_in_the_row_until_the_next_signs(
    old_rows: None,
) -> None:
    before = keys.get_signing_key(now=NOON)
    coming = keys.rotate_signing_key(rsa.new_private_pem, now=NOON)
    in_a_fresh_process()

    again = keys.get_signing_key(now=NOON + timedelta(minutes=59))
    after = keys.get_signing_key(now=NOON + timedelta(hours=1))

    assert before.kid == VECTORS["signing_key_row"]["kid"]
    assert again == before
    assert after.kid == coming.kid
    assert rsa.thumbprint(before.private_pem.reveal()) == before.kid


def test_publishes_and_verifies_without_a_secret(old_rows: None) -> None:
    keys.rotate_signing_key(rsa.new_private_pem, now=NOON)
    keys.rotate_signing_key(rsa.new_private_pem, now=NOON)
    in_a_fresh_process()
    in_memory = service.list_connections(now=NOON)

    with refusing_secrets("AccessDeniedException") as asked:
        published = keys.list_published(now=NOON)

    assert (len(in_memory), len(published), asked) == (1, 3, [])


def test_a_signing_key_without_its_private_half_passes(embedded_aws: None) -> None:
    keys.ensure_signing_key(rsa.new_private_pem, now=NOON)
    aws.client("secretsmanager").delete_secret(
        SecretId=settings.secret("signing-keys"), ForceDeleteWithoutRecovery=True
    )
    in_a_fresh_process()

    with pytest.raises(TryAgain, match="missing"):
        keys.get_signing_key(now=NOON)


def test_a_stage_without_a_signing_key_says_that_it_is_not_set_up(embedded_aws: None) -> None:
    with pytest.raises(TryAgain, match="not set up"):
        keys.get_signing_key(now=NOON)
