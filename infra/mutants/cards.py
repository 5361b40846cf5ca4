"""Mutants of cards: lots and draws, versions applied, full cards, and the history."""

from infra.mutants.model import Mutant

CARD_REFUNDS = ("tests/unit/loyalty/test_loyalty_card_refunds.py",)
DRAWING = ("tests/unit/loyalty/test_loyalty_card_drawing.py",)
PROPERTIES = ("tests/unit/loyalty/test_loyalty_card_properties.py",)
VERSIONS = ("tests/unit/loyalty/test_loyalty_card_versions.py",)
STAMPED = ("tests/integration/test_loyalty_awarding.py",)
CLAIMED = ("tests/integration/test_loyalty_claims.py",)
EXPIRED = ("tests/integration/test_loyalty_expiring.py",)
HISTORY = ("tests/unit/loyalty/test_loyalty_card_archiving.py", *PROPERTIES)
LATE = ("tests/integration/test_loyalty_late_returns.py",)
_LOTS = "chalicelib/loyalty/cards/lots.py"
_APPLYING = "chalicelib/loyalty/cards/applying.py"
_FILLING = "chalicelib/loyalty/cards/filling.py"
_ARCHIVING = "chalicelib/loyalty/cards/archiving.py"

MUTANTS = (
    Mutant(
        "what_never_expires_is_used_first",
        "units without an end are drawn before those that are about to expire",
        _LOTS,
        "return lot.expires_at is None, expires, lot.active_at.timestamp(), place",
        "return lot.expires_at is not None, expires, lot.active_at.timestamp(), place",
        (*CARD_REFUNDS, *CLAIMED),
    ),
    Mutant(
        "pending_units_are_spent",
        "units whose goods may still come back count as active",
        _LOTS,
        "return lambda lot: lot.active_at <= at and not lot.is_expired(at)",
        "return lambda lot: not lot.is_expired(at)",
        DRAWING,
    ),
    Mutant(
        "expired_units_fill_cards",
        "stamps whose time is over still make a card full",
        _LOTS,
        "    return lambda lot: not lot.is_expired(at)\n",
        "    return lambda _lot: True\n",
        (*VERSIONS, *EXPIRED),
    ),
    Mutant(
        "debt_is_hidden",
        "what is owed does not lessen what may be spent",
        _LOTS,
        "if lot.active_at <= now) - owed(card),",
        "if lot.active_at <= now),",
        CARD_REFUNDS,
    ),
    Mutant(
        "debt_is_not_worked_off",
        "later earning leaves the debt as it was",
        _LOTS,
        "        card = with_debt(drawn, owed.by, missing)",
        "        card = with_debt(drawn, owed.by, owed.units)",
        (*PROPERTIES, *CARD_REFUNDS),
    ),
    Mutant(
        "lapsed_claims_hold_units",
        "a claim that ran out goes on holding what it reserved",
        _LOTS,
        "            card = give_back(card, claim.claim_id, drawn_at=claim.at)\n    return card",
        "            pass\n    return card",
        (*CLAIMED, *CARD_REFUNDS),
    ),
    Mutant(
        "older_version_applied",
        "a version that comes late undoes a newer one",
        _APPLYING,
        "return (worth.version, not worth.held) <= (entry.version, not entry.held)",
        "return (worth.version, not worth.held) == (entry.version, not entry.held)",
        (*VERSIONS, *PROPERTIES),
    ),
    Mutant(
        "held_award_counts",
        "what looks like abuse counts before anybody looked",
        _APPLYING,
        "return 0 if self.held else sum(one.units - one.back for one in self.given)",
        "return sum(one.units - one.back for one in self.given)",
        DRAWING,
    ),
    Mutant(
        "withdrawn_receipt_leaves_what_policy_kept",
        "of a receipt that was somebody else's, what a refund policy let be kept stays",
        _APPLYING,
        "Taking(entry.payment_id, counted, Undoing.ANY, cause)",
        "Taking(entry.payment_id, counted - entry.kept, Undoing.ANY, cause)",
        (*VERSIONS, *PROPERTIES),
    ),
    Mutant(
        "only_pending_takes_active_units",
        "a policy that takes back only what is pending takes what is active too",
        _APPLYING,
        "policy is RefundPolicy.ONLY_PENDING and entry.lot.active_at <= at",
        "policy is RefundPolicy.ONLY_PENDING and entry.lot.active_at < entry.sold_at",
        CARD_REFUNDS,
    ),
    Mutant(
        "within_balance_owes",
        "a policy that takes what is there makes debt of the rest",
        _APPLYING,
        "if short and policy is not RefundPolicy.NEGATIVE:",
        "if short and policy is RefundPolicy.ONLY_PENDING:",
        CARD_REFUNDS,
    ),
    Mutant(
        "kept_units_are_given_again",
        "what a policy left is not remembered, so a correction upwards gives it twice",
        _APPLYING,
        "kept = max(entry.kept - more, 0)",
        "kept = entry.kept",
        VERSIONS,
    ),
    Mutant(
        "full_card_needs_one_more",
        "a card is full only when there is one stamp too many",
        _FILLING,
        "usable=lots.live(at)) >= filling.places:",
        "usable=lots.live(at)) > filling.places:",
        (*DRAWING, *STAMPED),
    ),
    Mutant(
        "one_full_card_a_purchase",
        "a purchase that fills two cards fills one",
        _FILLING,
        "    while lots.free_units(card",
        "    if lots.free_units(card",
        DRAWING,
    ),
    Mutant(
        "full_cards_number_comes_again",
        "the next full card takes the number of the one that was emptied",
        _FILLING,
        "number = card.fills_made + 1",
        "number = sum(not one.undone_by for one in card.fills) + 1",
        (*CARD_REFUNDS, *STAMPED, *PROPERTIES),
    ),
    Mutant(
        "reward_is_due_at_once",
        "the money of a full card does not wait for its youngest stamp",
        _FILLING,
        "due_at = max(at, *(lot.active_at for lot in held))",
        "due_at = max(at, *(at for _ in held))",
        (*STAMPED, *CARD_REFUNDS),
    ),
    Mutant(
        "emptied_though_a_stamp_is_free",
        "a stamp taken back empties its card although a loose one could take its place",
        _FILLING,
        "card, missing = lots.draw(card, draw.by, draw.units, usable=lots.live(at))",
        "missing = draw.units",
        CARD_REFUNDS,
    ),
    Mutant(
        "collected_reward_is_undone",
        "a full card whose reward was collected is emptied all the same",
        _FILLING,
        "return None if claim is not None and not claim.is_open(at) else fill",
        "return fill",
        (*CARD_REFUNDS, *CLAIMED),
    ),
    Mutant(
        "emptied_card_keeps_its_draws",
        "the other stamps of an emptied card do not lie loose again",
        _FILLING,
        "    card = lots.give_back(card, fill.name, drawn_at=fill.at)\n",
        "",
        CARD_REFUNDS,
    ),
    Mutant(
        "expired_units_move_as_live",
        "what expired unused is forgotten when it moves to the history",
        _ARCHIVING,
        "        expired=card.expired + expired,\n        fills=_without",
        "        expired=card.expired,\n        fills=_without",
        HISTORY,
    ),
    Mutant(
        "moved_twice_counts_twice",
        "an entry that comes back from the history leaves its units in the base as well",
        _ARCHIVING,
        "        if lot.units > units:\n"
        "            left.append(replace(lot, units=lot.units - units, draws=kept))",
        "        left.append(lot)",
        HISTORY,
    ),
    Mutant(
        "newest_entries_move",
        "the history gets the newest purchases and not the oldest",
        _ARCHIVING,
        "    return tuple(by_age[:BATCH])",
        "    return tuple(by_age[-BATCH:])",
        (*HISTORY, *STAMPED),
    ),
    Mutant(
        "lost_history_is_believed",
        "what a run wrote to the history that then lost the race is taken for the card's own",
        "chalicelib/loyalty/cards/past.py",
        "    while last in by_name and len(chain) < len(by_name):",
        "    if by_name:\n        return tuple(by_name.values())\n    while last in by_name:",
        (*HISTORY, "tests/integration/test_loyalty_card_contention.py"),
    ),
    Mutant(
        "partly_replaced_card_stays_full",
        "a full card for which some of the stamps it lost could be replaced is not emptied",
        "chalicelib/loyalty/cards/filling.py",
        "        if not missing:\n",
        "        if missing < draw.units:\n",
        PROPERTIES,
    ),
    Mutant(
        "reward_is_due_before_its_stamps",
        "a reward that a younger stamp stands for is due when the one it replaced would have been",
        _FILLING,
        "due_at = max((lot.active_at for lot in held), default=at)",
        "due_at = min((lot.active_at for lot in held), default=at)",
        (*CARD_REFUNDS, *LATE),
    ),
    Mutant(
        "due_reward_is_put_off",
        "a reward that is due, and may have been paid, is taken back and given anew",
        _FILLING,
        "if fill.undone_by or fill.due_at <= at or due_at <= fill.due_at:",
        "if fill.undone_by or due_at <= fill.due_at:",
        CARD_REFUNDS,
    ),
    Mutant(
        "deferred_reward_is_given_twice",
        "a reward that is due later is given anew, and stays where it was given first",
        "chalicelib/loyalty/cards/paying.py",
        "giving.bring_to(earlier, fill.minor, reason=self.reason, now=self.now)",
        "giving.bring_to(earlier, 0, reason=self.reason, now=self.now)",
        LATE,
    ),
    Mutant(
        "deferring_is_left_to_nobody",
        "a run that dies after a return put a reward off leaves it payable early",
        "chalicelib/loyalty/cards/past.py",
        "payment_id in (fill.cause, fill.undone_by, *fill.deferred_by)",
        "payment_id in (fill.cause, fill.undone_by)",
        LATE,
    ),
    Mutant(
        "deferred_card_moves_before_its_purchase",
        "a full card goes to the history while the purchase that put it off can still come back",
        _ARCHIVING,
        "and not {fill.cause, fill.undone_by, *fill.deferred_by} & at_hand",
        "and not {fill.cause, fill.undone_by} & at_hand",
        HISTORY,
    ),
)
