"""The devices that a member pays with, as far as receipts tell of them. Pure.

A wallet pays with a number of its own, whose last digits tills print and no bank says. Two sure
matches have to say the same digits before they are believed: those of a stranger, learned from one
wrong match, would invite more of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.kernel.ids import PaymentId

WORDS_NEEDED = 2
DEVICES_MAX = 8  # Phones, watches and their cards; more are hardly one person's.
# A till that prints other digits each time costs no more than eight writes in that time.
HEARD_ONCE_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Device:
    """Last four `digits` of a device, the payments that said them, and when the last one did."""

    digits: str
    said_by: tuple[PaymentId, ...]
    said_at: datetime

    @property
    def is_believed(self) -> bool:
        """Whether enough payments said so."""
        return len(self.said_by) >= WORDS_NEEDED


def with_word(
    devices: Sequence[Device], digits: str, said_by: PaymentId, *, at: datetime
) -> tuple[Device, ...]:
    """`devices`, oldest word first, after the payment `said_by` said `digits` at `at`.

    What is believed already, and what the same payment said before, changes nothing. Where eight
    are known, the oldest that was heard once gives way, but not within thirty days; where all are
    believed, the oldest does.
    """
    known = next((one for one in devices if one.digits == digits), None)
    if known is not None:
        if known.is_believed or said_by in known.said_by:
            return tuple(devices)
        said = replace(known, said_by=(*known.said_by, said_by), said_at=at)
        return (*(one for one in devices if one is not known), said)
    heard = Device(digits, (said_by,), at)
    if len(devices) < DEVICES_MAX:
        return (*devices, heard)
    oldest = next((one for one in devices if not one.is_believed), devices[0])
    if not oldest.is_believed and at - oldest.said_at < HEARD_ONCE_FOR:
        return tuple(devices)
    return (*(one for one in devices if one is not oldest), heard)


def without_word(devices: Sequence[Device], said_by: PaymentId) -> tuple[Device, ...]:
    """`devices` without what the payment `said_by` said, because its receipt was another's."""
    left = (replace(one, said_by=_without(one.said_by, said_by)) for one in devices)
    return tuple(one for one in left if one.said_by)


def _without(said_by: Sequence[PaymentId], gone: PaymentId) -> tuple[PaymentId, ...]:
    return tuple(one for one in said_by if one != gone)
