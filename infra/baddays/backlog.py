"""Three days in which nothing was worked off: payments and receipts lie in the queues."""

from datetime import timedelta

from infra.baddays.street import Ledger, Street

DAYS = 3


def play(street: Street, ledger: Ledger, *, size: int) -> None:
    """`size` errands a day told while the workers stand; a tenth of the receipts lie on pages."""
    before = street.errands(max(size // 10, 1), every=timedelta(seconds=50))
    street.ring_up([errand.receipt for errand in before])
    street.work()  # These receipts lie on pages before everything stops.
    lying = list(before)
    unreceived = street.tell(before)
    for _ in range(DAYS):
        errands = street.errands(size, every=timedelta(seconds=50))
        half = len(errands) // 2
        unreceived += street.tell(errands[:half])
        street.ring_up([errand.receipt for errand in reversed(errands)])
        unreceived += street.tell(list(reversed(errands[half:])))
        lying += errands
        street.pass_time(timedelta(days=1), stride=timedelta(hours=12), works=False)
    handled = street.work()
    street.pass_time(timedelta(hours=1), stride=timedelta(minutes=20))
    ledger.check("events that did not count as received", unreceived, 0)
    ledger.note("messages worked off", handled)
    street.settle_accounts(ledger, lying)
