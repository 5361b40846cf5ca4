"""A member's cashback, for their bank: what there is, when it is paid, and how it came to be."""

from chalice import Blueprint

from chalicelib.api import reaching
from chalicelib.api.cashback_shapes import (
    CashbackAnswer,
    EntriesAnswer,
    purchase_of,
    read_cursor,
    to_balance,
    to_cursor,
    to_entry,
)
from chalicelib.api.paging import limit_of
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.ledger import service as ledger
from chalicelib.ledger.accounts import member_owner
from chalicelib.network.access.clients import CASHBACK_READ
from chalicelib.payouts.netting import service as netting
from chalicelib.rewards import tracing
from chalicelib.runtime import clock

bp = Blueprint(__name__)

TAGS = ("cashback",)
SCOPES = (CASHBACK_READ,)
ENTRIES_DEFAULT, ENTRIES_MAX = 20, 50


@operation(
    bp,
    "GET",
    "/v1/members/{user}/cashback",
    summary="What a member has in cashback",
    answers={200: CashbackAnswer, 404: Problem},
    scopes=SCOPES,
    tags=TAGS,
)
def view_cashback(inbound: Inbound) -> Answer:
    """By currency: pending, available, in payment, paid, returned and written off; and what is
    missing to the next payout, or holds it up.
    """
    now = clock.now()
    member = reaching.member_of(inbound, now=now)
    found = ledger.balances_of(member.member_id, now=now)
    shown = (to_balance(one, netting.foresee(member, one, now=now)) for one in found)
    return Answer(CashbackAnswer(tuple(shown)))


@operation(
    bp,
    "GET",
    "/v1/members/{user}/cashback/entries",
    summary="Everything that happened to a member's cashback",
    answers={200: EntriesAnswer, 404: Problem, 422: Problem},
    scopes=SCOPES,
    tags=TAGS,
    query={"cursor": "Of the page before.", "limit": "1 to 50 entries; 20 unless said."},
)
def list_cashback_entries(inbound: Inbound) -> Answer:
    """Newest first. What is new while somebody leafs through it does not move what they see next;
    the `changes` of all entries add up to the balances.
    """
    now = clock.now()
    member = reaching.member_of(inbound, now=now)
    stretch = ledger.list_newest(
        member_owner(member.member_id),
        before=read_cursor(inbound.query.get("cursor")),
        limit=limit_of(inbound, default=ENTRIES_DEFAULT, most=ENTRIES_MAX),
        now=now,
    )
    purchases = [purchase_of(one.entry) for one in stretch.postings]
    traced = tracing.trace(member, filter(None, purchases), key=reaching.key_of(member), now=now)
    entries = tuple(
        to_entry(one, traced[purchase].transaction if purchase else None)
        for one, purchase in zip(stretch.postings, purchases, strict=True)
    )
    return Answer(EntriesAnswer(entries, to_cursor(stretch.before)))
