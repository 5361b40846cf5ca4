"""Mutants of what a card is worth, who writes it, what follows from it, and of spending from it."""

from infra.mutants.cards import CLAIMED, DRAWING, STAMPED
from infra.mutants.model import Mutant

VALUING = ("tests/unit/loyalty/test_loyalty_valuing.py",)
ELIGIBILITY = ("tests/unit/loyalty/test_loyalty_eligibility.py",)
_VALUING = "chalicelib/loyalty/cards/valuing.py"
_DESK = "chalicelib/loyalty/cards/desk.py"
_STORE = "chalicelib/loyalty/cards/store.py"
_ELIGIBILITY = "chalicelib/loyalty/cards/eligibility.py"
_CLAIMING = "chalicelib/loyalty/claims/claiming.py"

MUTANTS = (
    Mutant(
        "old_purchase_earns_again",
        "a purchase that moved to the history is taken for a new one",
        _DESK,
        "if card.watermark is None or of.earliest_at > card.watermark:",
        "if card.watermark is None or of.earliest_at <= card.watermark:",
        STAMPED,
    ),
    Mutant(
        "card_written_over",
        "a card is written over whatever somebody else wrote meanwhile",
        _STORE,
        "free = CardRow.version == card.version if card.version else CardRow.pk.does_not_exist()",
        "free = CardRow.version.exists() if card.version else CardRow.pk.does_not_exist()",
        ("tests/integration/test_loyalty_card_contention.py", *STAMPED),
    ),
    Mutant(
        "corrected_receipt_keeps_its_stamps",
        "what was bought turns out to be something else, and earns as before",
        _VALUING,
        "    if print_of(sale) != entry.sale_print:\n",
        "    if sale.is_exchange and print_of(sale) != entry.sale_print:\n",
        VALUING,
    ),
    Mutant(
        "returned_goods_count_as_corrected",
        "a returned line makes another sale of it, so that it is decided anew",
        _VALUING,
        "said += [line.gtin, line.sku, line.category, line.is_return]",
        "said += [line.gtin, line.sku, line.category, line.returned_quantity]",
        VALUING,
    ),
    Mutant(
        "schemes_own_pending_days_forgotten",
        "the retailer's return period holds where the scheme names another",
        _VALUING,
        "pending = scheme.pending_days if scheme.pending_days is not None else return_days",
        "pending = return_days",
        VALUING,
    ),
    Mutant(
        "emptied_card_keeps_its_money",
        "the reward of a card that is full no more is not taken back",
        "chalicelib/loyalty/cards/paying.py",
        "taken = fill.minor if fill.undone_by else fill.minor - fill.worth_minor",
        "taken = 0",
        STAMPED,
    ),
    Mutant(
        "earns_before_joining",
        "a purchase made before the member joined earns",
        _ELIGIBILITY,
        "if sold_at < membership.joined_at:",
        "if now < membership.joined_at:",
        ELIGIBILITY,
    ),
    Mutant(
        "claims_spend_what_is_not_there",
        "a reward is reserved that costs more than is active",
        _CLAIMING,
        "if lots.balance_at(card, at).active < price.units:",
        "if lots.balance_at(card, at).active + lots.balance_at(card, at).pending < price.units:",
        DRAWING,
    ),
    Mutant(
        "claim_redeemed_twice",
        "a second till may collect the same reward",
        _CLAIMING,
        ' and claim.confirmation == confirmation != ""',
        "",
        (*CLAIMED, "tests/journeys/test_claims_api.py"),
    ),
    Mutant(
        "same_name_reserves_again",
        "a repeated request of the bank draws the price once more",
        _CLAIMING,
        "        same_again(known, price.reward_id)\n        return card\n",
        "        same_again(known, price.reward_id)\n",
        DRAWING,
    ),
    Mutant(
        "cancelled_claim_keeps_its_price",
        "a claim that is given up gives nothing back",
        _CLAIMING,
        "    released = lots.give_back("
        "_with_claim(card, cancelled), claim_id, drawn_at=claim.at)\n",
        "    released = _with_claim(card, cancelled)\n",
        CLAIMED,
    ),
    Mutant(
        "redeemed_after_its_time",
        "a code is taken after its time is over",
        _CLAIMING,
        "    if not claim.is_open(at):\n"
        "        raise ClaimNotOpen(why_not_open(claim))\n    redeemed",
        "    if claim.state is not ClaimState.RESERVED:\n"
        "        raise ClaimNotOpen(why_not_open(claim))\n    redeemed",
        CLAIMED,
    ),
)
