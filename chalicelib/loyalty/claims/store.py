"""Whose claim a code is: table `people`, found by a keyed hash of retailer and code."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

CODES_KEPT = timedelta(days=400)  # Longer than any code is good.

CODES = Retention(
    name="claim_codes",
    reason="Whose claim a code is, is remembered for as long as the code may be shown.",
    lasts=CODES_KEPT,
    since="claimed",
)


class ClaimCodeRow(rows.Row):
    """`pk` = keyed hash of retailer and code, `sk` = `claim`."""

    Meta = rows.table_meta("people")
    privacy = {
        "member_id": Kept(Category.PSEUDONYM, Purpose.REWARDS, Erasure.EXPIRE),
        "scheme_id": Kept(Category.CONFIGURATION, Purpose.REWARDS, Erasure.EXPIRE),
        "claim_id": Kept(Category.OPERATION, Purpose.REWARDS, Erasure.EXPIRE),
    }
    retention = CODES

    member_id = UnicodeAttribute()
    scheme_id = UnicodeAttribute()
    claim_id = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class CodeOwner:
    """Whose claim a code is."""

    member_id: MemberId
    scheme_id: str
    claim_id: str


def record_code(retailer_id: RetailerId, code: str, owner: CodeOwner, *, now: datetime) -> None:
    """Let the claim be found by its code, which only its retailer can ask for."""
    row = ClaimCodeRow(
        _code_pk(retailer_id, code),
        "claim",
        member_id=owner.member_id,
        scheme_id=owner.scheme_id,
        claim_id=owner.claim_id,
    )
    rows.put(row.keep_from(now))


def find_code(retailer_id: RetailerId, code: str, *, now: datetime) -> CodeOwner | None:
    """Whose claim the code is, or None."""
    row = rows.find(ClaimCodeRow, _code_pk(retailer_id, code), "claim", now=now)
    return CodeOwner(MemberId(row.member_id), row.scheme_id, row.claim_id) if row else None


def _code_pk(retailer_id: RetailerId, code: str) -> str:
    return vault.lookup_key("claim_code", retailer_id, code)
