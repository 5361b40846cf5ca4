"""One card earns for one member: who of several that registered it does. Pure.

A payment goes to one member whatever happens (`members/holding`), so the same payment never earns
twice. What is prevented here is one person under two names, each with a welcome reward of their
own. The first who registered the card earns; what any other would earn is held, and a person looks.
Nothing is written for this: links say who registered what, and since when. An account is no card:
both holders of a joint account have it.
"""

from collections.abc import Iterable, Sequence

from chalicelib.kernel.ids import MemberId
from chalicelib.loyalty.watching import PASS, Hold, HoldReason, Verdict
from chalicelib.members.model import Link


def judge_claimant(member_id: MemberId, holders_by_card: Iterable[Sequence[Link]]) -> Verdict:
    """Whether `member_id` earns, given for each of their cards the links of all who have it."""
    for holders in holders_by_card:
        if holders and first_of(holders).member_id != member_id:
            return Hold(HoldReason.CARD_OF_ANOTHER_MEMBER)
    return PASS


def first_of(holders: Sequence[Link]) -> Link:
    """Who registered the card first; of two in one moment, always the same one."""
    return min(holders, key=lambda link: (link.since, link.member_id))
