"""What must hold of money after every step: the journal, budgets, and what was paid.

I1 an entry balances, or its page cannot be read · I2 all accounts sum to nought · I3 an entry never
changes, and is never gone · I4 one key, one entry · I6 spent and leased never exceed the cap, and
what a lease says it spent it spent · I9 a payment has its intent before it, and of each intent one
is paid. What holds of a book by itself (I1 to I5, I8, I9, I13) the journal's own checkers say.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from chalicelib.budgets import verifying
from chalicelib.kernel.refusals import NotFound
from chalicelib.ledger.accounts import Holding, member_account
from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.books.layout import ReadPage, from_bytes
from chalicelib.ledger.invariants import broken
from chalicelib.ledger.model import Balances, Entry, NotAnEntry, to_balances
from chalicelib.payouts import store as instructions
from chalicelib.payouts.model import Instruction, PayoutState
from chalicelib.runtime import settings
from infra.simulation.world import World


@dataclass(slots=True)
class Books:
    """The pages of every book as it stands, by owner; `faults` are pages that cannot be read."""

    pages: dict[str, list[ReadPage]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def postings(self, owner: str) -> tuple[Posting, ...]:
        """The entries of `owner`, in order."""
        return tuple(p for read in self.pages[owner] for p in read.page.postings)

    def entries(self) -> Iterator[Entry]:
        """Every entry of every book."""
        return (posting.entry for owner in self.pages for posting in self.postings(owner))


def books_in(world: World) -> Books:
    """Every book that stands in `world`, closed pages before the open one."""
    books = Books()
    items = world.aws.tables.items(settings.table("money"))
    for pk, sk in sorted(items, key=lambda key: (key[0], key[1] == "account", key[1])):
        if sk == "account" or sk.startswith("account#"):
            content = items[pk, sk].attributes["content"]["B"]
            try:
                books.pages.setdefault(pk, []).append(from_bytes(content, pk))
            except NotAnEntry as error:
                books.faults.append(f"I1 {pk}: {error}")
    for pages in books.pages.values():
        *closed, last = pages
        # A page that was closed stands at the beginning of the open one until the next entry.
        pages[:] = [read for read in closed if read.page.number < last.page.number] + [last]
    return books


def broken_money(world: World) -> tuple[str, ...]:
    """What does not hold of money now."""
    if not world.has_money:
        return ()
    books = books_in(world)
    return (
        *books.faults,
        *(f"I9 {found}" for found in world.bank.rail.contradictions),
        *_changed(world, books),
        *_broken_books(books),
        *_budgets(world),
        *_paid(world),
    )


def _changed(world: World, books: Books) -> Iterator[str]:
    """I3 and I4. What is seen for the first time is remembered in `world.entries`."""
    standing: dict[tuple[str, str], str] = {}
    for owner in books.pages:
        for posting in books.postings(owner):
            name = (owner, posting.entry.key)
            if name in standing:
                yield f"I4 the key {posting.entry.key} has two entries"
            standing[name] = repr(posting)
    for name, said in standing.items():
        if world.entries.setdefault(name, said) != said:
            yield f"I3 the entry {name[1]} changed"
    for name in world.entries:
        if name not in standing:
            yield f"I3 the entry {name[1]} is gone"


def _broken_books(books: Books) -> Iterator[str]:
    """I1 to I5, I8, I9 and I13 of each book, as the journal's own checkers have them, and I2."""
    for pages in books.pages.values():
        yield from broken(pages)
    total: Counter[str] = Counter()
    for entry in books.entries():
        for leg in entry.legs:
            total[entry.currency] += leg.minor
    if any(total.values()):
        yield "I2 the accounts do not sum to nought"


def balances_of(entries: Iterable[Entry]) -> dict[str, Balances]:
    """A member's balances by currency, summed up from the member's entries."""
    minor: dict[str, Counter[Holding]] = {}
    for entry in entries:
        if entry.member_id is None:
            continue
        for holding in Holding:
            moved = entry.minor_on(member_account(entry.member_id, holding))
            minor.setdefault(entry.currency, Counter())[holding] += moved
    return {currency: to_balances(currency, dict(found)) for currency, found in minor.items()}


def _budgets(world: World) -> Iterator[str]:
    """I6, as the budgets' own checker has it."""
    for pk, sk in world.aws.tables.items(settings.table("money")):
        if sk == "budget":
            try:
                faults = verifying.list_faults(pk.partition("#")[2], now=world.now())
            except NotFound as error:
                raise AssertionError("the budget stands there") from error
            yield from (f"I6 {fault.value}" for fault in faults)


def instructions_in(world: World) -> tuple[Instruction, ...]:
    """Every order to pay that stands in `world`."""
    now = world.now()
    found = (
        instructions.find(sk, now=now)
        for pk, sk in world.aws.tables.items(settings.table("money"))
        if pk.startswith("payouts#")
    )
    return tuple(one for one in found if one is not None)


def _paid(world: World) -> Iterator[str]:
    """I9: each payment of the rail is one instruction's, and its only one."""
    ordered = {one.idempotency_key: one for one in instructions_in(world)}
    references = Counter(one.reference for one in world.bank.rail.payments.values())
    for reference, count in references.items():
        if count > 1:
            yield f"I9 {reference} was paid {count} times"
    for key, payment in world.bank.rail.payments.items():
        meant = ordered.get(key)
        if meant is None or meant.amount.minor != payment.minor:
            yield "I9 a payment was made that nobody ordered so"
        elif meant.state is PayoutState.WRITTEN:
            yield "I9 a payment was made before it was written down that it might be"
    for meant in ordered.values():
        made = world.bank.rail.payments.get(meant.idempotency_key)
        if meant.state is PayoutState.EXECUTED and (made is None or made.status == "failed"):
            yield "I9 a payout is called executed that the rail never made"
