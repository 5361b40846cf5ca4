"""What providers do with a payment after their first word of it: whether more comes, and as what.

Sources: Fidel's documentation gives 48 to 72 hours for a clearing, which "normally" keeps the
authorisation's id; without the id, auth code and card tell. Starling posts the same feed item when
it settles. Monzo documents no event but the first, and in Flux's formats the first submission wins.
"""

from dataclasses import dataclass
from datetime import timedelta

from chalicelib.network.model import Connection, Provider


@dataclass(frozen=True, slots=True)
class Habits:
    """What may still come of a payment.

    - `clears_within`: how long after the sale a clearing may still come; None where none is sent.
    - `renames`: the clearing may come under another id, and nothing in it names the first.
    """

    clears_within: timedelta | None
    renames: bool = False


_HABITS = {
    Provider.FLUX_V1: Habits(None),
    Provider.FLUX_V2: Habits(None),
    Provider.MONZO: Habits(None),
    Provider.STARLING: Habits(timedelta(days=5)),  # Two to three days, and a long weekend.
    Provider.FIDEL: Habits(timedelta(days=4), renames=True),
    Provider.STANDARD: Habits(timedelta(days=5)),  # As card schemes settle; banks pass it on.
}


def habits_of(connection: Connection) -> Habits:
    """What the connection's provider does; a bank of its own habits says so in its connection."""
    usual = _HABITS[connection.provider]
    return Habits(usual.clears_within, renames=usual.renames or connection.renames)
