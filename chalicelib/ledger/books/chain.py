"""The chain: each entry of a book carries the hash of the one before.

The hash of an entry is SHA-256 over the 32 bytes of the hash before it (nought for a book's first
entry) and the entry's canonical bytes: a JSON object (RFC 8259) in ASCII, without blanks, its names
in alphabetical order, times as RFC 3339 in UTC with whole seconds or milliseconds, absent times as
`null`, and the legs as pairs `[account, minor]` in the order of their accounts. Its names are
`at`, `book`, `campaign`, `cause`, `currency`, `due_at`, `key`, `kind`, `legs`, `reason`,
`recorded_at`, `retailer` and `seq`. Nothing else is part of it, so anybody who has the entries can
compute it with any JSON library.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.times import to_text
from chalicelib.ledger.model import Entry

FIRST = bytes(32)


@dataclass(frozen=True, slots=True)
class Posting:
    """An entry where it stands: the `seq`-th of its book (from 1), recorded at `recorded_at`."""

    seq: int
    recorded_at: datetime
    entry: Entry


def canonical_bytes(posting: Posting) -> bytes:
    """What is hashed of `posting`; see the module."""
    entry = posting.entry
    said = {
        "at": to_text(entry.at),
        "book": entry.owner,
        "campaign": entry.campaign_id,
        "cause": entry.cause,
        "currency": entry.currency,
        "due_at": to_text(entry.due_at) if entry.due_at else None,
        "key": entry.key,
        "kind": entry.kind.value,
        "legs": sorted([leg.account, leg.minor] for leg in entry.legs),
        "reason": entry.reason,
        "recorded_at": to_text(posting.recorded_at),
        "retailer": entry.retailer_id,
        "seq": posting.seq,
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def hash_after(before: bytes, posting: Posting) -> bytes:
    """The hash of `posting`, which follows the entry that has the hash `before`."""
    return hashlib.sha256(before + canonical_bytes(posting)).digest()
