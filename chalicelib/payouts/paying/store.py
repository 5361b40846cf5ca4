"""Paying accounts as rows of the table `network`, and what is secret of them in Secrets Manager.

    paying_accounts  <connection id>#<currency>    the account, without what is secret

The secrets of an account are one secret, `paying/<connection>/<currency>`, which only the roles of
the paying workers may read; the row names its version, as those of connections do.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.payouts.rails.model import PayingAccount, PayingSecrets
from chalicelib.runtime import rows, secretsmanager, vault
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose
from chalicelib.runtime.settings import InvalidSetting

ACCOUNTS_MAX = 1_000
_ACCOUNTS = "paying_accounts"


class PayingAccountRow(rows.Row):
    """A paying account as JSON. `version` counts its changes."""

    Meta = rows.table_meta("network")
    privacy = {
        "document": Kept(Category.CONFIGURATION, Purpose.SERVICE_OPERATION, Erasure.KEEP),
        "version": Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP),
    }
    retention = CONFIGURED

    document = UnicodeAttribute()
    version = NumberAttribute()


@dataclass(frozen=True, slots=True)
class _Secret:
    client_secret: str = ""
    signing_pem: str = ""


def list_accounts(*, now: datetime) -> tuple[PayingAccount, ...]:
    """Every paying account, in order of connection and currency."""
    found = rows.list_prefixed(PayingAccountRow, _ACCOUNTS, "", now=now, limit=ACCOUNTS_MAX)
    return tuple(_to_account(row) for row in found)


def record_account(
    account: PayingAccount, secrets: PayingSecrets | None, *, now: datetime
) -> PayingAccount:
    """Write `account` over the one that stands there; its secrets, where given, before it.

    :raises TryAgain: somebody else changed it meanwhile.
    """
    before = rows.find(PayingAccountRow, _ACCOUNTS, _name(account), now=now)
    version = int(before.version) if before else 0
    kept = _to_account(before).secrets_version if before else ""
    named = kept if secrets is None else _record_secrets(account, secrets, after_version=version)
    written = replace(account, secrets_version=named)
    row = PayingAccountRow(_ACCOUNTS, _name(account), version=version + 1)
    row.document = msgspec.json.encode(written).decode()
    unchanged = (
        PayingAccountRow.version == version if before else PayingAccountRow.pk.does_not_exist()
    )
    try:
        rows.put(row, condition=unchanged)
    except rows.ConditionFailed as error:
        raise TryAgain("the paying account was changed meanwhile") from error
    return written


def remove_account(connection_id: ConnectionId, currency: str) -> None:
    """Pay from it no more. Orders that were frozen go on naming it, and are looked up no more."""
    rows.delete(PayingAccountRow(_ACCOUNTS, f"{connection_id}#{currency}"))


def secrets_of(account: PayingAccount) -> PayingSecrets:
    """What is secret of `account`, from memory but for the first time in a process.

    :raises TryAgain: Secrets Manager does not give it now.
    """
    if not account.secrets_version:
        return PayingSecrets()
    return _read_secrets(_secret_name(account), account.secrets_version)


def forget() -> None:
    """Remember no secrets. For tests and local stacks."""
    _read_secrets.cache_clear()


def _record_secrets(account: PayingAccount, secrets: PayingSecrets, *, after_version: int) -> str:
    held = _Secret(secrets.client_secret.reveal(), secrets.signing_pem.reveal())
    text = msgspec.json.encode(held).decode()
    made_of = (_name(account), str(after_version), text)
    version_id = f"paying-account-{vault.lookup_key('paying_account', *made_of)}"
    secretsmanager.write(_secret_name(account), text, version_id=version_id)
    return version_id


@lru_cache(maxsize=ACCOUNTS_MAX)
def _read_secrets(name: str, version_id: str) -> PayingSecrets:
    try:
        secret = secretsmanager.read(name, version_id=version_id)
    except secretsmanager.NoSuchSecret as error:
        raise TryAgain("the secrets of the paying account are missing") from error
    try:
        held = msgspec.json.decode(secret.text, type=_Secret)
    except msgspec.MsgspecError as error:
        raise InvalidSetting("the secrets of a paying account are not the known JSON") from error
    return PayingSecrets(Personal(held.client_secret), Personal(held.signing_pem))


def _to_account(row: PayingAccountRow) -> PayingAccount:
    return msgspec.json.decode(row.document, type=PayingAccount)


def _name(account: PayingAccount) -> str:
    return f"{account.connection_id}#{account.currency}"


def _secret_name(account: PayingAccount) -> str:
    return f"paying/{account.connection_id}/{account.currency}"
