"""Learning the digits of a member's devices, and forgetting them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.members import store
from chalicelib.members.devices import Device, with_word, without_word
from chalicelib.members.model import MemberStatus
from chalicelib.members.service import until_undisturbed


def learn_device(member_id: MemberId, digits: str, *, said_by: PaymentId, now: datetime) -> None:
    """Count the word of the payment `said_by`: the member paid by a device of these digits.

    :raises TryAgain: a passing obstacle, or others kept changing the member.
    """
    _change(member_id, lambda devices: with_word(devices, digits, said_by, at=now), now=now)


def forget_device(member_id: MemberId, *, said_by: PaymentId, now: datetime) -> None:
    """Take back what the payment `said_by` said, if it said anything.

    :raises TryAgain: as of `learn_device`.
    """
    _change(member_id, lambda devices: without_word(devices, said_by), now=now)


def _change(
    member_id: MemberId,
    change: Callable[[tuple[Device, ...]], tuple[Device, ...]],
    *,
    now: datetime,
) -> None:
    def attempt() -> None:
        before = store.find_member(member_id, now=now)
        if before is None or before.status is not MemberStatus.ACTIVE:
            return
        devices = change(before.devices)
        if devices != before.devices:
            after = replace(before, devices=devices, version=before.version + 1)
            store.record_change(after, before=before)

    until_undisturbed(attempt)
