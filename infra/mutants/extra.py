"""Mutants of extra units: what one card gives on another."""

from infra.mutants.model import Mutant

EXTRA_CARDS = ("tests/unit/loyalty/test_loyalty_extra_cards.py",)
EXTRA_UNITS = ("tests/integration/test_loyalty_extra_units.py",)
CROSSING = ("tests/unit/loyalty/test_loyalty_schemes_crossing.py",)
_EXTRA = "chalicelib/loyalty/cards/extra.py"
_CROSSING = "chalicelib/loyalty/schemes/crossing.py"

MUTANTS = (
    Mutant(
        "extra_units_stay_when_their_card_is_emptied",
        "a full card that is full no more leaves what it gave on the other card",
        _EXTRA,
        "back = 0 if extra.stage is Stage.GIVEN else units",
        "back = 0",
        (*EXTRA_CARDS, *EXTRA_UNITS),
    ),
    Mutant(
        "extra_units_given_after_they_were_taken_back",
        "that units are over before they came is not remembered, so who is late gives them",
        "chalicelib/loyalty/cards/applying.py",
        " and not self.held and not is_extra(self.payment_id)",
        " and not self.held",
        EXTRA_CARDS,
    ),
    Mutant(
        "two_full_cards_give_once",
        "the units of all full cards of a purchase have one name",
        _EXTRA,
        "name=name_of(fill.cause, scheme_id, fill.name),",
        'name=name_of(fill.cause, scheme_id, "f1"),',
        EXTRA_UNITS,
    ),
    Mutant(
        "extra_units_are_active_at_once",
        "what a full card gives may be spent while its stamps are pending",
        _EXTRA,
        "active_at=fill.due_at,",
        "active_at=fill.at,",
        EXTRA_UNITS,
    ),
    Mutant(
        "extra_units_come_with_the_next_joining",
        "who had left is given the units after all when they come back",
        _EXTRA,
        "held = known.held if known else _bar(card, extra)",
        "held = _bar(card, extra)",
        (*EXTRA_CARDS, *EXTRA_UNITS),
    ),
    Mutant(
        "extra_units_use_up_caps",
        "what another card gave counts towards the caps and tiers of the scheme",
        "chalicelib/loyalty/cards/standing.py",
        "purchases = (one for one in entries if not is_extra(one.payment_id))",
        "purchases = entries",
        (*EXTRA_CARDS, *EXTRA_UNITS),
    ),
    Mutant(
        "chain_closed_from_the_other_end",
        "a scheme whose units are given may be written so that it gives units",
        _CROSSING,
        "    if not givers:\n",
        "    if givers is not None:\n",
        CROSSING,
    ),
)
