"""What must hold between a card that gives extra units and the member's other card.

I7 what stands on a card as extra units was given by a full card or a claim of the same member, and
never is more than that · I13 (at the end) the two cards say the same of it: what a full card gives
is there, and of one that is full no more nothing is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.loyalty.cards.naming import is_extra, name_of
from infra.simulation.cards import units_in
from infra.simulation.history import History
from infra.simulation.reward_town import OTHER_ID
from infra.simulation.standing import Standing
from infra.simulation.stored import Stored
from infra.simulation.town import PEOPLE

_Units = Counter[tuple[str, str]]


def broken_extras(standing: Standing) -> Iterator[str]:
    """What does not hold at any time."""
    gives = _gives(standing, at_most=True)
    for (member_id, name), units in _stands(standing).items():
        if units > gives[member_id, name]:
            yield f"I7 {units} extra units stand where {gives[member_id, name]} were ever given"


def broken_extras_at_end(history: History, standing: Standing) -> Iterator[str]:
    """What does not hold when all is quiet."""
    if history.leavers:
        return
    gives, stands = _gives(standing), _stands(standing)
    for member_id, name in sorted({*gives, *stands}):
        given, found = gives[member_id, name], stands[member_id, name]
        if given != found:
            yield f"I13 a card gives {given} extra units, and the other has {found}"
    left = units_in(standing.of("CardRow"), OTHER_ID)
    wanted = {person.name: history.extra.get(person.name, 0) for person in PEOPLE}
    if not history.ends_as_undisturbed and left != wanted:
        yield f"I10 other cards have {left}"


def _stands(standing: Standing) -> _Units:
    """What counts of extra units, by member and name; the newest row of a card has it."""
    found: _Units = Counter()
    for kind in ("PastRow", "CardRow"):
        for row in standing.of(kind):
            for entry in row.content["entries"]:
                if is_extra(entry["payment_id"]):
                    found[row.key[0], entry["payment_id"]] = entry["lot"]["units"]
    return found


def _gives(standing: Standing, *, at_most: bool = False) -> _Units:
    """What full cards and claims give, by member and name; `at_most`, emptied ones too."""
    found: _Units = Counter()
    for kind in ("PastRow", "CardRow"):
        for row in standing.of(kind):
            for name, units, is_undone in _givers(row):
                found[row.key[0], name] = 0 if is_undone and not at_most else units
    return found


def _givers(row: Stored) -> Iterator[tuple[str, int, bool]]:
    scheme_id = row.key[1].split("#")[1]
    for fill in row.content["fills"]:
        if fill["gives"]:
            name = name_of(fill["cause"], scheme_id, f"f{fill['number']}")
            yield name, fill["gives"]["units"], bool(fill["undone_by"])
    for claim in row.content["claims"]:
        if claim["gives"]:
            yield name_of("", scheme_id, claim["claim_id"]), _units_of(claim), False


def _units_of(claim: Mapping[str, Any]) -> int:
    units: int = claim["gives"]["units"]
    return units
