"""Holding what an offer gives until a person has looked at it, and following what they said.

What is held stands in the member's row like any other redemption, and its budget is spent; but it
is in no journal and counts for nobody. A decision settles the purchase anew, and is found here.
"""

from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.loyalty.holding import service as holding
from chalicelib.loyalty.holding.model import REFUSED, Held, HoldOutcome
from chalicelib.loyalty.watching import HoldReason
from chalicelib.offers.case import Case
from chalicelib.offers.participation import store
from chalicelib.offers.participation.model import Participation, Redemption
from chalicelib.offers.paying import Payer
from chalicelib.offers.watching import find_doubt
from chalicelib.runtime import vault


def watched(
    case: Case, participation: Participation, redemption: Redemption, target_minor: int
) -> Redemption:
    """`redemption`, which is new, held where it looks like abuse and nobody has released it.

    :raises TryAgain: a passing obstacle; nothing may be given yet.
    """
    reason = find_doubt(redemption, case.others)
    if reason is None:
        return redemption
    return decided(case, participation, replace(redemption, held=reason.value), target_minor)


def decided(
    case: Case, participation: Participation, redemption: Redemption, target_minor: int
) -> Redemption:
    """`redemption` as a person decided it; where it is held and nobody has, it waits for one.

    :raises TryAgain: a passing obstacle.
    """
    if redemption.held in ("", REFUSED) or target_minor <= 0:
        return redemption
    decision = holding.hold(_held(case, participation, redemption, target_minor), now=case.now)
    if decision is None:
        return redemption
    if decision.outcome is HoldOutcome.RELEASED:
        return replace(redemption, held="", is_released=True)
    return replace(redemption, held=REFUSED)


def drop_empty(case: Case, participation: Participation) -> None:
    """Let nobody look at what is held of the purchase, where nothing of it is left."""
    of_it = participation.of_purchase(case.sale.purchase_id)
    if not any(one.is_waiting for one in of_it):
        for one in of_it:
            drop(case, participation, one)


def drop(case: Case, participation: Participation, redemption: Redemption) -> None:
    """Let nobody look at `redemption`, of which nothing is given."""
    if redemption.held not in ("", REFUSED):
        holding.drop(_held(case, participation, redemption, 0))


def give_up(
    purchase_id: PaymentId, member_id: MemberId, key: vault.SealingKey, *, now: datetime
) -> None:
    """Give the budget back what is held of a purchase whose member left, who never gets it now.

    The row is not written: it is on its last clock.
    :raises TryAgain: a passing obstacle.
    """
    payer = Payer(member_id, key, now)
    for row in store.list_participations(member_id, None, key=key, now=now).values():
        for one in row.of_purchase(purchase_id):
            if one.is_waiting:
                payer.give_up(row, one)


def _held(case: Case, participation: Participation, redemption: Redemption, minor: int) -> Held:
    return Held(
        subject=participation.campaign_id,
        purchase_id=redemption.purchase_id,
        member_id=case.member.member_id,
        reason=HoldReason(redemption.held),
        units=minor,
        since=redemption.sold_at,
        anchored_at=case.purchase.payment.anchored_at,
        version=case.sale.version,
        held_at=case.now,
        currency=participation.currency,
    )
