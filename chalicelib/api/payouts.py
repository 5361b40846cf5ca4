"""Payouts, for banks and rails: where a member is paid, what became of a payment, webhooks."""

from datetime import date, datetime

from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.payout_shapes import (
    AcknowledgementBody,
    DestinationAnswer,
    DestinationBody,
    Taken,
)
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.pan import refuse_card_numbers
from chalicelib.kernel.refusals import Misshapen, TooLarge
from chalicelib.kernel.times import parse_instant, to_text
from chalicelib.members import service as members
from chalicelib.members.model import LinkKind, Member, Reference
from chalicelib.network.access.clients import (
    MEMBERS_READ,
    PAYOUTS_ACKNOWLEDGE,
    PAYOUTS_DESTINATION,
    PAYOUTS_READ,
)
from chalicelib.payouts import hearing, listing
from chalicelib.payouts.destinations import accounts
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.destinations.accounts import Destination
from chalicelib.payouts.destinations.service import ShownDestination
from chalicelib.payouts.messages import ReportMessage
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import clock, wire

bp = Blueprint(__name__)

TAGS = ("payouts",)
CSV = "text/csv"


@operation(
    bp,
    "PUT",
    "/v1/members/{user}/payout-destination",
    summary="Say where a member's cashback is paid",
    takes=DestinationBody,
    answers={200: DestinationAnswer, 400: Problem, 404: Problem, 422: Problem},
    scopes=(PAYOUTS_DESTINATION,),
    tags=TAGS,
)
def put_payout_destination(request: Inbound) -> Answer:
    """Sort code and account number, or an IBAN. It is encrypted and shown never again but for its
    last four digits. The first is used at once; one that replaces another a day later, also where
    that was removed before.
    """
    now = clock.now()
    # Digits of an account can look like a card's; everything else is refused as everywhere.
    body = wire.convert(wire.parse_json(request.body), DestinationBody)
    refuse_card_numbers({"holder": body.holder})
    member = _own_member(request, now=now)
    shown = destinations.set_destination(member, _to_destination(body), now=now)
    return Answer(_to_answer(shown))


@operation(
    bp,
    "GET",
    "/v1/members/{user}/payout-destination",
    summary="See the last digits of where a member is paid",
    answers={200: DestinationAnswer, 404: Problem},
    scopes=(MEMBERS_READ,),
    tags=TAGS,
)
def get_payout_destination(request: Inbound) -> Answer:
    """The last four digits, or 404 where there is none."""
    now = clock.now()
    return Answer(_to_answer(destinations.get_shown(_own_member(request, now=now), now=now)))


@operation(
    bp,
    "DELETE",
    "/v1/members/{user}/payout-destination",
    summary="Pay a member's cashback nowhere any more",
    answers={204: None, 404: Problem},
    scopes=(PAYOUTS_DESTINATION,),
    tags=TAGS,
)
def delete_payout_destination(request: Inbound) -> Answer:
    """Forget the account at once. What was sent before goes where it was going."""
    now = clock.now()
    destinations.remove(_own_member(request, now=now), now=now)
    return Answer(status=204)


@operation(
    bp,
    "POST",
    "/v1/payouts/{payout}/acknowledgement",
    summary="Say what became of a payout that the bank was asked to make",
    takes=AcknowledgementBody,
    answers={202: Taken, 400: Problem, 404: Problem, 409: Problem, 422: Problem, 503: Problem},
    scopes=(PAYOUTS_ACKNOWLEDGE,),
    tags=TAGS,
)
def post_acknowledgement(request: Inbound) -> Answer:
    """Paid, refused, or returned by the payee. The same acknowledgement again changes nothing;
    another word under the same id is 409.
    """
    now = clock.now()
    body = wire.convert(request.json(), AcknowledgementBody)
    connection_id = callers.bank_of(request.known_caller)
    payout_id = request.parameters["payout"]
    report = _to_report(payout_id, body, connection_id, now=now)
    hearing.acknowledge(payout_id, report, connection_id, now=now)
    return Answer(Taken(taken=1), 202)


@operation(
    bp,
    "GET",
    "/v1/payouts",
    summary="List the payouts of a day, to hold against the bank's own books",
    answers={200: str, 400: Problem, 413: Problem, 422: Problem},
    scopes=(PAYOUTS_READ,),
    other_kinds=(CSV,),
    tags=TAGS,
    query={"day!": "The UTC day on which they were written: 2026-12-02."},
)
def list_payouts(request: Inbound) -> Answer:
    """CSV: a line per payout to the bank's members, then sums of what was ordered and paid."""
    now = clock.now()
    connection_id = callers.bank_of(request.known_caller)
    listed = listing.list_day(connection_id, _day(request), now=now)
    if not listed.is_whole:
        raise TooLarge("the day has more payouts than one answer can look through")
    return Answer(listed.to_csv(), content_type=CSV)


@operation(
    bp,
    "POST",
    "/hooks/payouts/{connection}",
    summary="TrueLayer tells what became of a payout",
    answers={200: Taken, 400: Problem, 401: Problem, 404: Problem, 503: Problem},
    tags=TAGS,
    headers={"Tl-Signature!": "Detached JWS over method, path, headers and body."},
)
def receive_payout_hook(inbound: Inbound) -> Answer:
    """`payout_executed` and `payout_failed`; other types are answered and left."""
    now = clock.now()
    hearing.verify_hook(
        inbound.parameters["connection"],
        method=inbound.method,
        path=inbound.path,
        headers=inbound.headers,
        body=inbound.body,
        now=now,
    )
    is_taken = hearing.take_hook(inbound.parameters["connection"], inbound.body, now=now)
    return Answer(Taken(taken=1) if is_taken else Taken(taken=0, ignored=1))


def _day(request: Inbound) -> date:
    try:
        return date.fromisoformat(request.query["day"])
    except ValueError as error:
        raise Misshapen("the day is not of the form 2026-12-02", field="day") from error


def _own_member(request: Inbound, *, now: datetime) -> Member:
    """The member of the caller's own bank that the path names."""
    connection_id = callers.bank_of(request.known_caller)
    user = request.parameters["user"]
    callers.check_user(request.known_caller, user)
    return members.get_member(Reference(LinkKind.USER, connection_id, user), now=now)


def _to_destination(body: DestinationBody) -> Destination:
    if body.iban is not None:
        if body.sort_code is not None or body.account_number is not None:
            raise Misshapen("give an IBAN or a sort code with an account number", field="iban")
        return Destination(accounts.read_iban(body.iban), body.holder)
    account = accounts.read_sort_code_account(body.sort_code or "", body.account_number or "")
    return Destination(account, body.holder)


def _to_answer(shown: ShownDestination) -> DestinationAnswer:
    return DestinationAnswer(shown.shown, to_text(shown.changed_at), to_text(shown.usable_from))


def _to_report(
    payout_id: str, body: AcknowledgementBody, connection_id: ConnectionId, *, now: datetime
) -> ReportMessage:
    at = parse_instant(body.at, field="at")
    if at > now + hearing.CLOCKS_DIFFER_BY:
        raise Misshapen("the time is in the future", field="at", code="future")
    outcomes = {"paid": "executed", "refused": "failed", "returned": "returned"}
    return ReportMessage(
        payout_id=payout_id,
        event_id=f"{connection_id}/{body.id}",
        outcome=outcomes[body.status],  # type: ignore[arg-type]
        at=at,
        provider=(body.payment or "") if body.status == "paid" else "",
        reason=body.reason or ("" if body.status == "paid" else "not_said"),
        rail=Rail.BANK.value,
        connection=connection_id,
    )
