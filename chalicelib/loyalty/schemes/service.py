"""Schemes, as everyone else asks for them: remembered for under a minute, as shops are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.budgets.leasing import CapTooLow
from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import NotAllowed, NotFound
from chalicelib.kernel.times import to_text
from chalicelib.loyalty import funding
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes import store
from chalicelib.loyalty.schemes.checking import read_scheme, refuse_end
from chalicelib.loyalty.schemes.problems import SchemeProblem, SchemeRefused
from chalicelib.loyalty.schemes.public_shapes import SchemeShape, starting
from chalicelib.loyalty.schemes.reading import Reader, Surroundings
from chalicelib.loyalty.schemes.store import Document, Head, VersionMark
from chalicelib.network import service as network
from chalicelib.network.caching import Remembered

_REFERENCE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_heads: Remembered[RetailerId, tuple[Head, ...]] = Remembered(entries_max=1_000)
_schemes: Remembered[tuple[str, int], Scheme | None] = Remembered(entries_max=1_000)


class ReferenceNotAllowed(NotAllowed):
    """A scheme's reference is lower-case letters, digits and dashes, at most 40."""

    code = "reference"


class TooManySchemes(NotAllowed):
    """The retailer has as many schemes, or the scheme as many versions, as it may."""

    code = "too_many_schemes"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A version that stands now. `is_new` where this call wrote it."""

    scheme: Scheme
    shape: SchemeShape
    is_new: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A version with the document that it was read from."""

    scheme: Scheme
    shape: SchemeShape


def forget() -> None:
    """Remember nothing, so that the next question reads. For tests and local stacks."""
    _heads.forget()
    _schemes.forget()


def scheme_id_of(retailer_id: RetailerId, reference: str) -> str:
    """Our id of the scheme that `retailer_id` calls `reference`: `bean-and-leaf.points`.

    A scheme may also be called by its id, so that whoever has that need not take it apart.
    """
    prefix = f"{retailer_id}."
    return reference if reference.startswith(prefix) else prefix + reference


def retailer_of(scheme_id: str) -> RetailerId:
    """Whose scheme it is. A reference has no point in it; a retailer's id may."""
    return RetailerId(scheme_id.rpartition(".")[0])


def is_scheme_id(text: str) -> bool:
    """Whether `text` could be the id of a scheme; ids of campaigns have no point in them."""
    return "." in text


def record_scheme(
    retailer_id: RetailerId, reference: str, shape: SchemeShape, *, now: datetime
) -> Recorded:
    """Make `shape` the newest version of a scheme; the same as the newest changes nothing.

    :raises SchemeRefused: with every problem of the document, or a budget below what was spent.
    :raises ReferenceNotAllowed: a scheme cannot be called so.
    :raises NotFound: there is no such retailer. :raises TooManySchemes: it has 50.
    :raises TryAgain: somebody else changed the scheme meanwhile.
    """
    scheme_id = scheme_id_of(retailer_id, reference)
    if not _REFERENCE.fullmatch(scheme_id.removeprefix(f"{retailer_id}.")):
        raise ReferenceNotAllowed(
            "a scheme is called by up to 40 lower-case letters, digits and dashes", field="scheme"
        )
    retailer = network.get_retailer(retailer_id, now=now)
    head = store.find_head(retailer_id, scheme_id, now=now) or Head(scheme_id, retailer_id)
    before = _kept(head.scheme_id, head.newest, now=now) if head.versions else None
    if before is not None and _is_same(shape, before.shape, head):
        return Recorded(before.scheme, before.shape, is_new=False)
    _check_room(head, now=now)
    around = _surroundings(head, now=now)
    scheme = read_scheme(shape, around, before=before.scheme if before else None)
    told = starting(shape, to_text(scheme.starts_at))
    used = {name for rule in shape.rules for name in rule.when.stores}
    kept_ids = {name: one for name, one in around.store_ids.items() if name in used}
    if not retailer.rewards:  # Before the scheme: no sale may be made under it unseen.
        network.record_retailer(replace(retailer, rewards=True))
    _open_budget(scheme, now=now)  # Before it too: no reward may be given without.
    versions = (*head.versions, VersionMark(scheme.version, scheme.starts_at))
    store.record_version(replace(head, versions=versions), Document(told, kept_ids))
    forget()
    return Recorded(scheme, told, is_new=True)


def _open_budget(scheme: Scheme, *, now: datetime) -> None:
    try:
        funding.open_budget(scheme, now=now)
    except CapTooLow as error:
        problem = SchemeProblem(error.detail, field="budget_minor", code=error.code)
        raise SchemeRefused([problem]) from error


def check_scheme(
    retailer_id: RetailerId, reference: str, shape: SchemeShape, *, now: datetime
) -> Scheme:
    """What `record_scheme` would write. Writes nothing.

    :raises SchemeRefused: with every problem of the document.
    :raises NotFound: there is no such retailer.
    """
    scheme_id = scheme_id_of(retailer_id, reference)
    head = store.find_head(retailer_id, scheme_id, now=now) or Head(scheme_id, retailer_id)
    before = _kept(scheme_id, head.newest, now=now) if head.versions else None
    if before is not None and _is_same(shape, before.shape, head):
        return before.scheme
    around = _surroundings(head, now=now)
    return read_scheme(shape, around, before=before.scheme if before else None)


def end_scheme(scheme_id: str, *, at: datetime, now: datetime) -> datetime | None:
    """Let nothing that is sold from `at` on earn in the scheme; a later version begins it anew.

    Returns the end that stands: an earlier one stays.
    :raises NotFound: there is no such scheme. :raises TryAgain: it changed meanwhile.
    :raises SchemeRefused: `at` is over, or before its beginning.
    """
    head = store.find_head(retailer_of(scheme_id), scheme_id, now=now)
    if head is None:
        raise NotFound("there is no such scheme")
    refuse_end(at, starts_at=head.versions[0].starts_at, now=now)
    ended = head.ended(at)
    if ended != head:
        store.record_head(ended)
        forget()
    return _get(ended, ended.newest, now=now).scheme.ends_at


def list_schemes(retailer_id: RetailerId, *, now: datetime) -> tuple[Kept, ...]:
    """The newest version of each of the retailer's schemes, ended ones too, in order of id."""
    heads = store.list_heads(retailer_id, now=now)
    return tuple(_get(head, head.newest, now=now) for head in heads)


def list_versions(scheme_id: str, *, now: datetime) -> tuple[VersionMark, ...]:
    """The versions of a scheme, oldest first. :raises NotFound: there is no such scheme."""
    return _head(scheme_id, now=now).versions


def get_scheme(scheme_id: str, *, version: int | None = None, now: datetime) -> Kept:
    """One version of a scheme, the newest where none is named.

    :raises NotFound: there is no such scheme, or no such version of it.
    """
    head = _head(scheme_id, now=now)
    return _get(head, head.newest if version is None else version, now=now)


def list_valid(retailer_id: RetailerId, *, at: datetime, now: datetime) -> tuple[Scheme, ...]:
    """The versions under which a sale at `at` earns, one of each scheme; from memory, mostly."""
    found = []
    for head in _list_heads(retailer_id, now=now):
        version = head.version_at(at)
        scheme = _find(head, version, now=now) if version is not None else None
        if scheme is not None and (scheme.ends_at is None or at < scheme.ends_at):
            found.append(scheme)
    return tuple(found)


def find_valid(scheme_id: str, *, at: datetime, now: datetime) -> Scheme | None:
    """The version of a scheme that holds at `at`, ended or not, or the first before it starts."""
    for head in _list_heads(retailer_of(scheme_id), now=now):
        if head.scheme_id == scheme_id:
            return _find(head, head.version_at(at) or head.versions[0].version, now=now)
    return None


def get_valid(scheme_id: str, *, at: datetime, now: datetime) -> Scheme:
    """As `find_valid`. :raises NotFound: there is no such scheme."""
    scheme = find_valid(scheme_id, at=at, now=now)
    if scheme is None:
        raise NotFound("there is no such scheme")
    return scheme


def get_version(scheme_id: str, version: int, *, now: datetime) -> Scheme:
    """One version of a scheme, under which something was earned; from memory, mostly.

    :raises NotFound: there is none.
    """
    for head in _list_heads(retailer_of(scheme_id), now=now):
        if head.scheme_id == scheme_id:
            scheme = _find(head, version, now=now)
            if scheme is not None:
                return scheme
    raise NotFound("there is no such version of a scheme")


def _list_heads(retailer_id: RetailerId, *, now: datetime) -> tuple[Head, ...]:
    return _heads.recall(retailer_id, lambda: store.list_heads(retailer_id, now=now), now=now)


def _find(head: Head, version: int, *, now: datetime) -> Scheme | None:
    def read() -> Scheme | None:
        kept = _kept(head.scheme_id, version, now=now)
        return kept.scheme if kept else None

    scheme = _schemes.recall((head.scheme_id, version), read, now=now)
    return None if scheme is None else _ended(scheme, head.mark_of(version))


def _get(head: Head, version: int, *, now: datetime) -> Kept:
    kept = _kept(head.scheme_id, version, now=now)
    if kept is None:
        raise NotFound("there is no such version of the scheme")
    return replace(kept, scheme=_ended(kept.scheme, head.mark_of(version)))


def _kept(scheme_id: str, version: int, *, now: datetime) -> Kept | None:
    document = store.find_document(scheme_id, version, now=now)
    if document is None:
        return None
    around = Surroundings(scheme_id, version, retailer_of(scheme_id), document.store_ids, now)
    scheme = Reader(around).scheme(document.shape)  # It was checked when it was written.
    return Kept(scheme, document.shape)


def _ended(scheme: Scheme, mark: VersionMark | None) -> Scheme:
    """`scheme`, ending where an operator ended it, if that is sooner."""
    ended_at = mark.ended_at if mark is not None else None
    if ended_at is None or (scheme.ends_at is not None and scheme.ends_at <= ended_at):
        return scheme
    return replace(scheme, ends_at=ended_at)


def _head(scheme_id: str, *, now: datetime) -> Head:
    head = store.find_head(retailer_of(scheme_id), scheme_id, now=now)
    if head is None:
        raise NotFound("there is no such scheme")
    return head


def _surroundings(head: Head, *, now: datetime) -> Surroundings:
    """What the document of the next version of a scheme does not say itself."""
    stores = network.list_stores(head.retailer_id, now=now)
    return Surroundings(
        head.scheme_id,
        head.newest + 1,
        head.retailer_id,
        {one.reference: one.store_id for one in stores},
        now,
        tuple(_others(head, now=now)),
        zones=tuple(sorted({one.zone for one in stores})),
        return_days=network.get_retailer(head.retailer_id, now=now).return_days,
    )


def _others(head: Head, *, now: datetime) -> Iterator[Scheme]:
    """The retailer's other schemes as they stand now, in each version that holds or will."""
    for other in store.list_heads(head.retailer_id, now=now):
        if other.scheme_id != head.scheme_id:
            found = (_find(other, version, now=now) for version in other.versions_from(now))
            yield from (one for one in found if one is not None)


def _is_same(shape: SchemeShape, before: SchemeShape, head: Head) -> bool:
    """Whether `shape` is the newest version, which nobody has ended since."""
    if head.versions[-1].ended_at is not None:
        return False
    told = shape if shape.starts_at is not None else starting(shape, before.starts_at)
    return told == before


def _check_room(head: Head, *, now: datetime) -> None:
    if head.newest >= store.VERSIONS_MAX:
        raise TooManySchemes("the scheme has as many versions as it may")
    heads = store.list_heads(head.retailer_id, now=now)
    if head.changes == 0 and len(heads) >= store.SCHEMES_MAX:
        raise TooManySchemes("the retailer has as many schemes as it may")
