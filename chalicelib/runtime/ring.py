"""The ring of master keys: which there are, which one seals now, and how they change.

The secret `master-key` holds it as JSON:

    {"names_key": "<base64>",
     "keys": [{"number": 1, "key": "<base64>", "seals_from": "<RFC 3339>"}]}

A sealed value names the master key it was sealed under, so several can be in use at once. A new key
stands in the ring for an hour before it seals: no process has then to open a value under a key that
it cannot know. `names_key` keys the names under which people are found and never changes, because a
name cannot be made anew from its row (see docs/decisions/0035).
"""

import base64
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

import msgspec

from chalicelib.kernel.refusals import NotAllowed, NotFound, TryAgain
from chalicelib.runtime import clock, observability, secretsmanager
from chalicelib.runtime.settings import InvalidSetting

NAME = "master-key"
KEY_BYTES = 32
NUMBER_MAX = 255  # The number is the first byte of a sealed value; 0 is kept for another format.
KEYS_MAX = 16
SEALS_AFTER = timedelta(hours=1)
FRESH_FOR = timedelta(minutes=30)  # Well under `SEALS_AFTER`: a fresh ring knows every key in use.
ASKED_AGAIN_AFTER = timedelta(minutes=1)  # Where Secrets Manager did not give it.
# Every process has the ring anew by then, and no restore to a point in time reaches further back.
RETIRED_AFTER = timedelta(days=36)


class TooManyMasterKeys(NotAllowed):
    """The ring holds as many keys as it may, or every number was given."""

    code = "too_many_master_keys"


class StillSealing(NotAllowed):
    """The master key seals, or did so too lately to be retired."""

    code = "master_key_still_seals"


class StillInUse(NotAllowed):
    """Rows are sealed under the master key."""

    code = "master_key_in_use"


class RotationPending(NotAllowed):
    """The newest master key has not begun to seal, so none is added after it."""

    code = "rotation_pending"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One master key, which seals from `seals_from` until the next one does."""

    number: int
    key: bytes = field(repr=False)
    seals_from: datetime


@dataclass(frozen=True, slots=True)
class Ring:
    """The master keys in the order in which they seal; at least one."""

    names_key: bytes = field(repr=False)
    keys: tuple[MasterKey, ...]

    def sealing(self, *, now: datetime) -> MasterKey:
        """The key that seals at `now`; before any does (a clock set back), the first."""
        begun = (one for one in reversed(self.keys) if one.seals_from <= now)
        return next(begun, self.keys[0])

    def find(self, number: int) -> MasterKey | None:
        """The key of that number."""
        for one in self.keys:  # Each opening of a value asks, so without a generator.
            if one.number == number:
                return one
        return None


def first_ring(*, names_key: bytes, key: bytes, now: datetime) -> Ring:
    """The ring of a new stage, whose one key seals at once."""
    return Ring(names_key, (MasterKey(1, key, now.replace(microsecond=0)),))


def decide_rotation(ring: Ring, key: bytes, *, now: datetime) -> Ring:
    """`ring` with `key` added, to seal in an hour. No number is ever given twice.

    :raises RotationPending: the newest key does not seal yet.
    :raises TooManyMasterKeys: retire one first.
    """
    newest = ring.keys[-1]
    if newest.seals_from > now:
        raise RotationPending("the newest master key does not seal yet")
    if len(ring.keys) >= KEYS_MAX or newest.number >= NUMBER_MAX:
        raise TooManyMasterKeys("the ring takes no more master keys")
    coming = MasterKey(newest.number + 1, key, (now + SEALS_AFTER).replace(microsecond=0))
    return replace(ring, keys=(*ring.keys, coming))


def decide_retirement(ring: Ring, number: int, *, now: datetime) -> Ring:
    """`ring` without the key of `number`. What is sealed under it never opens again.

    :raises NotFound: there is no such key.
    :raises StillSealing: it seals, or stopped less than 36 days ago.
    """
    place = next((i for i, one in enumerate(ring.keys) if one.number == number), None)
    if place is None:
        raise NotFound("the ring has no master key of that number")
    followers = ring.keys[place + 1 :]
    if not followers or followers[0].seals_from + RETIRED_AFTER > now:
        raise StillSealing("a master key is retired when another has sealed for 36 days")
    return replace(ring, keys=(*ring.keys[:place], *followers))


class _Key(msgspec.Struct, frozen=True):
    number: int
    key: str
    seals_from: datetime


class _Document(msgspec.Struct, frozen=True):
    names_key: str
    keys: tuple[_Key, ...]


def encode(ring: Ring) -> str:
    """`ring` as the secret's text."""
    keys = tuple(_Key(one.number, _to_text(one.key), one.seals_from) for one in ring.keys)
    return msgspec.json.encode(_Document(_to_text(ring.names_key), keys)).decode()


def decode(text: str) -> Ring:
    """The ring that `text` holds. :raises InvalidSetting: none, or one that breaks a rule."""
    try:
        document = msgspec.json.decode(text, type=_Document)
    except msgspec.MsgspecError as error:
        raise _invalid("is not the documented JSON") from error
    keys = [MasterKey(k.number, _to_bytes(k.key), k.seals_from) for k in document.keys]
    numbers = [one.number for one in keys]
    if not 0 < len(keys) <= KEYS_MAX or len(set(numbers)) < len(numbers):
        raise _invalid("has no keys, too many, or two of one number")
    if any(not 0 < number <= NUMBER_MAX for number in numbers):
        raise _invalid("has a key whose number is not between 1 and 255")
    if any(one.seals_from.tzinfo is None for one in keys):
        raise _invalid("has a time without a zone")
    in_order = tuple(sorted(keys, key=lambda one: (one.seals_from, one.number)))
    return Ring(_to_bytes(document.names_key), in_order)


def _to_text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _to_bytes(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _invalid("has a key that is not base64") from error
    if len(key) != KEY_BYTES:
        raise _invalid("has a key that is not 32 bytes")
    return key


def _invalid(what: str) -> InvalidSetting:
    return InvalidSetting(f"the secret {NAME} {what}")


@dataclass(frozen=True, slots=True)
class _Held:
    ring: Ring
    asked_at: datetime
    asked_again_at: datetime
    complete_until: datetime  # until then it holds every key that seals anywhere


_held: _Held | None = None
_fetching = Lock()


def forget() -> None:
    """Hold no ring, so that the next use fetches it. For tests and local stacks."""
    global _held
    _held = None


def sealing_key() -> MasterKey:
    """The master key that seals now."""
    now = clock.now()
    return _fresh(now=now).ring.sealing(now=now)


def names_key() -> bytes:
    """The key of names, the same for ever."""
    return (_held or _fresh(now=clock.now())).ring.names_key


def find_key(number: int) -> MasterKey | None:
    """The master key of `number`; for one that is unknown, a ring that is not fresh is fetched.

    None means that nothing was ever sealed under it: a key that seals has been in the ring for
    longer than a ring is fresh. So garbage makes no process ask more often than it would.

    :raises TryAgain: the ring is old and could not be fetched.
    """
    found = None if _held is None else _held.ring.find(number)
    if found is None:
        now = clock.now()
        held = _fresh(now=now)
        found = held.ring.find(number)
        if found is None and not now < held.complete_until:
            raise TryAgain("the ring of master keys is old and could not be fetched")
    return found


def _fresh(*, now: datetime) -> _Held:
    """The ring as it is, or as it was lately where Secrets Manager does not give a good one now.

    One that has become old opens all but the newest values, so it is better than none.
    """
    held = _held
    if held is not None and held.asked_at <= now < held.asked_again_at:
        return held
    with _fetching:
        if _held is not None and _held is not held:
            return _held  # Another thread has just fetched it.
        return _ask(held, now=now)


def _ask(held: _Held | None, *, now: datetime) -> _Held:
    global _held
    try:
        fetched = _fetch()
    except (TryAgain, InvalidSetting):  # A slip of an operator must not stop what runs.
        if held is None:
            raise
        observability.warn("the ring of master keys could not be fetched; the old one is used")
        _held = replace(held, asked_at=now, asked_again_at=now + ASKED_AGAIN_AFTER)
    else:
        _held = _Held(fetched, now, asked_again_at=now + FRESH_FOR, complete_until=now + FRESH_FOR)
    return _held


def _fetch() -> Ring:
    try:
        secret = secretsmanager.read(NAME)
    except secretsmanager.NoSuchSecret as error:
        raise InvalidSetting(f"there is no secret {NAME}: the stage has not been set up") from error
    return decode(secret.text)
