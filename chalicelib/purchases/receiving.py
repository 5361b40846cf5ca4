"""Receiving receipts: the fast lane for those a member waits for, pages for all the rest.

Most receipts belong to strangers. One that comes alone is only looked at: if no member's payment
waits for it, it goes to the gathering queue, where the receipts of some minutes become one page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from chalicelib.kernel.ids import ReceiptId, receipt_id_of
from chalicelib.kernel.refusals import Conflicting, Rejected, TryAgain
from chalicelib.matching import service as matching
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import MatchDecision
from chalicelib.matching.questions import Near, Scenery
from chalicelib.matching.scene import printed_sums, scene_of
from chalicelib.matching.signals import parts_of
from chalicelib.matching.standing import Waiting
from chalicelib.matching.suspects import suspects_of
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.network.model import Store
from chalicelib.purchases import facts, service
from chalicelib.purchases.changing import apply_change, sales_named
from chalicelib.purchases.codes import store as codes
from chalicelib.receipts.canonical import Receipt, ReceiptKind
from chalicelib.receipts.returns import NotThatSale, names_no_sale, sales_referred_to
from chalicelib.runtime import observability
from chalicelib.tills import service as tills

PAGE_WORTH_RECEIPTS = 5  # From five receipts of one store on, a page of their own is cheap enough.


@dataclass(frozen=True, slots=True)
class Received:
    """What became of receipts of one store.

    - `to_gather`: they belong on a later page, or change a sale that may still be on its way.
    - `conflicting`: sent before with other content; the first submission stands.
    - `contradicting`: changes of a sale that contradict what its purchase has, and how.
    - `on_pages`: they stand on pages and nobody holds them; their codes have still to lead there.
    """

    to_gather: tuple[Receipt, ...] = ()
    conflicting: tuple[Receipt, ...] = ()
    contradicting: tuple[tuple[Receipt, Rejected], ...] = ()
    on_pages: tuple[Receipt, ...] = ()


def receive(
    place: Store, receipts: Sequence[Receipt], *, is_gathered: bool, now: datetime
) -> Received:
    """Take receipts of one store: keep them, and settle the payments that wait for them.

    `is_gathered` says they come from the gathering queue (or are a batch) and become pages now.
    """
    if not is_gathered:
        observability.count("receipts_received", by=len(receipts))
    is_page = is_gathered or len(receipts) >= PAGE_WORTH_RECEIPTS
    if is_page or matching.are_awaited(receipts, place.store_id, now=now):
        return _keep(place, receipts, is_gathered=is_gathered, now=now)
    changes = _change_sales(receipts, is_gathered=False, now=now)
    refused = [
        receipt
        for receipt, _ in changes.contradicting
        if receipt.version > 1 or not any(parts_of(receipt))
    ]
    # What was applied goes to a page as well: an exchange may be paid for, another part of a shared
    # bill joined, and a void may have overtaken its return.
    return replace(changes, to_gather=tuple(one for one in receipts if one not in refused))


def _keep(
    place: Store, receipts: Sequence[Receipt], *, is_gathered: bool, now: datetime
) -> Received:
    paid, within = matching.window_around(place.store_id, receipts, now=now)
    kept = tills.receipts_near(
        place, since=within.since, until=within.until, now=now, consistent=True
    )
    sorted_out = tills.sort_out(kept, receipts)
    observability.count("receipts_seen_before", by=len(sorted_out.seen))
    overtaken = _lead_voids(kept, receipts, now=now)
    if sorted_out.new:
        tills.keep_on_pages(place, sorted_out.new, now=now)
    # Also for those seen before: an earlier run may have died between the page and this look.
    standing = (*sorted_out.new, *sorted_out.seen)
    scene = scene_of((kept | {r.receipt_id: r for r in sorted_out.new}).values())
    near = Near(
        store_id=place.store_id,
        paid=paid,
        waiting=matching.list_waiting(receipts, place.store_id, now=now, consistent=True),
        scenery=Scenery(within, scene),
    )
    facts.doubted(suspects_of(sorted_out.new, scene))
    settle = partial(_settle_waiting, now=now)
    found = matching.settle_awaited(near, standing, settle, now=now)
    timekeeping.count_sums(place.store_id, printed_sums(sorted_out.new), now=now)
    changes = _change_sales(standing, is_gathered=is_gathered, now=now)
    _keep_changes(overtaken, now=now)  # What of them is refused was so when they came.
    _look_after_unnamed(kept, standing, now=now)
    if is_gathered:
        again = _keep_changes(changes.to_gather, now=now)
        contradicting = (*changes.contradicting, *again.contradicting)
        changes = replace(changes, to_gather=(), contradicting=contradicting)
    on_pages = tuple(one for one in standing if one.receipt_id not in found)
    return replace(changes, conflicting=sorted_out.conflicting, on_pages=on_pages)


def _lead_voids(
    kept: Mapping[ReceiptId, Receipt], receipts: Sequence[Receipt], *, now: datetime
) -> list[Receipt]:
    """Write down of which sales the returns were that are voided, as their earlier versions say; on
    the pages a void hides those. Returns the voids that came before their return.
    """
    overtaken = []
    for receipt in receipts:
        known = kept.get(receipt.receipt_id)
        kinds = {receipt.kind, known.kind} if known is not None else set()
        if known is None or len(kinds) == 1 or ReceiptKind.VOID not in kinds:
            continue
        voided = known if receipt.kind is ReceiptKind.VOID else receipt
        for code in sales_referred_to(voided):
            for sale_id in sales_named(voided.retailer_id, code, now=now):
                codes.lead_to_sale(voided.receipt_id, sale_id, now=now)
        if voided is receipt and sales_referred_to(receipt):
            overtaken.append(known)
    return overtaken


def _settle_waiting(waiting: Waiting, near: Near, *, now: datetime) -> MatchDecision | None:
    return service.settle_waiting(waiting, near=near, now=now)


def _look_after_unnamed(
    kept: Mapping[ReceiptId, Receipt], receipts: Sequence[Receipt], *, now: datetime
) -> None:
    """Returns that name no sale, also by an earlier version: a refund may say whose they are."""
    told = {receipt.receipt_id for receipt in receipts}
    versions = [*receipts, *(one for name, one in kept.items() if name in told)]
    unnamed = {one.receipt_id for one in versions if names_no_sale(one)}
    if unnamed:
        from chalicelib.purchases.refunding import waiting  # Few tills print such returns.

        returned = [one for one in versions if one.receipt_id in unnamed]
        waiting.look_after_unnamed(returned, now=now)


def _keep_changes(receipts: Sequence[Receipt], *, now: datetime) -> Received:
    """Keep changes of what nobody holds yet where whoever claims it will look.

    They are written before the claims are read again, as the claim is written before the changes
    are read: of a change and a payment that arrive together at least one sees the other.
    """
    for receipt in receipts:
        for sale_id in _named_by(receipt, now=now):
            matching_store.keep_change(sale_id, receipt, now=now)
    return _change_sales(receipts, is_gathered=True, now=now)


def _named_by(receipt: Receipt, *, now: datetime) -> list[ReceiptId]:
    """What `receipt` changes: an earlier version of itself, the sales it returns or did return."""
    own = [receipt.receipt_id] if receipt.version > 1 else []
    if receipt.kind is ReceiptKind.VOID:
        return [*own, *codes.list_sales_of_return(receipt.receipt_id, now=now)]
    codes_named = sales_referred_to(receipt)
    return [*own, *(receipt_id_of(receipt.retailer_id, code) for code in codes_named)]


def _change_sales(receipts: Sequence[Receipt], *, is_gathered: bool, now: datetime) -> Received:
    """Apply those of `receipts` that change a sale; `to_gather` are those of which a part may
    still be joined.

    One that contradicts what a purchase has is set apart, so that the others go on; and before they
    are gathered, so is one that meets an obstacle: gathering tries it again, for its store alone.

    :raises TryAgain: what was gathered meets an obstacle.
    """
    unheld: list[Receipt] = []
    contradicting: list[tuple[Receipt, Rejected]] = []
    for receipt in receipts:
        if not _changes_a_sale(receipt):
            continue
        try:
            is_held = apply_change(receipt, now=now)
        except (Conflicting, NotThatSale) as refusal:
            contradicting.append((receipt, refusal))
            continue
        except TryAgain:
            if is_gathered:
                raise
            is_held = False
        if not is_held:
            unheld.append(receipt)
    return Received(to_gather=tuple(unheld), contradicting=tuple(contradicting))


def _changes_a_sale(receipt: Receipt) -> bool:
    return receipt.version > 1 or bool(sales_referred_to(receipt))
