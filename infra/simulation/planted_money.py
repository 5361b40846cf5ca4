"""Planted bugs in what is given, taken back, spent and paid."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.books.layout import from_bytes, to_bytes
from chalicelib.ledger.books.pages import Page
from chalicelib.ledger.model import EntryKind
from infra.simulation.faults import PAUSES, Kind
from infra.simulation.items import Request
from infra.simulation.planting import Bug, Rewriting, Suspect, without_condition

_SPEND = Suspect("UpdateItem", "money", "lease#")
_BOOK = Suspect("PutItem", "money", "account")
_TAKING_PART = Suspect("PutItem", "wallets", "offer#")


class Rewritten(Bug):
    """A bug in what is written into books: open pages are written as `change` makes them."""

    def __init__(
        self,
        name: str,
        what: str,
        shows_in: str,
        change: Callable[[Page], Page],
        shows_by: tuple[Kind, ...] = (),
    ) -> None:
        super().__init__(name, what, shows_in, shows_by, "dynamodb.PutItem money")
        self._change = change

    def rewritten(self, service: str, operation: str, request: Request, /) -> Request | None:
        """The request with another page, where it writes one."""
        if service != "dynamodb" or not _BOOK.is_met(operation, request):
            return request
        item = request["Item"]
        page = self._change(from_bytes(item["content"]["B"], item["pk"]["S"]).page)
        return {**request, "Item": {**item, "content": {"B": to_bytes(page)}}}


class PayingUnderNewKeys(Bug):
    """Each order is sent to the rail under a key of its own."""

    def key_sent(self, key: str, number: int) -> str:
        """The key of the `number`-th order that the rail gets."""
        return f"{key[:-2]}{number:02}"


def bugs_in_money() -> Iterator[Bug]:
    """Each of them."""
    yield from _careless_writes()
    yield from _careless_books()
    yield PayingUnderNewKeys(
        "paid_under_new_keys",
        "a payout is ordered under a new key each time",
        "cashback_paid",
        (Kind.ANSWER_LOST,),
        "bank.POST",
    )


def _careless_writes() -> Iterator[Bug]:
    """Conditions that are left out."""
    yield Rewriting(
        "spend_without_condition",
        "a budget is spent of whatever its lease says",
        "offered",
        (),
        suspect=_SPEND,
        change=without_condition,
    )
    yield Rewriting(
        "book_without_condition",
        "a page of the journal is written over whatever stands there",
        "offer_returned",
        PAUSES,
        suspect=_BOOK,
        change=without_condition,
    )
    yield Rewriting(
        "offer_without_condition",
        "a member's row of an offer is written over whatever stands there",
        "two_at_once",
        PAUSES,
        suspect=_TAKING_PART,
        change=without_condition,
    )


def _careless_books() -> Iterator[Bug]:
    """What is entered under another key, or twice."""
    yield Rewritten(
        "gift_under_a_fresh_key", "each run gives under a key of its own", "offered", _freshly
    )
    yield Rewritten(
        "taken_back_twice", "what came back is taken back twice", "offer_returned", _doubled
    )
    yield Rewritten(
        "matured_twice",
        "a gift becomes available twice",
        "cashback_paid",
        lambda page: _with_another(page, EntryKind.REWARD_AVAILABLE),
    )


def _freshly(page: Page) -> Page:
    """Who looks for the gift by its own key does not find it."""
    return replace(page, postings=tuple(map(_renamed, page.postings)))


def _renamed(posting: Posting) -> Posting:
    entry = posting.entry
    if entry.kind is not EntryKind.REWARD_GIVEN or "~" in entry.key:
        return posting
    return replace(posting, entry=replace(entry, key=f"{entry.key}~{posting.seq}"))


def _doubled(page: Page) -> Page:
    return _with_another(page, EntryKind.REWARD_TAKEN_BACK)


def _with_another(page: Page, kind: EntryKind) -> Page:
    """`page` with its last entry once more, where that is of `kind`."""
    last = page.postings[-1] if page.postings else None
    if last is None or last.entry.kind is not kind or "~" in last.entry.key:
        return page
    again = replace(last, seq=last.seq + 1, entry=replace(last.entry, key=f"{last.entry.key}~"))
    return replace(page, postings=(*page.postings, again))
