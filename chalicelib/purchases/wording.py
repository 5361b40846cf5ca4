"""The words in which a match is explained: one sentence for each code, for a person to read.

Codes are stable and for programs; sentences may be reworded. None of them names a shop, a
person, an amount or a time, so none can tell of anybody else.
"""

REASONS = {
    # It matched.
    "card_facts_agree": "What the bank and the till say of the card is the same.",
    "time_and_amount_agree": "Time and amount agree, and nothing else explains them as well.",
    "only_candidate": "It is the only receipt of this amount near this time.",
    "held_already": "The receipt was found before.",
    "same_purchase": "Another source told of the same purchase, and its receipt is this one's.",
    "same_order": "It is a later parcel of an order whose receipt is there.",
    "said_mine": "The person who paid gave the receipt's number, and nothing contradicts it.",
    "forced": "Support joined the two by hand.",
    # It waits.
    "about_to_match": "A receipt fits; the next look will join them.",
    "several_receipts": "Several receipts fit, and nothing tells them apart.",
    "common_amount": "Other receipts have the same amount, so time alone does not decide.",
    "rival_payment": "Another payment fits the same receipt as well.",
    "probability_too_low": "A receipt fits, and not surely enough.",
    "clock_unknown": "The till's clock is not known well enough yet.",
    "same_sale_twice": "The shop sent what looks like one sale under two numbers.",
    "receipts_still_coming": "A receipt fits, and others that fit may still come.",
    "no_receipt_yet": "No receipt that fits has come.",
    "card_facts_differ": "The receipts that fit were paid by another card.",
    "receipt_taken": "The receipt that fits belongs to another payment.",
    "not_mine": "A receipt was taken away from this payment, and no other fits.",
    "refund_waits": "It is a refund, and the purchase that it gives back is looked for.",
    "shop_unknown": "The shop is no longer known by what the bank calls it.",
    # It ended.
    "no_receipt_came": "No receipt that fits came in time.",
    "stayed_ambiguous": "More than one explanation fitted to the end.",
    "payment_reversed": "The payment was reversed before a receipt was found.",
    "refund_linked": "It is a refund of a purchase that is known.",
    "refund_in_review": "It is a refund, and a person will say which purchase it gives back.",
    "refund_unlinked": "It is a refund, and the purchase it gives back is not known.",
    "waited_long_enough": "It waited as long as any payment does.",
    "given_up": "So many receipts were taken away from it that no other is looked for.",
}

CLUES = {
    "amount": "the amount",
    "time": "the time",
    "store": "the shop",
    "auth_code": "the authorisation code",
    "last_four": "the last four digits of the card",
    "registered_card": "the last four digits of a card that the member registered",
    "scheme": "the card scheme",
    "mid": "the merchant's number at its acquirer (MID)",
    "tid": "the terminal's number (TID)",
    "par": "the payment account reference (PAR)",
    "place": "where the shop stands",
    "digits_same_kind": "the last four digits of the same number",
    "digits_unsaid": "four last digits, of which one side does not say what they end",
    "digits_registered": "the last four digits of a card that the member registered",
    "digits_of_device": "the last four digits of a card or device that the member paid with before",
}

STANDS = {
    "agrees": "The bank and the till agree on {what}.",
    "differs": "The bank and the till differ in {what}.",
    "unknown": "The bank and the till do not both give {what}.",
}

RELATIONS = {
    "bank_higher": "The bank charged more than the till printed, as where a tip is added.",
    "bank_lower": "The bank charged less than the till printed, as where a bill is shared.",
    "other_currency": "The bank tells the amount in another currency than the till.",
}

CORRECTED_SINCE = "The shop corrected the receipt since, and not all of that still holds."
TOLD_SINCE = "The bank told more since, and not all of that still holds."

BANK_GIVES = "The bank gives {what}."
BANK_GIVES_NOT = "The bank does not give {what}."

HINTS = {
    "till_card_facts": "An authorisation code or the last four digits of the card, from the till.",
    "bank_card_facts": "An authorisation code or the last four digits of the card, from the bank.",
    "receipt_comes": "The receipt, once the shop sends it.",
    "receipts_complete": "The time by which the shop sends all of its receipts.",
    "rival_settled": "The other payment finding its own receipt.",
    "till_clock": "More sales of this till that match surely, so that its clock becomes known.",
    "one_number": "The shop sending the sale under one number.",
    "correction": "A correction of what the bank or the till said of the card.",
    "paper": "The number or barcode on the paper receipt, from the person who paid.",
    "clearing": "A later message of the bank about this payment that names the shop.",
    "return_receipt": "The receipt of the return, once the shop sends it.",
    "bank_link": "The bank saying which payment it gives back.",
    "next_look": "Nothing more: it is looked at again by itself.",
}

HINTS_BY_REASON = {
    "about_to_match": ("next_look",),
    "several_receipts": ("till_card_facts", "bank_card_facts", "paper"),
    "common_amount": ("till_card_facts", "bank_card_facts", "paper"),
    "rival_payment": ("rival_settled", "till_card_facts", "bank_card_facts", "paper"),
    "probability_too_low": ("till_card_facts", "bank_card_facts", "till_clock", "paper"),
    "clock_unknown": ("till_clock", "till_card_facts", "paper"),
    "same_sale_twice": ("one_number", "paper"),
    "receipts_still_coming": ("receipts_complete", "till_card_facts"),
    "no_receipt_yet": ("receipt_comes", "paper"),
    "card_facts_differ": ("receipt_comes", "correction"),
    "receipt_taken": ("receipt_comes", "paper"),
    "not_mine": ("receipt_comes", "paper"),
    "shop_unknown": ("clearing",),
    "refund_waits": ("return_receipt", "bank_link"),
}

TURNS = {
    "authorised": "The bank told that the card was charged.",
    "cleared": "The bank told the amount that was booked.",
    "reversed": "The bank told that the payment was taken back.",
    "refunded": "The bank told that money was given back.",
    "matched": "A receipt was joined with the payment.",
    "corrected": "The shop sent a new version of the receipt.",
    "voided": "The shop declared the receipt void.",
    "returned": "Goods of the receipt were brought back.",
    "withdrawn": "The receipt was taken away again.",
    "ended": "The payment ended without a receipt.",
}

WITHDRAWN = {
    "not_mine": "The person who paid said that it is not theirs.",
    "by_staff": "Support took it away.",
    "contradicted": "What came to be known later contradicts it.",
}
