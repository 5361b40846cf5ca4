"""Payout destinations, as banks set them and as the paying workers read them.

Rules of change: the first destination is used at once; another in its place only a day later, so
that a member who did not ask for the change has a day to say so. A payout that was sent before goes
where it was going. Removal is at once, and remembered for thirty days: whatever is named in that
time takes the place of what was removed. A member who leaves is paid what is owed to the account
that was named then, for thirty days at most (`payouts.parting`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import NotAllowed, NotFound, TryAgain
from chalicelib.members import service as members
from chalicelib.members.model import KEPT_AFTER_LEAVING, Member, Reference
from chalicelib.network.caching import Remembered
from chalicelib.payouts.destinations import envelope as envelopes
from chalicelib.payouts.destinations import modulus, store
from chalicelib.payouts.destinations.accounts import (
    Destination,
    IbanAccount,
    SortCodeAccount,
    UnusableDestination,
)
from chalicelib.payouts.destinations.envelope import EnvelopeKey
from chalicelib.payouts.destinations.store import Held, Removed
from chalicelib.payouts.private_keys import store as private_keys
from chalicelib.runtime import observability, vault

HELD_AFTER_CHANGE = timedelta(days=1)
ATTEMPTS_MAX = 3

_keys: Remembered[str, tuple[EnvelopeKey, ...]] = Remembered(entries_max=1)
_table: Remembered[str, modulus.ModulusTable | None] = Remembered(entries_max=1)


class NotPossibleAtBank(UnusableDestination):
    """No account of this number can exist at this sort code: a digit was mistyped."""

    code = "modulus_check"


class NoEnvelopeKey(NotAllowed):
    """The operator has not made the key yet under which destinations are kept."""

    code = "payouts_not_set_up"


@dataclass(frozen=True, slots=True)
class ShownDestination:
    """What may be shown of a destination: the last four digits, and from when it is used."""

    shown: str
    changed_at: datetime
    usable_from: datetime


def set_destination(member: Member, destination: Destination, *, now: datetime) -> ShownDestination:
    """Pay `member` to `destination` from now on, or a day from now where it replaces another, or
    one that was removed within thirty days.

    The same destination again changes nothing, and one that was removed comes back as it was.

    :raises NotPossibleAtBank: the modulus check says that there is no such account.
    :raises NoEnvelopeKey: the operator has set up no payouts. :raises TryAgain: others changed it.
    """
    _check_modulus(destination, now=now)
    sealing = _key_of(member)
    keys = _envelope_keys(now=now)
    if not keys:
        raise NoEnvelopeKey("the operator pays no cashback yet")

    def attempt() -> Held:
        standing = store.find_held(member.member_id, key=sealing, now=now)
        before = standing or store.find_removed(member.member_id, key=sealing, now=now)
        fingerprint = _fingerprint_of(member, destination)
        is_same = before is not None and before.fingerprint == fingerprint
        if standing is not None and is_same:
            return standing
        held = Held(
            envelope=envelopes.close(destination, keys[-1], owner=member.member_id),
            shown=destination.shown,
            fingerprint=fingerprint,
            changed_at=before.changed_at if before and is_same else now,
            usable_from=_usable_from(before, is_same=is_same, now=now),
            only_currency=destination.only_currency,
            version=0 if standing is None else standing.version,
        )
        return store.record_held(member.member_id, held, key=sealing)

    held = _until_undisturbed(attempt)
    observability.count("payout_destinations_set")
    return _shown(held)


def get_shown(member: Member, *, now: datetime) -> ShownDestination:
    """What may be shown of the member's destination. :raises NotFound: there is none."""
    held = store.find_held(member.member_id, key=_key_of(member), now=now)
    if held is None:
        raise NotFound("there is no payout destination")
    return _shown(held)


def remove(member: Member, *, now: datetime) -> None:
    """Pay the member nowhere any more; what was sent before goes where it was going."""
    key = _key_of(member)
    held = store.find_held(member.member_id, key=key, now=now)
    if held is None:
        return
    removed = Removed(held.fingerprint, held.changed_at, held.usable_from)
    store.record_removed(member.member_id, removed, key=key, now=now)
    store.remove_held(member.member_id)


def forget_all(member: Member) -> None:
    """Delete whatever is known of where a member who left was paid, or was before."""
    store.remove_held(member.member_id)
    store.forget_removed(member.member_id)


def find_held(member_id: MemberId, *, now: datetime) -> Held | None:
    """The destination of a member, or of one who left within thirty days; its envelope closed."""
    key = members.member_key_of(member_id, now=now)
    return None if key is None else store.find_held(member_id, key=key, now=now)


def open_envelope(envelope: envelopes.Envelope, *, owner: MemberId) -> Destination:
    """What is in the envelope. Only for those who pay: no other role may read the key.

    :raises envelopes.EnvelopeUnreadable: it does not open. :raises TryAgain: not now.
    """
    private = private_keys.get(envelope.key_number)
    return envelopes.open_envelope(envelope, private, owner=owner)


def close_name(name: Reference, *, owner: MemberId, now: datetime) -> envelopes.Envelope | None:
    """What a bank calls its member, in an envelope; None where the operator made no key."""
    keys = _envelope_keys(now=now)
    return envelopes.close_name(name, keys[-1], owner=owner) if keys else None


def open_name(envelope: envelopes.Envelope, *, owner: MemberId) -> Reference:
    """The name in the envelope. Only for those who pay, as `open_envelope`; it raises the same."""
    return envelopes.open_name(envelope, private_keys.get(envelope.key_number), owner=owner)


def end_retention(member_id: MemberId, *, left_at: datetime) -> None:
    """Put the destination of somebody who left on its last clock."""
    store.end_retention(member_id, until=left_at + KEPT_AFTER_LEAVING)


def make_envelope_key(new_private: Callable[[], bytes], *, now: datetime) -> EnvelopeKey:
    """Make the key under which destinations are kept from now on; older ones go on opening theirs.

    `new_private` gives 32 random bytes.

    :raises TryAgain: somebody else made one at this moment.
    """
    before = store.list_envelope_keys(now=now)
    private = Personal(new_private())
    number = before[-1].number + 1 if before else 1
    key = EnvelopeKey(number, envelopes.public_of(private))
    store.record_envelope_key(key, private)
    forget()
    return key


def record_modulus_table(weights: str, substitutes: str) -> int:
    """Check account numbers by the two published text files from now on; returns their lines.

    :raises Malformed: a line is none of theirs.
    """
    table = modulus.parse_table(weights, substitutes)
    store.record_modulus_table(weights, substitutes)
    forget()
    return len(table.rows)


def forget() -> None:
    """Remember nothing, so that the next question reads. For tests and local stacks."""
    _keys.forget()
    _table.forget()
    private_keys.forget()


def _usable_from(before: Held | Removed | None, *, is_same: bool, now: datetime) -> datetime:
    """At once for the first, later for another; what comes back is what it was before."""
    if before is None:
        return now
    return before.usable_from if is_same else now + HELD_AFTER_CHANGE


def _envelope_keys(*, now: datetime) -> tuple[EnvelopeKey, ...]:
    return _keys.recall("all", lambda: store.list_envelope_keys(now=now), now=now)


def _check_modulus(destination: Destination, *, now: datetime) -> None:
    account = destination.account
    if isinstance(account, IbanAccount):
        account = _inside_british_iban(account) or account
    if isinstance(account, IbanAccount):
        return
    table = _table.recall("current", lambda: _read_table(now=now), now=now)
    if table is not None and not modulus.is_possible(
        account.sort_code, account.account_number, table
    ):
        raise NotPossibleAtBank(
            "no account of this number can exist at this sort code", field="account_number"
        )


def _inside_british_iban(account: IbanAccount) -> SortCodeAccount | None:
    """A British IBAN is country, check digits, four letters, sort code, account number."""
    if not account.iban.startswith("GB"):
        return None
    return SortCodeAccount(account.iban[8:14], account.iban[14:22])


def _read_table(*, now: datetime) -> modulus.ModulusTable | None:
    found = store.find_modulus_table(now=now)
    return None if found is None else modulus.parse_table(*found)


def _fingerprint_of(member: Member, destination: Destination) -> str:
    """A keyed hash by which the same destination of the same member is known again."""
    account = destination.account
    numbers = (
        (account.iban,)
        if isinstance(account, IbanAccount)
        else (account.sort_code, account.account_number)
    )
    return vault.lookup_key("destination", member.member_id, destination.holder, *numbers)


def _shown(held: Held) -> ShownDestination:
    return ShownDestination(held.shown, held.changed_at, held.usable_from)


def _key_of(member: Member) -> vault.SealingKey:
    if member.salt is None:
        raise NotFound("there is no such member")
    return vault.member_key(member.salt)


def _until_undisturbed(attempt: Callable[[], Held]) -> Held:
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return attempt()
        except TryAgain:
            observability.count("member_writes_disturbed")
    return attempt()
