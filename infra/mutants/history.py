"""Mutants of histories: what moves off a card or an offer's row, and what comes back of it."""

from infra.mutants.cards import HISTORY
from infra.mutants.model import Mutant

CARD_HISTORY = ("tests/unit/loyalty/test_loyalty_card_history.py",)
LATE_RETURNS = ("tests/integration/test_loyalty_late_returns.py",)
OFFER_PAGES = ("tests/unit/offers/test_offers_archiving.py",)
ARCHIVED = ("tests/integration/test_offers_archiving.py",)
_CARDS = "chalicelib/loyalty/cards/archiving.py"
_PAST = "chalicelib/loyalty/cards/past.py"
_REVIVING = "chalicelib/loyalty/cards/reviving.py"
_OFFERS = "chalicelib/offers/participation/archiving.py"
_LIMITS = "chalicelib/offers/participation/model.py"

MUTANTS = (
    Mutant(
        "full_card_moves_before_its_stamps",
        "a full card moves to the history while a purchase at hand has stamps in it",
        _CARDS,
        "        and fill.name not in drawing\n",
        "",
        CARD_HISTORY,
    ),
    Mutant(
        "waiting_reward_moves",
        "a full card whose reward waits moves to the history, where nobody pays it",
        _CARDS,
        "        if not fill.waits\n        and fill.name",
        "        if fill.name",
        (*HISTORY, *CARD_HISTORY),
    ),
    Mutant(
        "watermark_goes_back",
        "the card knows the oldest sale that moved, so that a younger one is taken for new",
        _CARDS,
        "watermark=max((one for one in stamped",
        "watermark=min((one for one in stamped",
        (*HISTORY, *CARD_HISTORY),
    ),
    Mutant(
        "brought_back_units_stay_expired",
        "units that come back from the history are counted as expired there as well",
        _CARDS,
        "    card = replace(card, expired=card.expired - expired)\n",
        "",
        HISTORY,
    ),
    Mutant(
        "claim_moves_before_it_is_paid",
        "a claim in money moves to the history before whoever died paying it is followed up",
        _CARDS,
        "claim.closed_at is None or claim.closed_at < at - FOLLOWED_UP",
        "claim.closed_at is None or claim.closed_at <= at",
        HISTORY,
    ),
    Mutant(
        "older_full_card_is_believed",
        "a full card is what it was when it moved to the history, though the card has it anew",
        _PAST,
        "return fills | {fill.number: fill for fill in card.fills}",
        "return {fill.number: fill for fill in card.fills} | fills",
        CARD_HISTORY,
    ),
    Mutant(
        "history_is_named_without_leases",
        "two runs that gave a full card two leases write one row of history over the other",
        _PAST,
        "    if leases:\n",
        "    if not leases:\n",
        (*HISTORY, *CARD_HISTORY),
    ),
    Mutant(
        "collected_reward_comes_back",
        "a full card of the history whose reward was collected at a till is emptied",
        _REVIVING,
        "        if fill.name in names and not _is_collected(card, fill, at)\n",
        "        if fill.name in names\n",
        CARD_HISTORY,
    ),
    Mutant(
        "revived_card_loses_the_others_stamps",
        "of a full card that comes back only the stamps of the returned purchase come back",
        _REVIVING,
        "card = _with(card, fill, _without(lots, own, expires_at=entry.lot.expires_at))",
        "card = _with(card, fill, ())",
        CARD_HISTORY,
    ),
    Mutant(
        "emptied_card_comes_back_full",
        "a full card of the history that was emptied before holds its stamps again",
        _REVIVING,
        "if one.number not in at_hand and not one.undone_by}",
        "if one.number not in at_hand}",
        CARD_HISTORY,
    ),
    Mutant(
        "reward_of_the_period_moves",
        "a reward of the running day moves to the history, where a sale of now does not look",
        _OFFERS,
        "is_ever or _period(one.sold_at, campaign) < newest]",
        "is_ever or _period(one.sold_at, campaign) <= newest]",
        (*OFFER_PAGES, *ARCHIVED),
    ),
    Mutant(
        "reward_out_of_the_history_counts_twice",
        "a reward that comes back from the history stays in its sums",
        _OFFERS,
        "        history=_with(participation.history, found, sign=-1),\n",
        "        history=participation.history,\n",
        (*OFFER_PAGES, *ARCHIVED),
    ),
    Mutant(
        "newest_that_moved_is_new",
        "the latest of the sales that moved to the history is not looked for there",
        _OFFERS,
        "    if sold_at <= newest:\n",
        "    if sold_at < newest:\n",
        OFFER_PAGES,
    ),
    Mutant(
        "lost_page_is_believed",
        "a page that a run wrote which then lost the race counts",
        _OFFERS,
        "        if page.number <= participation.history.pages\n",
        "",
        OFFER_PAGES,
    ),
    Mutant(
        "oldest_page_is_believed",
        "a reward that moved twice is what it was when it moved first",
        _OFFERS,
        "sorted(pages, key=lambda page: page.number)",
        "sorted(pages, key=lambda page: -page.number)",
        (*OFFER_PAGES, *ARCHIVED),
    ),
    Mutant(
        "history_frees_the_limit",
        "rewards in the history do not count towards a limit for ever",
        _LIMITS,
        "before, same = history.rewards, list(kept)",
        "before, same = 0, list(kept)",
        (*OFFER_PAGES, *ARCHIVED),
    ),
    Mutant(
        "late_sale_forgets_the_history",
        "a late sale of a day that had its reward gets another one",
        _LIMITS,
        "close = near((*kept, *past), sold_at, limit.per)",
        "close = near(kept, sold_at, limit.per)",
        ARCHIVED,
    ),
)
