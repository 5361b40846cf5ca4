"""Stands in for the worker of rewards until that is there."""

from chalice.app import SQSEvent

from chalicelib.kernel.refusals import TryAgain
from chalicelib.loyalty.sale import sale_of
from chalicelib.members import service as members
from chalicelib.network import service as network
from chalicelib.offers import awarding
from chalicelib.purchases import store
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.messages import decode_reward
from chalicelib.purchases.model import Whereabouts
from chalicelib.runtime import clock
from chalicelib.workers.rim import Message, each_message


@each_message
def _settle(message: Message) -> None:
    reward, now = decode_reward(message.body), clock.now()
    key = active_key_of(reward.member_id, now=now)
    member = members.find_member(reward.member_id, now=now)
    where = Whereabouts(reward.payment_id, reward.member_id, reward.anchored_at, None)
    purchase = store.find_purchase(where, key=key, now=now)
    if purchase is None or purchase.version < reward.version:
        if message.receives > 8:
            return
        raise TryAgain("not written yet")
    shop = network.get_store(purchase.receipt.store_id, now=now) if purchase.receipt else None
    sale = sale_of(purchase, shop)
    awarding.award_purchase(purchase, sale, member, key, now=now)


def settle_rewards(event, context):
    return _settle(SQSEvent(event, context))
