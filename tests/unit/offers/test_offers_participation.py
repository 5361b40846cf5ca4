"""Less is taken from the last gifts first, and of none more than is left of it."""

from datetime import UTC, datetime

from chalicelib.kernel.ids import PaymentId, ReceiptId
from chalicelib.offers.participation.model import Gift, Kept, Redemption, lessened

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_takes_from_the_last_gift_what_is_left_of_it_and_then_from_the_one_before() -> None:
    first, last = Gift(1, 50), Gift(2, 100, (60,))
    redemption = Redemption(
        PaymentId("p-1"), ReceiptId("r-1"), 1, AT, AT, (Kept("1", 150),), (first, last)
    )

    nothing = lessened(redemption, 0)
    a_little = lessened(redemption, 70)

    assert nothing.gifts == (Gift(1, 50, (50,)), Gift(2, 100, (60, 40)))
    assert a_little.gifts == (first, Gift(2, 100, (60, 20)))
    assert (nothing.kept_minor, a_little.kept_minor) == (0, 70)
