"""What banks call members who left, as rows.

    people   <member id>      leaver    what the bank calls the member

It is sealed twice, as a destination is: inside, an envelope that only the paying workers open;
around it the member's own key.
"""

from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import BinaryAttribute

from chalicelib.kernel.ids import MemberId
from chalicelib.members.model import KEPT_AFTER_LEAVING
from chalicelib.payouts.destinations.envelope import Envelope
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

_SEALED = Kept(
    Category.REFERENCE,
    Purpose.DELIVERY,
    Erasure.SHRED,
    encrypted=True,
    holds={"envelope": Category.REFERENCE},
)


class LeaverRow(rows.Row):
    """What the bank calls somebody who left, in an envelope. It goes with the last payment."""

    Meta = rows.table_meta("people")
    privacy = {"sealed": _SEALED}
    retention = Retention(
        name="leaver",
        reason="Where your bank pays, what it calls you is kept when you leave until you are paid.",
        lasts=KEPT_AFTER_LEAVING,
        since="leaving",
    )

    sealed = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class _Inside:
    envelope: Envelope


def record_name(
    member_id: MemberId, name: Envelope, *, key: vault.SealingKey, left_at: datetime
) -> None:
    """Keep what the bank calls the member for thirty days, over what was kept before."""
    row = LeaverRow(member_id, "leaver")
    row.sealed = vault.seal(_Inside(name), key=key, place=_place(row), kept=_SEALED)
    rows.put(row.keep_from(left_at))


def find_name(member_id: MemberId, *, key: vault.SealingKey, now: datetime) -> Envelope | None:
    """What the bank calls the member, its envelope closed; None where nothing is kept."""
    row = rows.find(LeaverRow, member_id, "leaver", now=now)
    if row is None:
        return None
    return vault.open_sealed(row.sealed, _Inside, key=key, place=_place(row)).envelope


def remove_name(member_id: MemberId) -> None:
    """Delete it; deleting what is gone is success."""
    rows.delete(LeaverRow(member_id, "leaver"))


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
