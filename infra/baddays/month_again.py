"""A retailer that sends last month again: thirty days of batches, long after they were settled."""

from datetime import timedelta

from infra.baddays.street import Ledger, Street

DAYS = 30
FORGOTTEN_AFTER = timedelta(days=8)  # Pages are kept for seven.


def play(street: Street, ledger: Ledger, *, size: int, days: int = DAYS) -> None:
    """`size` errands and as many strangers a day; then all of it once more, and a last day."""
    from infra.local.forgetting import PAGES, count_rows

    month, batches = [], []
    for _ in range(days):
        errands = street.errands(size, every=timedelta(minutes=7))
        receipts = [errand.receipt for errand in errands]
        receipts += street.strangers(size, every=timedelta(minutes=7))
        street.tell(errands)
        street.ring_up(receipts)
        street.work()
        month += errands
        batches.append(receipts)
        street.pass_time(timedelta(days=1), stride=timedelta(days=1))
    street.pass_time(FORGOTTEN_AFTER, stride=timedelta(days=4))
    told_before = sum(one.updates + one.copies for one in street.at_banks(month))
    first = street.clock.now().date()
    dates = [first - timedelta(days=n) for n in range(days + FORGOTTEN_AFTER.days + 2)]
    pages_before = count_rows(street.town, dates)[PAGES]
    again = sum(street.ring_up(receipts) for receipts in batches)
    today = street.errands(size, every=timedelta(minutes=1))
    street.tell(today)
    street.ring_up([errand.receipt for errand in today])
    street.work()
    street.pass_time(timedelta(hours=1), stride=timedelta(minutes=30))
    told_after = sum(one.updates + one.copies for one in street.at_banks(month))
    pages = count_rows(street.town, dates)[PAGES] - pages_before
    ledger.check("receipts taken again", again, sum(map(len, batches)))
    ledger.check("deliveries because of it", told_after - told_before, 0)
    ledger.check_within("pages written because of it", pages, 1, 4 * (days + 1) + size)
    street.settle_accounts(ledger, [*month, *today])
