"""What a retailer's campaigns owe, month by month, for the retailer itself (LOY-18)."""

import msgspec
from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.refusals import Malformed
from chalicelib.ledger.closing import invoicing
from chalicelib.ledger.days.folding import Line
from chalicelib.ledger.printing import to_csv
from chalicelib.ledger.statements import Statement, read_period
from chalicelib.network.access.clients import STATEMENTS_READ
from chalicelib.runtime import clock

bp = Blueprint(__name__)


class StatementLine(msgspec.Struct, omit_defaults=True):
    """What one campaign gave and took back, in minor units; `owed_minor` is the difference."""

    currency: str
    given: int
    given_minor: int
    taken_back: int
    taken_back_minor: int
    owed_minor: int
    campaign: str | None = None


class StatementAnswer(msgspec.Struct):
    """A month of a retailer. `is_final` once every day of it is closed; until then days are missing
    from `closed_until` on. `last_hash` is that of the month's last day, in hex.
    """

    retailer: str
    period: str
    is_final: bool
    closed_until: str
    lines: list[StatementLine]
    totals: list[StatementLine]
    last_hash: str


@operation(
    bp,
    "GET",
    "/v1/retailers/self/statements/{period}",
    summary="What your campaigns owe for a month",
    answers={
        200: StatementAnswer,
        400: Problem,
        401: Problem,
        403: Problem,
        422: Problem,
        503: Problem,
    },
    scopes=(STATEMENTS_READ,),
    other_kinds=("text/csv",),
    tags=("statements",),
    query={"as": "`csv` for a file that spreadsheets read."},
)
def read_statement(inbound: Inbound) -> Answer:
    """Rewards given less rewards taken back in the month (`2026-11`, in UTC), by campaign.

    A reward that is taken back in a later month stands there as taken back: a month may owe less
    than nothing.
    """
    retailer_id = callers.retailer_of(inbound.known_caller)
    period = read_period(inbound.parameters["period"])
    form = inbound.query.get("as", "json")
    if form not in ("json", "csv"):
        raise Malformed("`as` is `json` or `csv`", field="as", code="shape")
    statement = invoicing.statement_of(retailer_id, period, now=clock.now())
    if form == "csv":
        return Answer(to_csv(statement), content_type="text/csv; charset=utf-8")
    return Answer(_to_answer(statement))


def _to_answer(statement: Statement) -> StatementAnswer:
    return StatementAnswer(
        retailer=statement.retailer_id,
        period=statement.period.name,
        is_final=statement.is_final,
        closed_until=statement.closed_until.isoformat(),
        lines=[_to_line(line) for line in statement.lines],
        totals=[_to_line(line) for line in statement.totals],
        last_hash=statement.last_hash,
    )


def _to_line(line: Line) -> StatementLine:
    return StatementLine(
        currency=line.currency,
        given=line.given,
        given_minor=line.given_minor,
        taken_back=line.taken_back,
        taken_back_minor=line.taken_back_minor,
        owed_minor=line.owed_minor,
        campaign=line.campaign_id or None,
    )
