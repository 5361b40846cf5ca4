"""What a member is told of: the kinds of notices."""

from enum import Enum


class NoticeKind(Enum):
    """What a member is told of."""

    STAMP_EARNED = "stamp_earned"
    CARD_COMPLETE = "card_complete"
    POINTS_EARNED = "points_earned"
    REWARD_AVAILABLE = "reward_available"
    REWARD_PAID = "reward_paid"
    REWARD_RETURNED = "reward_returned"
    ADJUSTED = "adjusted"
    EXPIRING = "expiring"
    OFFER_ACTIVATED = "offer_activated"
    OFFER_REDEEMED = "offer_redeemed"
    TIER_CHANGED = "tier_changed"
    CLAIM_DECIDED = "claim_decided"
    OFFER_ANNOUNCED = "offer_announced"  # marketing, as is the next: see `choices`
    PARTNER_JOINED = "partner_joined"
