"""Statements and invoices of retailers, from the days that were added up."""

from datetime import UTC, datetime, time, timedelta

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.ledger import service
from chalicelib.ledger.accounts import PLATFORM_BANK, funding_account, retailer_owner
from chalicelib.ledger.books import store as books
from chalicelib.ledger.closing import store
from chalicelib.ledger.model import Entry, EntryKind, Leg, Posted
from chalicelib.ledger.statements import Period, Statement, invoices_of, make_statement
from chalicelib.network import service as network
from chalicelib.runtime import observability


def statement_of(retailer_id: RetailerId, period: Period, *, now: datetime) -> Statement:
    """What the retailer's campaigns owe for `period`, as far as its days are closed."""
    last = period.following - timedelta(days=1)
    days = store.list_days(retailer_id, period.first, last, now=now)
    progress = store.find_progress(now=now)
    next_day = progress.day if progress else period.first
    return make_statement(retailer_id, period, days, next_day=next_day)


def invoice_month(year: int, month: int, *, now: datetime) -> tuple[Entry, ...]:
    """Enter what each retailer owes for the month in the retailer's book; again enters nothing.

    It is asked once every day of the month is added up.

    :raises ConflictingEntry: an invoice of the month stands there with another sum; it is counted.
    :raises TryAgain: as `ledger.service.record`.
    """
    period = Period(year, month)
    ended_at = datetime.combine(period.following, time(), UTC)
    invoiced = []
    for retailer in network.list_retailers(now=now):
        last = period.following - timedelta(days=1)
        days = store.list_days(retailer.retailer_id, period.first, last, now=now)
        statement = make_statement(retailer.retailer_id, period, days, next_day=period.following)
        for entry in invoices_of(statement, at=ended_at):
            service.record(entry, originated_at=ended_at, now=now)
            invoiced.append(entry)
    observability.count("invoices_entered", by=len(invoiced))
    return tuple(invoiced)


class NothingPaid(NotAllowed):
    """A retailer is said to have paid nothing, or less."""

    code = "nothing_paid"


def record_funding(
    retailer_id: RetailerId, amount: Money, *, reference: str, at: datetime, now: datetime
) -> Posted:
    """Enter that a retailer paid `amount`, once for ever under the payment's `reference`.

    :raises NothingPaid: `amount` is not above nought. :raises NotFound: there is no such retailer.
    :raises ConflictingEntry: the reference was used for another amount.
    :raises TryAgain: as `ledger.service.record`.
    """
    if amount.minor <= 0:
        raise NothingPaid("a payment is of more than nothing", field="amount")
    network.get_retailer(retailer_id, now=now)
    entry = Entry(
        key=f"received:{reference}",
        kind=EntryKind.FUNDING_RECEIVED,
        member_id=None,
        at=at,
        currency=amount.currency,
        legs=(
            Leg(PLATFORM_BANK, -amount.minor),
            Leg(funding_account(retailer_id), amount.minor),
        ),
        retailer_id=retailer_id,
        cause=reference,
    )
    return service.record(entry, originated_at=service.FROM_THE_START, now=now)


def funding_of(retailer_id: RetailerId, *, now: datetime) -> tuple[Money, ...]:
    """What a retailer has paid more than it was invoiced, by currency; below nought it owes."""
    opened = books.find_open_page(retailer_owner(retailer_id), now=now)
    account = funding_account(retailer_id)
    return tuple(
        Money(minor, currency) for a, currency, minor in opened.page.balances if a == account
    )
