"""The town's rewards: what two retailers give, where people are paid, and what came of it.

The market stamps a card at each visit of five pounds, and pays for every second stamp; it and the
bookshop give a tenth back to whoever switched their offers on. Everything is said over public HTTP,
and judged by the members' books, the sandbox bank's feed, and what the platform counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from chalicelib.kernel.ids import MemberId
from chalicelib.ledger import checking, invariants
from chalicelib.ledger import service as ledger
from chalicelib.ledger.accounts import Holding, member_account, member_owner
from chalicelib.ledger.model import Entry, EntryKind
from chalicelib.members import service as members
from infra.local.calling import call_json
from infra.local.judging import Counts
from infra.local.sandbox_till import Login
from infra.local.setup import Setting
from infra.local.town import Person, Town

MARKET, BOOKSHOP = "northlight-market", "paperkite-books"
CARD, OFFER = "visits", "a-tenth-back"
PENDING_DAYS = 4
STAMP_CARD: dict[str, Any] = {
    "name": "Market visits",
    "unit": "stamps",
    "currency": "GBP",
    "zone": "Europe/London",
    "rules": [
        {
            "kind": "visit",
            "id": "visit",
            "name": "A stamp a visit",
            "when": {"min_spend_minor": 500},
        }
    ],
    "card": {"places": 2, "reward": {"kind": "fixed_cashback", "amount_minor": 150}},
    "budget_minor": 50_000,
    "pending_days": PENDING_DAYS,
}
SORT_CODE = "040004"  # Of the invented bank; no weights table says anything of it.


def campaign(now: datetime) -> dict[str, Any]:
    """The offer of market and bookshop, for a day from `now` on."""
    return {
        "name": "A tenth back",
        "currency": "GBP",
        "zone": "Europe/London",
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(days=1)).isoformat(),
        "reward": {"kind": "percent_cashback", "percent": "10", "max_minor": 500},
        "budget": {"amount_minor": 5_000, "currency": "GBP"},
        "limit": {"times": 10, "per": "ever"},
        "needs_activation": True,
        "pending_days": PENDING_DAYS,
    }


class NotOpened(Exception):
    """A step of setting rewards up was not answered as it should be. The text says which."""


@dataclass(frozen=True, slots=True)
class Money:
    """What the members' books and the sandbox bank say when all is over, in pence.

    `faults` are sentences: what does not hold.
    """

    given: int
    taken_back: int
    paid: int
    owed: int
    payouts: int
    faults: tuple[str, ...]


def open_rewards(setting: Setting, town: Town, *, now: datetime) -> None:
    """Let the retailers say what they give, and the members' banks where to pay it.

    :raises NotOpened: the platform answered otherwise.
    """
    market = setting.till_logins[MARKET]
    _say("PUT", f"{market.base_url}/v1/schemes/{CARD}", STAMP_CARD, market, status=201)
    offers = [_offer(setting.till_logins[retailer], now=now) for retailer in (MARKET, BOOKSHOP)]
    for person in town.people:
        if person.is_member:
            _join(setting, person, offers)


def _offer(retailer: Login, *, now: datetime) -> str:
    """Write the offer and let it run; the id by which banks know it."""
    url = f"{retailer.base_url}/v1/campaigns/{OFFER}"
    offer: str = _say("PUT", url, campaign(now), retailer, status=201)["id"]
    _say("POST", f"{url}/schedule", {}, retailer)
    return offer


def _join(setting: Setting, person: Person, offers: Sequence[str]) -> None:
    login = setting.bank_logins[person.provider]
    url = f"{login.base_url}/v1/members/{quote(person.user, safe='')}"
    where = {
        "holder": f"Person {person.number}",
        "sort_code": SORT_CODE,
        "account_number": account_number(person),
    }
    _say("PUT", f"{url}/payout-destination", where, login)
    _say("PATCH", f"{url}/preferences", {"offers": True}, login)
    for offer in offers:
        _say("POST", f"{url}/offers/{offer}/activate", {}, login)


def account_number(person: Person) -> str:
    """Where the sandbox bank pays the person: eight digits, their own."""
    return f"{31_000_000 + person.number}"


def add_up(setting: Setting, town: Town, *, now: datetime) -> Money:
    """Read every member's book, verify it, and hold it against what the bank's feed shows."""
    by_kind: Counter[EntryKind] = Counter()
    paid: dict[str, int] = {}
    owed, faults = 0, list[str]()
    for person in town.people:
        member_id = _member_of(setting, person, now=now)
        if member_id is None:
            continue
        book = checking.read_book(member_owner(member_id), now=now)
        faults += invariants.broken(book)
        for entry in invariants.entries_of(book):
            by_kind[entry.kind] += abs(_moved_minor(entry, member_id))
        for balances in ledger.balances_of(member_id, now=now):
            paid[account_number(person)] = balances.paid - balances.returned
            owed += balances.pending + balances.available + balances.in_payment
    shown = _shown(setting)
    if {account: minor for account, minor in paid.items() if minor} != shown:
        faults.append("the sandbox bank's feed does not show what the books say was paid")
    return Money(
        given=by_kind[EntryKind.REWARD_GIVEN],
        taken_back=by_kind[EntryKind.REWARD_TAKEN_BACK],
        paid=sum(paid.values()),
        owed=owed,
        payouts=len(setting.bank.payments.books.feed),
        faults=tuple(faults),
    )


def problems(money: Money, counts: Counts) -> list[str]:
    """What is wrong with the day's rewards, in sentences; also if nothing shows that they work."""
    found = [f"books: {fault}" for fault in money.faults]
    expected = {
        "nothing was given": money.given,
        "nothing was taken back": money.taken_back,
        "nothing was paid": money.paid,
        "no offer was redeemed": counts.total("offers_redeemed"),
    }
    found += [f"rewards: {sentence}" for sentence, minor in expected.items() if not minor]
    if money.given - money.taken_back != money.paid + money.owed:
        found.append("rewards: what was given is neither paid nor owed nor taken back")
    return found


def _moved_minor(entry: Entry, member_id: MemberId) -> int:
    """What an entry moves into the member's hands or out of them."""
    return sum(entry.minor_on(member_account(member_id, holding)) for holding in Holding)


def _shown(setting: Setting) -> Mapping[str, int]:
    """What arrived and stayed, in pence, by account number."""
    books = setting.bank.payments.books
    sent_back = {one.payment_id for one in books.payments.values() if one.status == "returned"}
    shown: Counter[str] = Counter()
    for item in books.feed:
        if item["payment"] not in sent_back:
            shown[item["account"].rpartition(" ")[2]] += item["amount"]["minor"]
    return dict(shown)


def _member_of(setting: Setting, person: Person, *, now: datetime) -> MemberId | None:
    connection = setting.connections[person.provider]
    return members.find_member_of_user(connection.connection_id, person.user, now=now)


def _say(method: str, url: str, body: dict[str, Any], login: Login, *, status: int = 200) -> Any:
    answer = call_json(method, url, body, headers=login.headers())
    if answer.status != status:
        text = answer.body.decode("utf-8", "replace")[:300]
        raise NotOpened(f"{method} {url} was answered {answer.status}, not {status}: {text}")
    return answer.json() if answer.body else None
