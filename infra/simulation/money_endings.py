"""What must stand of money when all is quiet: every balance, the daybook, and budgets."""

from collections.abc import Iterator

import msgspec

from chalicelib.budgets import service as budgets
from chalicelib.budgets.service import Purse
from chalicelib.ledger.days import store as daybook
from chalicelib.ledger.model import Balances, EntryKind
from chalicelib.offers.participation.model import Participation
from chalicelib.payouts.model import PayoutState
from chalicelib.payouts.states import UNSETTLED
from chalicelib.runtime import settings
from infra.simulation.history import History
from infra.simulation.money import Books, balances_of, books_in, instructions_in
from infra.simulation.reward_town import CAMPAIGN_ID, ENDS_AT, OTHER_ID, SCHEME_ID
from infra.simulation.standing import Standing
from infra.simulation.town import PEOPLE
from infra.simulation.world import World


def broken_money_at_end(world: World, history: History, standing: Standing) -> tuple[str, ...]:
    """What does not hold of money at the end of `history`."""
    if not world.has_money:
        return ()
    books = books_in(world)
    return (
        *_owned(history, books),
        *_unfiled(world, books),
        *_unpaid(world),
        *_spent_otherwise(world, books, standing),
    )


def _owned(history: History, books: Books) -> Iterator[str]:
    """I10: members have what they have to have. Where who comes first decides, somebody has."""
    found = {name: one for name, one in _balances_in(books) if one != Balances("GBP")}
    wanted = dict(history.owned)
    if history.earned is not None:
        earned = earned_in(books)
        if earned != history.earned:
            yield f"I13 members earned {earned}"
        return
    if history.ends_as_undisturbed:
        return
    if history.owners_differ:
        have, want = sorted(map(repr, found.values())), sorted(map(repr, wanted.values()))
        if have != want:
            yield f"I10 members have {have}"
    elif found != wanted:
        yield f"I10 members have {found}"


def earned_in(books: Books) -> dict[str, int]:
    """What each member earned in all, by name, of those who earned anything."""
    return {name: one.earned for name, one in _balances_in(books) if one.earned}


def _balances_in(books: Books) -> Iterator[tuple[str, Balances]]:
    for person in PEOPLE:
        owner = f"member#{person.member_id}"
        entries = [p.entry for p in books.postings(owner)] if owner in books.pages else []
        balances = balances_of(entries).get("GBP")
        if balances is not None:
            yield person.name, balances


def _unfiled(world: World, books: Books) -> Iterator[str]:
    """I16: every entry is in the daybook, as it stands in its book."""
    items = world.aws.tables.items(settings.table("money"))
    for owner in books.pages:
        for posting in books.postings(owner):
            if daybook.daybook_key(posting) not in items:
                yield f"I16 the entry {posting.entry.key} is not in the daybook"


def _unpaid(world: World) -> Iterator[str]:
    """I10: nothing is left in doubt, and we say of each payment what the rail says."""
    said = {"paid": PayoutState.EXECUTED, "failed": PayoutState.FAILED}
    said["returned"] = PayoutState.RETURNED
    for meant in instructions_in(world):
        if meant.state in UNSETTLED:
            yield f"I10 a payout is left {meant.state.value}"
        made = world.bank.rail.payments.get(meant.idempotency_key)
        if made is not None and said.get(made.status) is not meant.state:
            yield f"I10 a payment is {made.status} and its payout {meant.state.value}"
        if meant.is_disputed:
            yield "I10 a payout is disputed"


def _spent_otherwise(world: World, books: Books, standing: Standing) -> Iterator[str]:
    """I6: what a budget says is spent is what its campaign or scheme gave and did not take back, or
    holds.
    """
    items = world.aws.tables.items(settings.table("money"))
    for purse in (Purse(CAMPAIGN_ID, ENDS_AT), Purse(SCHEME_ID), Purse(OTHER_ID)):
        given = -sum(
            leg.minor
            for entry in books.entries()
            if entry.kind in (EntryKind.REWARD_GIVEN, EntryKind.REWARD_TAKEN_BACK)
            for leg in entry.legs
            if leg.account == f"campaign#{purse.campaign_id}#liability"
        )
        if (f"campaign#{purse.campaign_id}", "budget") not in items:
            continue
        spent = budgets.get_standing(purse, now=world.now()).spent_minor
        held = _held_minor(standing, purse.campaign_id)
        if spent != given + held:
            yield f"I6 {spent} is spent of the budget, {given} was given, and {held} is held"


def _held_minor(standing: Standing, campaign_id: str) -> int:
    rows = (msgspec.convert(row.content, Participation) for row in standing.of("OfferRow"))
    return sum(row.held_minor for row in rows if row.campaign_id == campaign_id)
