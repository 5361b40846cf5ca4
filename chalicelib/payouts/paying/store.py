"""Paying accounts as rows of the table `network`, and what is secret of them in Secrets Manager.

    paying_accounts         <connection id>#<currency>           the account, without what is secret
    former_paying_accounts  <connection id>#<currency>#<rail>    as it was when another rail came

The secrets of an account are one secret, `paying/<connection>/<currency>/<rail>`, which only the
roles of the paying workers may read; the row names its version, as those of connections do. Those
that releases before wrote stand in `paying/<connection>/<currency>`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.payouts.rails.model import PayingAccount, PayingSecrets, Rail
from chalicelib.runtime import rows, secretsmanager, vault
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose
from chalicelib.runtime.settings import InvalidSetting

ACCOUNTS_MAX = 1_000
_ACCOUNTS, _FORMER = "paying_accounts", "former_paying_accounts"
_BEFORE_RAILS = "paying-account-"  # How versions began while all rails shared one secret.


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

    One of another rail is kept as a former account: what was handed to its rail goes by it.

    :raises TryAgain: somebody else changed it meanwhile.
    """
    before = rows.find(PayingAccountRow, _ACCOUNTS, _name(account), now=now)
    version = int(before.version) if before else 0
    last = _to_account(before) if before else None
    if last is not None and last.rail is not account.rail:
        _keep_former(last)
        last = find_former(account.connection_id, account.currency, account.rail, now=now)
    kept = last.secrets_version if last else ""
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


def remove_account(connection_id: ConnectionId, currency: str, *, now: datetime) -> None:
    """Pay from it no more. It is kept as a former account, for what was handed to its rail."""
    found = rows.find(PayingAccountRow, _ACCOUNTS, f"{connection_id}#{currency}", now=now)
    if found is not None:
        _keep_former(_to_account(found))
        rows.delete(PayingAccountRow(found.pk, found.sk))


def find_former(
    connection_id: ConnectionId, currency: str, rail: Rail, *, now: datetime
) -> PayingAccount | None:
    """The account by `rail` that paid before another came in its place or it was removed."""
    named = connection_id, currency, rail
    every = list_former(now=now)
    return next((a for a in every if (a.connection_id, a.currency, a.rail) == named), None)


def list_former(*, now: datetime) -> tuple[PayingAccount, ...]:
    """Every former account, in order of connection, currency and rail."""
    found = rows.list_prefixed(PayingAccountRow, _FORMER, "", now=now, limit=ACCOUNTS_MAX)
    return tuple(_to_account(row) for row in found)


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


def _keep_former(account: PayingAccount) -> None:
    row = PayingAccountRow(_FORMER, f"{_name(account)}#{account.rail.value}", version=1)
    row.document = msgspec.json.encode(account).decode()
    rows.put(row)


def _record_secrets(account: PayingAccount, secrets: PayingSecrets, *, after_version: int) -> str:
    held = _Secret(secrets.client_secret.reveal(), secrets.signing_pem.reveal())
    text = msgspec.json.encode(held).decode()
    made_of = (_name(account), account.rail.value, str(after_version), text)
    version_id = f"paying-rail-{vault.lookup_key('paying_account', *made_of)}"
    named = replace(account, secrets_version=version_id)
    secretsmanager.write(_secret_name(named), text, version_id=version_id)
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
    shared = f"paying/{account.connection_id}/{account.currency}"
    if account.secrets_version.startswith(_BEFORE_RAILS):
        return shared
    return f"{shared}/{account.rail.value}"
