"""Changing what members hold: newer versions of a receipt, and what came back of its sale.

Whoever holds a part of the sale is found by the claims on it. Each change may come twice; the
version of the purchase makes it count once.
"""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.ids import MemberId, ReceiptId, RetailerId, receipt_id_of
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import store as matching_store
from chalicelib.matching.signals import parts_of
from chalicelib.matching.standing import Claim
from chalicelib.purchases import facts, outbox, store
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.codes import store as codes
from chalicelib.purchases.history import noted
from chalicelib.purchases.model import Purchase, Whereabouts
from chalicelib.purchases.settling import JOINED_WITHIN, claim_stands
from chalicelib.purchases.versions import with_change, with_early
from chalicelib.purchases.withdrawing import SAME_SALE_WITHIN
from chalicelib.receipts.canonical import Receipt, ReceiptKind
from chalicelib.receipts.returns import codes_of, sales_referred_to
from chalicelib.runtime import vault


def apply_change(receipt: Receipt, *, now: datetime) -> bool:
    """Bring every purchase of the sale up to `receipt`; False where a part of it may still be
    joined: whoever joins that one has to find the change.

    :raises Conflicting: a purchase has another content under the same name.
    :raises TryAgain: a purchase is being joined or changed at this moment.
    """
    is_held = True
    for claims in _claims_on_sales_of(receipt, now=now):
        parts = [_change_held(claim, receipt, now=now) for claim in claims]
        is_held &= 0 < max(parts, default=0) <= sum(1 for count in parts if count)
    return is_held


def _change_held(claim: Claim, receipt: Receipt, *, now: datetime) -> int:
    """Bring the purchase of `claim` up to `receipt`; how many parts the sale has in all, or 0 where
    the claim leads to no purchase of it.

    A claim that a crash left behind must not lead a stranger's receipt to a member.
    """
    hold = claim.hold
    where = Whereabouts(hold.payment_id, MemberId(hold.member_id), claim.anchored_at)
    key = active_key_of(where.member_id, now=now)
    if key is None:
        return 0
    purchase = store.find_purchase(where, key=key, now=now)
    sale = purchase.receipt if purchase is not None else None
    if purchase is not None and sale is not None and _holds(purchase, claim.receipt_id):
        _change_purchase(purchase, receipt, key=key, now=now)
        _change_same_sale(purchase, sale.receipt_id, receipt, key=key, now=now)
        return len(list(parts_of(sale))) or 1
    if _is_new(claim, now=now):
        if sale is None:
            raise TryAgain("the sale is being joined at this moment")
    elif not claim_stands(claim, now=now):
        matching_store.release_claim(claim, taken_until=claim.claimed_at)
    return 0


def _change_same_sale(
    holder: Purchase, sale_id: ReceiptId, receipt: Receipt, *, key: vault.SealingKey, now: datetime
) -> None:
    """Bring up to `receipt` what another source told of `holder`'s purchase: it has no claim."""
    at = holder.payment.anchored_at
    sharing = store.list_holding(
        holder.member_id,
        sale_id,
        since=at - SAME_SALE_WITHIN,
        until=at + SAME_SALE_WITHIN,
        key=key,
        now=now,
    )
    for one in sharing:
        if one.same_as == holder.payment.payment_id:
            _change_purchase(one, receipt, key=key, now=now)


def _holds(purchase: Purchase, receipt_id: ReceiptId) -> bool:
    """Whether the receipt is the sale of `purchase`, or a return of it: both are claimed."""
    held = (purchase.receipt, *purchase.returns)
    return any(one is not None and one.receipt_id == receipt_id for one in held)


def _is_new(claim: Claim, *, now: datetime) -> bool:
    """Whether the purchase of `claim` may still be on its way."""
    return claim.claimed_at is None or now < claim.claimed_at + JOINED_WITHIN


def _claims_on_sales_of(receipt: Receipt, *, now: datetime) -> list[list[Claim]]:
    """Who holds what `receipt` changes, sale by sale: an earlier version of itself, and the sales
    that it returns, or that what it voids returned.

    A sale is looked for by its reference first, and where nobody holds one, by its other codes.
    """
    own = matching_store.list_claims(receipt.receipt_id, now=now) if receipt.version > 1 else []
    sales = [_claims_on(receipt, code, now=now) for code in sales_referred_to(receipt)]
    if receipt.kind is ReceiptKind.VOID:
        undone = codes.list_sales_of_return(receipt.receipt_id, now=now)
        sales = [matching_store.list_claims(sale_id, now=now) for sale_id in undone]
    return [own, *sales] if own or not sales else sales


def _claims_on(receipt: Receipt, code: str, *, now: datetime) -> list[Claim]:
    for sale_id in sales_named(receipt.retailer_id, code, now=now):
        held = matching_store.list_claims(sale_id, now=now)
        if held:
            return held
    return []


def sales_named(retailer_id: RetailerId, code: str, *, now: datetime) -> Iterator[ReceiptId]:
    """The sales that `code` may name: by its reference first, else by another of its codes."""
    yield receipt_id_of(retailer_id, code)
    others = codes.list_sales(retailer_id, code, now=now)
    if len(others) == 1:
        yield others[0]


def _change_purchase(
    purchase: Purchase, receipt: Receipt, *, key: vault.SealingKey, now: datetime
) -> None:
    changed = _changed(purchase, receipt, now=now)
    if changed is not purchase:
        if changed.receipt is not None:
            returned = [one for one in changed.returns if one not in purchase.returns]
            codes.lead_back(returned, changed.receipt.receipt_id, now=now)
        changed = noted(purchase, changed, now=now)
        outbox.tell(changed, NoteKind.UPDATED, now=now)
        if not store.record_version(changed, key=key):
            raise TryAgain("the purchase changed underneath")
        facts.updated(changed.payment.payment_id, "receipt", version=changed.version)
    if purchase.receipt is not None and receipt.receipt_id != purchase.receipt.receipt_id:
        from chalicelib.purchases.refunding import waiting  # Returns are rare.

        # Also after a repeat: the run before may have died before this.
        waiting.look_after_return(purchase.member_id, receipt, key=key, now=now)


def _changed(purchase: Purchase, receipt: Receipt, *, now: datetime) -> Purchase:
    changed, before = with_change(purchase, receipt), purchase.receipt
    if changed is purchase or before is None or receipt.receipt_id != before.receipt_id:
        return changed
    brought = set(codes_of(receipt)) - set(codes_of(before))
    if not brought:
        return changed
    codes.record_codes(receipt, now=now)  # Before returns are read: one that comes now sees it.
    names = [receipt_id_of(receipt.retailer_id, code) for code in sorted(brought)]
    of = receipt.receipt_id
    early = [one for name in names for one in matching_store.list_changes(name, of=of, now=now)]
    return with_early(changed, early)
