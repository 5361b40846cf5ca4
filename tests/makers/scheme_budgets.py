"""A bakery's scheme with a budget, and members with points who want money out of it."""

from dataclasses import replace
from datetime import datetime

from chalicelib.budgets import service as budgets
from chalicelib.budgets import verifying
from chalicelib.kernel.ids import MemberId
from chalicelib.ledger import service as ledger
from chalicelib.loyalty import funding
from chalicelib.loyalty.cards import store as cards
from chalicelib.loyalty.cards.model import Basis, Card, Membership
from chalicelib.loyalty.cards.store import Holder
from chalicelib.runtime import vault
from tests.makers.cards import after, worth
from tests.makers.purchases import PAID_AT
from tests.makers.rewarding import DAY, SCHEME

LATER = PAID_AT + 3 * DAY


def spent(scheme_id: str = SCHEME, *, now: datetime = LATER) -> int:
    """What is spent of the scheme's budget, which has no fault."""
    assert verifying.list_faults(scheme_id, now=now) == []
    return budgets.get_standing(funding.purse_of(scheme_id), now=now).spent_minor


def rich(number: int, scheme_id: str, units: int) -> Holder:
    """Somebody whose card has `units` that may be spent at once."""
    holder = Holder(
        MemberId(f"member-{number:020}"), scheme_id, vault.member_key(bytes([number]) * 32)
    )
    card = Card(Membership(Basis.ACTIVATION, PAID_AT))
    earned = worth("p1", units, sold_at=PAID_AT, active_at=PAID_AT)
    assert cards.record_card(replace(after(earned, card=card, at=PAID_AT), version=0), holder)
    return holder


def has(member_id: MemberId, *, now: datetime = LATER) -> int:
    """What the member was given in money, less what was taken back."""
    return sum(one.pending + one.available for one in ledger.balances_of(member_id, now=now))
