"""A member's money on the wire: balances, the next payout, and every entry of the statement."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.kernel.refusals import Misshapen
from chalicelib.kernel.times import to_text
from chalicelib.ledger.accounts import Holding, member_account
from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.books.newest import Place
from chalicelib.ledger.model import Balances, Entry, EntryKind
from chalicelib.loyalty.cards.naming import payment_of
from chalicelib.loyalty.schemes.service import is_scheme_id
from chalicelib.payouts.netting.service import Foreseen

_CURSOR = re.compile(r"([1-9]\d{0,8})\.([1-9]\d{0,8})", re.ASCII)
_REWARDS = {EntryKind.REWARD_GIVEN, EntryKind.REWARD_TAKEN_BACK, EntryKind.REWARD_AVAILABLE}
_PAYOUTS = {
    EntryKind.PAYOUT_WRITTEN,
    EntryKind.PAYOUT_SETTLED,
    EntryKind.PAYOUT_FAILED,
    EntryKind.PAYOUT_RETURNED,
}
# These two count up while their accounts count down.
_COUNTED_UP = {Holding.RETURNED, Holding.WRITTEN_OFF}

Minor = Annotated[int, Meta(description="Minor units: pence, cents.")]


class NextPayout(msgspec.Struct, omit_defaults=True):
    """When the member is paid: from `minimum_minor` on, to which `missing_minor` are missing.

    `waits_for` says why they would not be paid tonight: `below_minimum`, `owes`, `no_destination`,
    `destination_other_currency` (euros need an IBAN), `destination_new`, `destination_refused`,
    `no_paying_account`, `suspended`. Without it they would be, or have nothing to be paid.
    """

    minimum_minor: Minor
    missing_minor: Minor
    waits_for: str | None = None


class BalanceAnswer(msgspec.Struct):
    """What a member has in one currency, in minor units.

    - `pending_minor` may still be taken back, as long as the goods may come back;
    - `available_minor` is paid next; below nought it is owed, and set off against what comes;
    - `in_payment_minor` is on its way; `paid_minor` went out in all, `returned_minor` came back;
    - `written_off_minor` was owed, and nobody asks for it any more;
    - `earned_minor` is all that was given and not taken back: pending + available + in payment +
      paid - returned - written off, at every moment.
    """

    currency: str
    pending_minor: Minor
    available_minor: Minor
    in_payment_minor: Minor
    paid_minor: Minor
    returned_minor: Minor
    written_off_minor: Minor
    earned_minor: Minor
    next_payout: NextPayout


class CashbackAnswer(msgspec.Struct):
    """A member's balances, one for each currency in which there ever was anything."""

    balances: tuple[BalanceAnswer, ...]


class EntryAnswer(msgspec.Struct, omit_defaults=True):
    """One thing that happened to the member's money, for ever under its `number`.

    `changes` says by how much each balance changed, by its name: those of all entries add up to the
    balances. `reason` is a code. `purchase` is our id of the purchase that earned it, `transaction`
    the bank's own. `due_at`: when what is pending becomes available, if nothing comes back.
    """

    number: int
    kind: str
    at: str
    recorded_at: str
    currency: str
    changes: dict[str, Minor]
    reason: str = ""
    purchase: str | None = None
    transaction: str | None = None
    claim: str | None = None
    campaign: str | None = None
    scheme: str | None = None
    retailer: str | None = None
    payout: str | None = None
    due_at: str | None = None


class EntriesAnswer(msgspec.Struct, omit_defaults=True):
    """A page of the statement, newest first. Without `cursor` it was the last."""

    entries: tuple[EntryAnswer, ...]
    cursor: str | None = None


def to_balance(balances: Balances, foreseen: Foreseen) -> BalanceAnswer:
    """One currency, and what is missing to the next payout in it."""
    return BalanceAnswer(
        currency=balances.currency,
        pending_minor=balances.pending,
        available_minor=balances.available,
        in_payment_minor=balances.in_payment,
        paid_minor=balances.paid,
        returned_minor=balances.returned,
        written_off_minor=balances.written_off,
        earned_minor=balances.earned,
        next_payout=NextPayout(
            foreseen.minor_min,
            foreseen.missing_minor,
            foreseen.why.value if foreseen.why else None,
        ),
    )


def to_entry(posting: Posting, transaction: str | None) -> EntryAnswer:
    """An entry of a member's book, about the bank's `transaction` if it is about one."""
    entry = posting.entry
    is_scheme = is_scheme_id(entry.campaign_id)
    claim = entry.cause if entry.key.startswith("claim:") else ""
    return EntryAnswer(
        number=posting.seq,
        kind=entry.kind.value,
        at=to_text(entry.at),
        recorded_at=to_text(posting.recorded_at),
        currency=entry.currency,
        changes=_changes(entry),
        reason=entry.reason,
        purchase=purchase_of(entry),
        transaction=transaction,
        claim=claim or None,
        campaign=None if is_scheme else entry.campaign_id or None,
        scheme=entry.campaign_id if is_scheme else None,
        retailer=entry.retailer_id or None,
        payout=entry.cause if entry.kind in _PAYOUTS else None,
        due_at=to_text(entry.due_at) if entry.due_at else None,
    )


def purchase_of(entry: Entry) -> str | None:
    """The purchase that a reward was earned by; None of what no purchase earned."""
    is_claimed = entry.key.startswith("claim:")
    is_earned = entry.kind in _REWARDS and not is_claimed
    return payment_of(entry.cause) or None if is_earned else None


def to_cursor(place: Place | None) -> str | None:
    """A place in a book as it is given out."""
    return None if place is None else f"{place.seq}.{place.page}"


def read_cursor(text: str | None) -> Place | None:
    """The place that `text` says. :raises Misshapen: it is none that was given out."""
    if text is None:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise Misshapen("the cursor is none that was given out", field="cursor")
    return Place(int(found[1]), int(found[2]))


def _changes(entry: Entry) -> dict[str, int]:
    """By how much the entry changed each of the member's balances."""
    if entry.member_id is None:
        return {}
    changes = {}
    for holding in Holding:
        minor = entry.minor_on(member_account(entry.member_id, holding))
        if minor:
            changes[holding.value] = -minor if holding in _COUNTED_UP else minor
    return changes
