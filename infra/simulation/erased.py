"""I12: whoever was erased never reappears.

Whoever left is not a member again and is given nothing more; thirty days later nothing stands of
them that the register says is deleted, and nothing can be opened that it says is shredded; and
nothing that comes after that brings anything back. Deletion takes its own time, so what is past its
end counts as gone.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.ledger.model import EntryKind
from chalicelib.members.model import KEPT_AFTER_LEAVING, MemberStatus
from chalicelib.runtime import rows
from chalicelib.runtime.register import Erasure
from infra.simulation.history import History
from infra.simulation.money import books_in
from infra.simulation.standing import Standing
from infra.simulation.stored import Stored
from infra.simulation.town import NOON, PEOPLE
from infra.simulation.world import World

# A worker that had begun before somebody left may end after that, but not later.
BEGUN_BEFORE = timedelta(minutes=15)
_SPARE = timedelta(days=1)


def broken_by_leaving(world: World, history: History, standing: Standing) -> Iterator[str]:
    """What does not hold of whoever has left by now."""
    if not history.leavers:
        return
    for given in history.inputs[: world.inputs_done]:
        for person in PEOPLE if given.leaves is not None else ():
            if given.leaves == person.anchor:
                left_at = NOON + timedelta(seconds=given.at_seconds)
                own = [row for row in standing.everything if _is_of(row, person.member_id)]
                yield from _back(own)
                yield from _readable(world, own, until=left_at + KEPT_AFTER_LEAVING + _SPARE)
                yield from _given(world, person.member_id, after=left_at + BEGUN_BEFORE)


def _is_of(row: Stored, member_id: str) -> bool:
    names = (*row.key, *map(str, row.plain.values()))
    return any(member_id in name for name in names)


def _back(own: list[Stored]) -> Iterator[str]:
    for row in own:
        if row.kind == "HeadRow" and row.plain["status"] != MemberStatus.LEFT.value:
            yield "I12 who left is a member again"


def _readable(world: World, own: list[Stored], *, until: datetime) -> Iterator[str]:
    if world.now() <= until:
        return
    now = rows.epoch(world.now())
    standing = [row for row in own if row.plain.get("expires_at", now + 1) > now]
    gone = {Erasure.DELETE}
    if any("salt" in row.plain for row in standing):
        gone.add(Erasure.SHRED)
    for row in standing:
        kept = row.row_type.privacy if row.row_type else {}
        names = [*row.plain, *(["sealed"] if row.content is not None else [])]
        if any(name in kept and kept[name].erasure in gone for name in names):
            yield f"I12 a {row.kind} of whoever left can still be read"


def _given(world: World, member_id: str, *, after: datetime) -> Iterator[str]:
    if not world.has_money:
        return
    books = books_in(world)
    owner = f"member#{member_id}"
    for posting in books.postings(owner) if owner in books.pages else ():
        is_given = posting.entry.kind is EntryKind.REWARD_GIVEN
        if is_given and posting.recorded_at > after:
            yield "I12 who left was given something"
