"""What a match says of the device that paid. Pure."""

from chalicelib.kernel.cards import LastFourKind
from chalicelib.matching.outcome import Matched
from chalicelib.matching.signals import PaymentSignals

VERY_SURE = 0.9995  # From here on a slip's digits are taken for the member's.
_FILLER = "0000"  # Tills print it where they have none.
_OF_DEVICES = (LastFourKind.DEVICE, LastFourKind.UNKNOWN)


def device_of(signals: PaymentSignals, matched: Matched) -> str | None:
    """The last four digits of a device that `matched` tells of; None where it tells nothing new.

    Digits that are known made the match sure themselves, so what is told is told by all else.
    """
    theirs = matched.part.card.last_four
    if theirs is None or theirs.kind not in _OF_DEVICES or theirs.digits == _FILLER:
        return None
    told = (signals.card.last_four, *signals.known_last_fours)
    known = {one.digits for one in told if one is not None} | {*signals.device_digits}
    is_new = matched.probability >= VERY_SURE and theirs.digits not in known
    return theirs.digits if is_new else None
