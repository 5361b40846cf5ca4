"""The purchase that offers are brought up to."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.ids import ReceiptId
from chalicelib.loyalty.sale import Sale
from chalicelib.members.model import Member
from chalicelib.offers.participation.model import Redemption
from chalicelib.offers.paying import Payer
from chalicelib.purchases.model import Purchase


@dataclass(frozen=True, slots=True)
class Case:
    """A purchase in its newest version, and the member whose it is.

    `others` is what the member got of all offers of its retailer, as far as it was read.
    """

    purchase: Purchase
    sale: Sale
    member: Member
    payer: Payer
    now: datetime
    others: tuple[Redemption, ...] = ()

    @property
    def receipt_id(self) -> ReceiptId | None:
        """The receipt that it has now; None where nothing of it counts."""
        receipt = self.purchase.receipt
        return receipt.receipt_id if receipt is not None and not self.sale.is_withdrawn else None
