"""Learning from a match which device its member pays with."""

from datetime import datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching.devices import device_of
from chalicelib.matching.outcome import Matched
from chalicelib.matching.signals import PaymentSignals
from chalicelib.members import learning
from chalicelib.runtime import observability


def learn(signals: PaymentSignals, matched: Matched, *, now: datetime) -> None:
    """Keep the digits of the device that paid, if they are new.

    It is one word of many to come, so an obstacle on the way fails nothing.
    """
    digits = device_of(signals, matched)
    if digits is None:
        return
    member_id, said_by = MemberId(signals.member_id), signals.payment_id
    try:
        learning.learn_device(member_id, digits, said_by=said_by, now=now)
    except TryAgain:
        observability.count("devices_not_learned")
