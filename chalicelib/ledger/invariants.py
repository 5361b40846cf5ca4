"""What always holds of a book, whatever happened: I1 to I5, I8, I9 and I13. Pure.

Each takes the pages of one book, oldest first, and says in words what does not hold. Whoever plays
faults asks after each step.
"""

from collections.abc import Callable, Iterator, Sequence

from chalicelib.ledger.accounts import Holding, member_account
from chalicelib.ledger.books.layout import ReadPage
from chalicelib.ledger.books.pages import balances_after, member_balances
from chalicelib.ledger.giving import given_minor
from chalicelib.ledger.model import Entry, EntryKind
from chalicelib.ledger.verifying import verify_book

Book = Sequence[ReadPage]
_PAYOUT_ENDINGS = frozenset({EntryKind.PAYOUT_SETTLED, EntryKind.PAYOUT_FAILED})


def entries_of(book: Book) -> tuple[Entry, ...]:
    """Every entry of a book, in order."""
    return tuple(posting.entry for read in book for posting in read.page.postings)


def i1_each_entry_balances(book: Book) -> Iterator[str]:
    """I1, and with it I2: the legs of each entry add up to nought."""
    for entry in entries_of(book):
        if sum(leg.minor for leg in entry.legs) != 0:
            yield f"I1: {entry.key} does not balance"


def i3_entries_are_what_they_were(book: Book) -> Iterator[str]:
    """I3 and I4: the chain holds, and no key stands twice."""
    for fault in verify_book(book):
        yield f"I3/I4: page {fault.page} breaks {fault.what.value} {fault.key}".rstrip()


def i5_balances_are_sums(book: Book) -> Iterator[str]:
    """I5: what is written as balance is what the entries come to, from the first page on."""
    if not book or book[0].page.number != 1:
        return
    owner = book[0].page.owner
    postings = [posting for read in book for posting in read.page.postings]
    if balances_after((), postings, owner=owner) != book[-1].said_balances:
        yield f"I5: the balances of {owner} are not the sum of its entries"


def i8_never_more_is_taken_back(book: Book) -> Iterator[str]:
    """I8: of a gift never more is taken back, nor made available, than was given."""
    left: dict[str, int] = {}
    for entry in entries_of(book):
        gift = entry.key.partition(" ")[0]
        if entry.kind is EntryKind.REWARD_GIVEN:
            left[gift] = given_minor(entry)
        elif entry.kind is EntryKind.REWARD_TAKEN_BACK:
            left[gift] = left.get(gift, 0) + given_minor(entry)
            if left[gift] < 0:
                yield f"I8: more of {gift} was taken back than was given"


def i9_a_payout_settles_once(book: Book) -> Iterator[str]:
    """I9: a payout was set aside before it ended, is settled at most once, and for its amount."""
    written: dict[str, int] = {}
    settled: set[str] = set()
    for entry in entries_of(book):
        if entry.kind is EntryKind.PAYOUT_WRITTEN:
            written[entry.cause] = _moved(entry)
        if entry.kind in _PAYOUT_ENDINGS and written.get(entry.cause) != _moved(entry):
            yield f"I9: payout {entry.cause} ended otherwise than it was written"
        if entry.kind is EntryKind.PAYOUT_SETTLED:
            if entry.cause in settled:
                yield f"I9: payout {entry.cause} was settled twice"
            settled.add(entry.cause)


def i13_nothing_is_lost(book: Book) -> Iterator[str]:
    """I13: given and not taken back is paid, payable, pending or written off; nothing in payment
    and nothing pending is below nought.
    """
    if not book or book[0].page.number != 1:
        return
    earned: dict[str, int] = {}
    for entry in entries_of(book):
        if entry.kind in (EntryKind.REWARD_GIVEN, EntryKind.REWARD_TAKEN_BACK):
            earned[entry.currency] = earned.get(entry.currency, 0) + given_minor(entry)
        if entry.kind is EntryKind.ADJUSTED and entry.member_id is not None:
            available = member_account(entry.member_id, Holding.AVAILABLE)
            earned[entry.currency] = earned.get(entry.currency, 0) + entry.minor_on(available)
    if book[-1].page.owner.startswith("member#"):
        for balances in member_balances(book[-1].page.balances):
            if balances.earned != earned.pop(balances.currency, 0):
                yield f"I13: {balances.currency} earned is not what is paid, payable or pending"
            if min(balances.pending, balances.in_payment) < 0:
                yield f"I13: {balances.currency} pending or in payment is below nought"
        if any(earned.values()):
            yield "I13: what was earned stands in no account"


CHECKS: tuple[Callable[[Book], Iterator[str]], ...] = (
    i1_each_entry_balances,
    i3_entries_are_what_they_were,
    i5_balances_are_sums,
    i8_never_more_is_taken_back,
    i9_a_payout_settles_once,
    i13_nothing_is_lost,
)


def broken(book: Book) -> tuple[str, ...]:
    """Everything that does not hold of a book."""
    return tuple(said for check in CHECKS for said in check(book))


def _moved(entry: Entry) -> int:
    """How much an entry moves."""
    return sum(leg.minor for leg in entry.legs if leg.minor > 0)
