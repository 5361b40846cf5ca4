"""A delivery that was queued for a purchase which then ended without a receipt."""

from dataclasses import replace

import pytest

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.refusals import TryAgain
from chalicelib.notices import service as notices
from chalicelib.notices.service import AWAITED_MAX
from chalicelib.purchases import service
from chalicelib.purchases.messages import DeliveryMessage
from tests.makers.bank_server import bank_server
from tests.makers.network import make_connection
from tests.makers.outside import Counted
from tests.makers.purchases import A_MINUTE_LATER, event, open_town

pytestmark = pytest.mark.stores


def test_is_dropped_and_the_bank_told_nothing(embedded_aws: None, counted: Counted) -> None:
    with bank_server() as bank:
        open_town(make_connection(told_at_url=f"{bank.url}/receipts"))
        paid = event()
        service.record_payment(paid, now=A_MINUTE_LATER)
        # A worker queued the delivery of version 1, and died before it wrote the purchase.
        left = DeliveryMessage(paid.payment_id, NoteKind.MATCHED, version=1)
        reversal = replace(
            paid, event_key="reversed", kind=PaymentEventKind.REVERSED, digest="reversed"
        )
        service.record_payment(reversal, now=A_MINUTE_LATER)

        notices.deliver(left, now=A_MINUTE_LATER)

    assert counted["deliveries_dropped:no_receipt"] == 1
    assert bank.heard == []


def test_one_whose_version_nobody_wrote_is_dropped_after_hours(
    embedded_aws: None, counted: Counted
) -> None:
    with bank_server() as bank:
        open_town(make_connection(told_at_url=f"{bank.url}/receipts"))
        paid = event()
        service.record_payment(paid, now=A_MINUTE_LATER)
        # A worker queued the delivery of version 1, and died before it wrote the purchase.
        left = DeliveryMessage(paid.payment_id, NoteKind.MATCHED, version=1)
        with pytest.raises(TryAgain):
            notices.deliver(left, receives=AWAITED_MAX, now=A_MINUTE_LATER)

        notices.deliver(left, receives=AWAITED_MAX + 1, now=A_MINUTE_LATER)

    assert counted["deliveries_dropped:never_written"] == 1
    assert bank.heard == []
