"""Schemes as rows of the table `network`.

    schemes#<retailer id>  <scheme id>       the head: which versions there are, and since when
    scheme#<scheme id>     version#<number>  one version, as it was written; it never changes

A version and the head that names it are written together, so that no version is named by a head
with another one's content. Heads are read by retailer, versions once each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.runtime import rows
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose

SCHEMES_MAX = 50  # Of one retailer; every sale asks for all of them.
VERSIONS_MAX = 500  # Of one scheme: one a week for ten years.
_CONFIGURATION = Kept(Category.CONFIGURATION, Purpose.SERVICE_OPERATION, Erasure.KEEP)
_OPERATION = Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP)


class SchemeHeadRow(rows.Row):
    """The head of a scheme, as JSON. `version` counts its changes."""

    Meta = rows.table_meta("network")
    privacy = {"document": _CONFIGURATION, "version": _OPERATION}
    retention = CONFIGURED

    document = UnicodeAttribute()
    version = NumberAttribute()


class SchemeVersionRow(rows.Row):
    """One version of a scheme, as JSON."""

    Meta = rows.table_meta("network")
    privacy = {"document": _CONFIGURATION}
    retention = CONFIGURED

    document = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class VersionMark:
    """A version, from when on it holds, and when an operator ended the scheme, if one did."""

    version: int
    starts_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """A scheme and its versions, oldest first.

    `changes` is how often the head was written; 0 for one that is new.
    """

    scheme_id: str
    retailer_id: RetailerId
    versions: tuple[VersionMark, ...] = ()
    changes: int = 0

    @property
    def newest(self) -> int:
        """The number of its newest version."""
        return self.versions[-1].version if self.versions else 0

    def mark_of(self, version: int) -> VersionMark | None:
        """What the head says of `version`, or None."""
        return next((mark for mark in self.versions if mark.version == version), None)

    def ended(self, at: datetime) -> "Head":
        """It, once all its versions end at `at`, or sooner where they did."""
        marks = (replace(one, ended_at=min(one.ended_at or at, at)) for one in self.versions)
        return replace(self, versions=tuple(marks))

    def version_at(self, at: datetime) -> int | None:
        """The version that holds at `at`; None before the first one starts."""
        return next((m.version for m in reversed(self.versions) if m.starts_at <= at), None)

    def versions_from(self, at: datetime) -> tuple[int, ...]:
        """The version that holds at `at`, and those that start later."""
        later = tuple(mark.version for mark in self.versions if mark.starts_at > at)
        present = self.version_at(at)
        return later if present is None else (present, *later)


@dataclass(frozen=True, slots=True)
class Document:
    """A version as it was written, and the stores that its numbers meant then."""

    shape: SchemeShape
    store_ids: Mapping[str, StoreId]


def list_heads(retailer_id: RetailerId, *, now: datetime) -> tuple[Head, ...]:
    """The retailer's schemes, ended ones too, in order of id."""
    found = rows.list_prefixed(
        SchemeHeadRow, _heads_key(retailer_id), "", now=now, limit=SCHEMES_MAX
    )
    return tuple(_to_head(row) for row in found)


def find_head(retailer_id: RetailerId, scheme_id: str, *, now: datetime) -> Head | None:
    """The scheme as it stands now, not as it is remembered."""
    row = rows.find(SchemeHeadRow, _heads_key(retailer_id), scheme_id, now=now)
    return None if row is None else _to_head(row)


def find_document(scheme_id: str, version: int, *, now: datetime) -> Document | None:
    """One version of a scheme, or None."""
    row = rows.find(SchemeVersionRow, *_version_key(scheme_id, version), now=now, consistent=False)
    return None if row is None else msgspec.json.decode(row.document, type=Document)


def record_version(head: Head, document: Document) -> None:
    """Write `head`, whose newest version is `document`, over the head it was made from.

    :raises TryAgain: somebody else changed the scheme meanwhile.
    """
    row = SchemeVersionRow(*_version_key(head.scheme_id, head.newest))
    row.document = msgspec.json.encode(document).decode()
    head_row, unchanged = _to_row(head)
    try:
        rows.put_together(((row, SchemeVersionRow.pk.does_not_exist()), (head_row, unchanged)))
    except rows.ConditionFailed as error:
        raise TryAgain("the scheme was changed by somebody else meanwhile") from error


def record_head(head: Head) -> None:
    """Write `head` over the one it was made from. :raises TryAgain: it changed meanwhile."""
    row, unchanged = _to_row(head)
    try:
        rows.put(row, condition=unchanged)
    except rows.ConditionFailed as error:
        raise TryAgain("the scheme was changed by somebody else meanwhile") from error


def _to_row(head: Head) -> tuple[SchemeHeadRow, Condition]:
    row = SchemeHeadRow(_heads_key(head.retailer_id), head.scheme_id, version=head.changes + 1)
    row.document = msgspec.json.encode(replace(head, changes=head.changes + 1)).decode()
    if head.changes == 0:
        return row, SchemeHeadRow.pk.does_not_exist()
    return row, SchemeHeadRow.version == head.changes


def _to_head(row: SchemeHeadRow) -> Head:
    return msgspec.json.decode(row.document, type=Head)


def _heads_key(retailer_id: RetailerId) -> str:
    return f"schemes#{retailer_id}"


def _version_key(scheme_id: str, version: int) -> tuple[str, str]:
    return f"scheme#{scheme_id}", f"version#{version:06}"
