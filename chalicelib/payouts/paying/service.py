"""Paying accounts, as everyone asks for them: remembered for under a minute."""

from datetime import datetime

from chalicelib.banks import http
from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import NotAllowed, NotFound
from chalicelib.network import service as network
from chalicelib.network.caching import Remembered
from chalicelib.payouts.paying import store
from chalicelib.payouts.rails.model import PayingAccount, PayingSecrets, Rail

_accounts: Remembered[str, dict[tuple[str, str], PayingAccount]] = Remembered(entries_max=1)

# What a rail cannot do without, by field.
_NEEDED: dict[Rail, tuple[str, ...]] = {
    Rail.SANDBOX: ("api_url",),
    Rail.TRUELAYER: (
        "api_url",
        "auth_url",
        "client_id",
        "key_id",
        "account",
        "webhook_keys_url",
    ),
    Rail.ISO20022: ("account", "holder"),
    Rail.BANK: (),
}


class NoPayingAccount(NotFound):
    """The members of this connection are paid from nowhere in this currency."""

    code = "no_paying_account"


class UnusablePayingAccount(NotAllowed):
    """The rail cannot pay from such an account; `field` says what is missing."""

    code = "unusable_paying_account"


def find_account(
    connection_id: ConnectionId, currency: str, *, now: datetime
) -> PayingAccount | None:
    """From where the members of a connection are paid in `currency`, or None."""
    return _by_name(now=now).get((connection_id, currency))


def get_account(connection_id: ConnectionId, currency: str, *, now: datetime) -> PayingAccount:
    """As `find_account`. :raises NoPayingAccount: there is none."""
    found = find_account(connection_id, currency, now=now)
    if found is None:
        raise NoPayingAccount("the operator pays no cashback there")
    return found


def find_account_of(
    rail: Rail, connection_id: ConnectionId, currency: str, *, now: datetime
) -> PayingAccount | None:
    """From where what was handed to `rail` is paid: the account of now, or the one by that rail
    before another came in its place.
    """
    found = find_account(connection_id, currency, now=now)
    if found is not None and found.rail is rail:
        return found
    return store.find_former(connection_id, currency, rail, now=now)


def list_accounts(*, now: datetime) -> tuple[PayingAccount, ...]:
    """Every paying account, in order of connection and currency."""
    return tuple(_by_name(now=now).values())


def list_accounts_of(rail: Rail, *, now: datetime) -> tuple[PayingAccount, ...]:
    """Every account by `rail`: those of now, then those that paid by it before."""
    every = (*list_accounts(now=now), *store.list_former(now=now))
    return tuple(one for one in every if one.rail is rail)


def record_account(
    account: PayingAccount, secrets: PayingSecrets | None, *, now: datetime
) -> PayingAccount:
    """Pay from `account` from now on. `secrets` None leaves those that are there.

    :raises UnusablePayingAccount: its rail needs more. :raises UnsafeDestination: a URL of it could
        not be called. :raises NotFound: there is no such connection.
    :raises UnknownCurrency: there is no such currency. :raises TryAgain: others changed it.
    """
    network.get_connection(account.connection_id, now=now)
    Money(0, account.currency)
    for name in _NEEDED[account.rail]:
        if not getattr(account, name):
            raise UnusablePayingAccount(f"the rail needs {name}", field=name)
    for url in (account.api_url, account.auth_url, account.webhook_keys_url):
        if url:
            http.check_url(url)
    written = store.record_account(account, secrets, now=now)
    forget()
    return written


def remove_account(connection_id: ConnectionId, currency: str, *, now: datetime) -> None:
    """Pay from it no more. What was handed to its rail before stays with it."""
    store.remove_account(connection_id, currency, now=now)
    forget()


def forget() -> None:
    """Remember nothing, so that the next question reads. For tests and local stacks."""
    _accounts.forget()
    store.forget()


def _by_name(*, now: datetime) -> dict[tuple[str, str], PayingAccount]:
    return _accounts.recall(
        "all",
        lambda: {(a.connection_id, a.currency): a for a in store.list_accounts(now=now)},
        now=now,
    )
