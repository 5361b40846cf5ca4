"""Whose payment it is. Pure.

A joint account has several holders and pays for all of them. Where the bank says who paid, only
that person's receipt is given; where it does not, a sole member on the account is taken for the
payer, and between two members nobody is chosen: a receipt shown to the wrong holder shows one
person's shopping to another.
"""

from collections.abc import Sequence

from chalicelib.members.model import Holder, Link, NotHeld

NOT_A_MEMBER = NotHeld("not_a_member")
JOINT_HOLDER = NotHeld("joint_holder")  # a holder of the account who did not switch it on
AMBIGUOUS_HOLDER = NotHeld("ambiguous_holder")


def decide_holder(links: Sequence[Link], payer: str | None) -> Holder | NotHeld:
    """The one member that `links` lead to when `payer` (keyed, None: not said) paid."""
    if not links:
        return NOT_A_MEMBER
    possible = [link for link in links if payer is None or link.payer in (payer, None)]
    certain = [link for link in possible if payer is not None and link.payer == payer]
    chosen = certain or possible
    if not chosen:
        return JOINT_HOLDER
    if len({link.member_id for link in chosen}) > 1:
        return AMBIGUOUS_HOLDER
    link = min(chosen, key=lambda one: one.since)
    return Holder(link.member_id, link.since, link.digits, link.salt)
