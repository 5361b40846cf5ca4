"""What must hold of cards: a purchase stands on one once, and a full card took just its places.

I11 the stamps of a card are those of its entries, each purchase once, and none is spent twice.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from infra.simulation.history import History
from infra.simulation.reward_town import OTHER_ID, OTHER_PLACES, PLACES, SCHEME_ID
from infra.simulation.stored import Stored
from infra.simulation.town import PEOPLE

_PLACES = {f"card#{SCHEME_ID}": PLACES, f"card#{OTHER_ID}": OTHER_PLACES}


def broken_cards(rows: tuple[Stored, ...]) -> Iterator[str]:
    """What does not hold of the cards in `rows`, at any time."""
    for row in rows:
        card = row.content
        payments = Counter(entry["payment_id"] for entry in card["entries"])
        if any(count > 1 for count in payments.values()):
            yield "I11 a purchase stands twice on a card"
        drawn: Counter[str] = Counter()
        for lot in _lots(card):
            for draw in lot["draws"]:
                drawn[draw["by"]] += draw["units"]
            if sum(draw["units"] for draw in lot["draws"]) > lot["units"]:
                yield "I11 more is taken of a lot than it has"
        for fill in card["fills"]:
            taken = drawn[f"f{fill['number']}"]
            if not fill["undone_by"] and taken != _PLACES[row.key[1]]:
                yield f"I11 a full card took {taken} stamps"


def broken_cards_at_end(history: History, rows: tuple[Stored, ...]) -> Iterator[str]:
    """What does not hold of them at the end of `history`."""
    if history.ends_as_undisturbed:
        return
    left = stamps_in(rows)
    wanted = {person.name: history.stamps.get(person.name, 0) for person in PEOPLE}
    if left != wanted:
        yield f"I10 cards have {left}"


def stamps_in(rows: tuple[Stored, ...]) -> dict[str, int]:
    """What nothing took of each member's card, by name."""
    return units_in(rows, SCHEME_ID)


def units_in(rows: tuple[Stored, ...], scheme_id: str) -> dict[str, int]:
    """What nothing took of each member's card of that scheme, by name."""
    found = {row.key[0]: _left(row.content) for row in rows if row.key[1] == f"card#{scheme_id}"}
    return {person.name: found.get(person.member_id, 0) for person in PEOPLE}


def _left(card: Mapping[str, Any]) -> int:
    """The stamps that nothing took."""
    return sum(lot["units"] - sum(draw["units"] for draw in lot["draws"]) for lot in _lots(card))


def _lots(card: Mapping[str, Any]) -> list[Any]:
    return [*card["base"], *(entry["lot"] for entry in card["entries"])]
