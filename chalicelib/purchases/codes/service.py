"""Finding a sale by what is printed on it: for a return, and for a till that asks what may still
come back.

Members' purchases and strangers' receipts are looked for in the same way, with the same reads, and
are told alike; only opening a purchase needs its member's key.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.kernel.ids import MemberId, ReceiptId, RetailerId, receipt_id_of
from chalicelib.matching import store as matching_store
from chalicelib.matching.standing import Claim
from chalicelib.network import service as network
from chalicelib.purchases import store
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.codes import store as codes
from chalicelib.purchases.model import Whereabouts
from chalicelib.receipts.canonical import Receipt, ReceiptKind
from chalicelib.receipts.returns import Returned, apply_returns, codes_of, tidy_code
from chalicelib.tills import service as tills

_SOLD = (ReceiptKind.SALE, ReceiptKind.EXCHANGE)


def find_sale(retailer_id: RetailerId, code: str, *, now: datetime) -> Returned | None:
    """The one sale of `retailer_id` that has `code` on it, after its returns; None for no sale, for
    one that was voided, and for a code that several have. A reference is stronger than other codes.
    """
    wanted = tidy_code(code)
    by_id = _strangers(retailer_id, wanted, now=now)
    named = (receipt_id_of(retailer_id, wanted), *codes.list_sales(retailer_id, wanted, now=now))
    claims = [
        claim
        for receipt_id in dict.fromkeys((*named, *by_id))
        for claim in matching_store.list_claims(receipt_id, now=now)
    ]
    found = {receipt_id: _with_returns(sale, wanted, now=now) for receipt_id, sale in by_id.items()}
    found |= dict(_purchased(claims, wanted, now=now))
    own = receipt_id_of(retailer_id, wanted)
    named_so = [found[own]] if own in found else list(found.values())
    return named_so[0] if len(named_so) == 1 and named_so[0].sale.kind in _SOLD else None


def _strangers(retailer_id: RetailerId, code: str, *, now: datetime) -> dict[ReceiptId, Receipt]:
    """The receipts on pages that have `code` on them, in their newest version."""
    found: dict[ReceiptId, Receipt] = {}
    for lying in codes.list_lying(retailer_id, code, now=now):
        place = network.get_store(lying.store_id, now=now)
        until = lying.issued_at + timedelta(seconds=1)
        near = tills.receipts_near(
            place, since=lying.issued_at, until=until, now=now, consistent=False
        )
        for receipt_id, receipt in near.items():
            if receipt.retailer_id == retailer_id and code in codes_of(receipt):
                found[receipt_id] = receipt
    return found


def _with_returns(sale: Receipt, code: str, *, now: datetime) -> Returned:
    """A stranger's sale with what came back of it meanwhile."""
    of = sale.receipt_id
    names = [receipt_id_of(sale.retailer_id, one) for one in dict.fromkeys((*codes_of(sale), code))]
    told = [one for name in names for one in matching_store.list_changes(name, of=of, now=now)]
    returns = [one for one in told if one.receipt_id != of]
    return apply_returns(sale, [one for one in returns if one.currency == sale.currency])


def _purchased(
    claims: list[Claim], code: str, *, now: datetime
) -> Iterator[tuple[ReceiptId, Returned]]:
    """The sales that members hold, opened with their keys; of a shared bill any share will do."""
    for claim in claims:
        hold = claim.hold
        key = active_key_of(MemberId(hold.member_id), now=now)
        where = Whereabouts(hold.payment_id, MemberId(hold.member_id), claim.anchored_at)
        purchase = store.find_purchase(where, key=key, now=now, consistent=False) if key else None
        sale = purchase.receipt if purchase is not None else None
        if purchase is None or sale is None or code not in codes_of(sale):
            continue
        yield sale.receipt_id, purchase.after_returns
