"""What must hold between purchases and what they earned.

I7 what was earned is of one purchase of the same member, and of no version that nobody wrote; at
the end it is of a purchase that holds the receipt it was earned with, and cards and offers are up
to its newest version · I13 (at the end) what cards, offers and claims say was given, and what the
journal says, is the same, gift by gift.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.ledger.accounts import Holding, member_account
from chalicelib.ledger.model import EntryKind
from chalicelib.loyalty.cards.model import WAITING
from chalicelib.loyalty.cards.naming import is_extra
from infra.simulation.history import History
from infra.simulation.money import books_in
from infra.simulation.reward_town import CASH, CASH_MINOR
from infra.simulation.standing import Standing, payment_id_of, worth_minor
from infra.simulation.stored import Stored
from infra.simulation.world import World

_ENTRIES = (EntryKind.REWARD_GIVEN, EntryKind.REWARD_TAKEN_BACK)
Purchases = Mapping[tuple[str, str], Stored]


def broken_earnings(standing: Standing) -> Iterator[str]:
    """What does not hold at any time."""
    purchases = _purchases(standing)
    for row, entry in _entries(standing):
        purchase = purchases.get((row.key[0], entry["payment_id"]))
        if purchase is None:
            yield "I7 a card holds what no purchase of its member earned"
        elif entry["version"] > purchase.plain["version"]:
            yield "I7 a card knows a version of a purchase that nobody wrote"
    for row, redemption in _redemptions(standing):
        if (row.key[0], redemption["purchase_id"]) not in purchases:
            yield "I7 an offer was redeemed by no purchase of its member"


def broken_earnings_at_end(world: World, history: History, standing: Standing) -> Iterator[str]:
    """What does not hold when all is quiet. Of whoever left nothing is brought up any more."""
    if history.leavers:
        return
    purchases = _purchases(standing)
    yield from _behind(standing, purchases)
    yield from _of_no_receipt(standing, purchases)
    yield from _otherwise_given(world, standing)


def _behind(standing: Standing, purchases: Purchases) -> Iterator[str]:
    for row, entry in _entries(standing):
        version = purchases[row.key[0], entry["payment_id"]].plain["version"]
        if entry["version"] != version:
            yield f"I10 a card knows version {entry['version']} of a purchase of {version}"


def _of_no_receipt(standing: Standing, purchases: Purchases) -> Iterator[str]:
    for row, entry in _entries(standing):
        purchase = purchases[row.key[0], entry["payment_id"]]
        if entry["lot"]["units"] > 0 and purchase.plain.get("receipt_id") is None:
            yield "I7 a card holds what a purchase without a receipt earned"
    held: Counter[str] = Counter()
    for row, redemption in _redemptions(standing):
        if _kept(redemption) <= 0:
            continue
        held[redemption["receipt_id"]] += 1
        purchase = purchases[row.key[0], redemption["purchase_id"]]
        if purchase.plain.get("receipt_id") != redemption["receipt_id"]:
            yield "I7 an offer gives for a receipt that its purchase does not hold"
    for count in held.values():
        if count > 1:
            yield f"I7 {count} payments are rewarded for one receipt"


def _otherwise_given(world: World, standing: Standing) -> Iterator[str]:
    """I13. Nought on one side is as good as nothing on the other."""
    given: Counter[tuple[str, str]] = Counter()
    for entry in books_in(world).entries():
        if entry.member_id is not None and entry.kind in _ENTRIES:
            places = (Holding.PENDING, Holding.AVAILABLE)
            minor = sum(entry.minor_on(member_account(entry.member_id, one)) for one in places)
            given[entry.member_id, _name_of(entry.key)] += minor
    said = _said(standing)
    for member_id, key in sorted({*given, *said}):
        if given[member_id, key] != said[member_id, key]:
            kind = key.partition(":")[0]
            yield f"I13 {kind} gave {said[member_id, key]}, and the journal {given[member_id, key]}"


def _said(standing: Standing) -> Counter[tuple[str, str]]:
    """What cards, offers and claims say was given and not taken back, by member and key."""
    said: Counter[tuple[str, str]] = Counter()
    for row, redemption in _redemptions(standing):
        names = (row.content["campaign_id"], redemption["purchase_id"], redemption["receipt_id"])
        for at, gift in enumerate(redemption["gifts"]):
            key = f"offer:{':'.join(names)}:{at}"
            kept = gift["given_minor"] - sum(gift["taken"])
            said[row.key[0], key] += 0 if redemption["held"] else kept
    for kind in ("CardRow", "PastRow"):
        for row in standing.of(kind):
            for fill in row.content["fills"]:
                is_given = not fill["undone_by"] and fill["lease"] != WAITING
                minor = worth_minor(fill) if is_given else 0
                scheme_id = row.key[1].split("#")[1]
                said[row.key[0], f"card:{scheme_id}:{fill['number']}"] += minor
            for claim in row.content["claims"]:
                if claim["reward_id"] == CASH:
                    said[row.key[0], f"claim:{claim['claim_id']}"] += CASH_MINOR
    return said


def _name_of(key: str) -> str:
    """What an entry follows from: a full card may have been given anew, to be due later."""
    gift = key.partition(" ")[0]
    return ":".join(gift.split(":")[:3]) if gift.startswith("card:") else gift


def _kept(redemption: Mapping[str, Any]) -> int:
    return sum(gift["given_minor"] - sum(gift["taken"]) for gift in redemption["gifts"])


def _purchases(standing: Standing) -> Purchases:
    return {(row.key[0], payment_id_of(row)): row for row in standing.of("PurchaseRow")}


def _entries(standing: Standing) -> Iterator[tuple[Stored, Mapping[str, Any]]]:
    for row in standing.of("CardRow"):
        for entry in row.content["entries"]:
            if not is_extra(entry["payment_id"]):  # For these see `extras.py`.
                yield row, entry


def _redemptions(standing: Standing) -> Iterator[tuple[Stored, Mapping[str, Any]]]:
    for row in standing.of("OfferRow"):
        for redemption in row.content["redemptions"]:
            yield row, redemption
