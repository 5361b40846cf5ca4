"""Settling a purchase: whatever it earns is brought up to its newest version.

Nothing is told in what follows from what; the newest version is read and everything is brought to
it (docs/decisions/0059). Read again afterwards, because somebody who read an older version may
have been slower: the last to write looks once more.
"""

from datetime import datetime

from chalicelib.kernel.refusals import TryAgain
from chalicelib.loyalty import service as loyalty
from chalicelib.loyalty.sale import sale_of
from chalicelib.loyalty.service import Buyer
from chalicelib.members import service as members
from chalicelib.members.model import Member, MemberStatus
from chalicelib.network import service as network
from chalicelib.offers import awarding as offers
from chalicelib.offers import holding as held_offers
from chalicelib.purchases import store
from chalicelib.purchases.messages import RewardMessage
from chalicelib.purchases.model import Purchase, Whereabouts
from chalicelib.runtime import observability, vault

AWAITED_MAX = 8  # Receives of one message: hours, where a purchase is written within seconds.
ROUNDS_MAX = 3  # A purchase that changes faster than it is settled is left to the next message.


def settle(message: RewardMessage, *, now: datetime, receives: int = 1) -> None:
    """Bring cards, offers and the journal up to the newest version of the message's purchase.

    `receives` counts how often the message came. A version that is not there after many was never
    written: its run died, and whoever writes it after all queues a message of its own first.

    :raises TryAgain: a passing obstacle, or the purchase is not written yet.
    """
    member = members.find_member(message.member_id, now=now)
    if member is None or member.salt is None:
        return observability.count("rewards_dropped", reason="member_left")
    key = vault.member_key(member.salt)
    if member.status is not MemberStatus.ACTIVE:
        if member.status is MemberStatus.LEFT:
            held_offers.give_up(message.payment_id, member.member_id, key, now=now)
        return observability.count("rewards_dropped", reason="member_left")
    where = Whereabouts(message.payment_id, message.member_id, message.anchored_at)
    purchase = store.find_purchase(where, key=key, now=now, consistent=False)
    if purchase is None or purchase.version < message.version:
        purchase = store.find_purchase(where, key=key, now=now)
    settled_version = 0
    for _ in range(ROUNDS_MAX):
        if purchase is None or purchase.version < message.version:
            if receives > AWAITED_MAX:
                return observability.count("rewards_dropped", reason="never_written")
            raise TryAgain("the purchase is not written yet")
        if purchase.version == settled_version:
            return None
        _settle(purchase, member, key, now=now)
        settled_version = purchase.version
        purchase = store.find_purchase(where, key=key, now=now)
    if purchase is not None and purchase.version == settled_version:
        return None
    raise TryAgain("the purchase changes faster than it can be settled")


def _settle(purchase: Purchase, member: Member, key: vault.SealingKey, *, now: datetime) -> None:
    receipt = purchase.receipt
    if receipt is None and not purchase.is_withdrawn:
        return
    shop = network.get_store(receipt.store_id, now=now) if receipt is not None else None
    sale = sale_of(purchase, shop)
    awarded = offers.award_purchase(purchase, sale, member, key, now=now)
    buyer = Buyer(member, key, is_excluded=awarded.excludes_schemes)
    loyalty.award_purchase(purchase, sale, buyer, now=now)
