"""The reasons of decisions, as answers, metrics and reports give them."""

from enum import Enum


class Why(Enum):
    """Why a payment has its receipt, waits for it, or has none."""

    CARD_FACTS_AGREE = "card_facts_agree"
    TIME_AND_AMOUNT_AGREE = "time_and_amount_agree"
    ONLY_CANDIDATE = "only_candidate"
    HELD_ALREADY = "held_already"
    SAME_PURCHASE = "same_purchase"
    SAME_ORDER = "same_order"  # a later parcel of an order that the member has
    SEVERAL_RECEIPTS = "several_receipts"
    COMMON_AMOUNT = "common_amount"
    RIVAL_PAYMENT = "rival_payment"
    PROBABILITY_TOO_LOW = "probability_too_low"
    CLOCK_UNKNOWN = "clock_unknown"
    SAME_SALE_TWICE = "same_sale_twice"
    RECEIPTS_STILL_COMING = "receipts_still_coming"
    NO_RECEIPT_YET = "no_receipt_yet"
    CARD_FACTS_DIFFER = "card_facts_differ"
    RECEIPT_TAKEN = "receipt_taken"
    NOT_MINE = "not_mine"
    SAID_MINE = "said_mine"  # by the person who paid, with the receipt's number from paper
    FORCED = "forced"  # by support, with a reason


BY_HAND = frozenset({Why.SAID_MINE, Why.FORCED})
