"""The history of a member's card, for their bank: every entry, those that moved away included."""

from chalice import Blueprint

from chalicelib.api import reaching
from chalicelib.api.history_shapes import (
    HistoryAnswer,
    purchases_of,
    read_cursor,
    to_cursor,
    to_line,
)
from chalicelib.api.paging import limit_of
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.loyalty import service as loyalty
from chalicelib.loyalty.cards import history
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.model import Entry
from chalicelib.loyalty.cards.naming import is_extra
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.network.access.clients import MEMBERS_READ
from chalicelib.rewards import tracing
from chalicelib.runtime import clock

bp = Blueprint(__name__)

TAGS = ("rewards",)
LINES_DEFAULT, LINES_MAX = 20, 50


@operation(
    bp,
    "GET",
    "/v1/members/{user}/schemes/{scheme}/history",
    summary="Everything that happened on a card",
    answers={200: HistoryAnswer, 404: Problem, 422: Problem},
    scopes=(MEMBERS_READ,),
    tags=TAGS,
    query={"cursor": "Of the page before.", "limit": "1 to 50 lines; 20 unless said."},
)
def list_card_history(inbound: Inbound) -> Answer:
    """What earned and what of it was taken back, full cards, claims, and what expired: newest
    first, each as it stands now. 404 `not_in_scheme`: the member never took part.
    """
    now = clock.now()
    member = reaching.member_of(inbound, now=now)
    key = reaching.key_of(member)
    scheme = schemes.get_valid(inbound.parameters["scheme"], at=now, now=now)
    holder = loyalty.holder_of(member, scheme.scheme_id, key)
    card, past = loyalty.open_history(holder, loyalty.taker_of(member, scheme, now=now), now=now)
    shown, after = history.page_of(
        history.list_lines(card, past, now=now),
        before=read_cursor(inbound.query.get("cursor")),
        limit=limit_of(inbound, default=LINES_DEFAULT, most=LINES_MAX),
    )
    entries = [
        line.what
        for line in shown
        if isinstance(line.what, Entry) and not is_extra(line.what.payment_id)
    ]
    traced = tracing.trace(
        member,
        [one for one in map(purchases_of, shown) if one is not None],
        less=[one.payment_id for one in entries if any(given.back for given in one.given)],
        key=key,
        now=now,
    )
    return Answer(
        HistoryAnswer(
            scheme=scheme.scheme_id,
            unit=scheme.unit.value,
            expired=balance_at(card, now).expired,
            lines=tuple(to_line(line, traced, now=now) for line in shown),
            cursor=to_cursor(after),
        )
    )
