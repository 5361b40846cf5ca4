"""A town with offers: Bean & Leaf, its campaigns, and members of Harbour Bank. All invented."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from chalicelib.budgets import verifying
from chalicelib.kernel.ids import MemberId
from chalicelib.ledger import service as ledger
from chalicelib.loyalty.rules import Condition, FixedCashback, Matching, PercentCashback
from chalicelib.loyalty.sale import Sale, sale_of
from chalicelib.members import service as members
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.programmes import Service
from chalicelib.offers.awarding import Awarded, award_purchase
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import Campaign, Limit, campaign_id_of
from chalicelib.purchases.model import Purchase
from chalicelib.receipts.canonical import LineKind, LineReference, Receipt, ReceiptKind
from chalicelib.runtime import vault
from tests.makers.loyalty import SOLD_AT, paid_event, purchase
from tests.makers.members import TERMS, make_activation, numbered, user
from tests.makers.network import make_connection
from tests.makers.receipts import RETAILER, STORE, line, sale

OPENED_AT = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
STARTS_AT = datetime(2026, 11, 2, tzinfo=UTC)
ENDS_AT = datetime(2026, 12, 1, tzinfo=UTC)
SETTLED_AT = SOLD_AT + timedelta(minutes=3)
LATER = SOLD_AT + timedelta(days=5)
BANK = make_connection()
COFFEE = Matching(categories=("Coffee",))
FIVE_PERCENT = PercentCashback(Fraction(1, 20), max_minor=500)
A_POUND = FixedCashback(100)
TWICE = Limit(times=2)


def open_town() -> None:
    """Bean & Leaf with its shop in Leeds, and Harbour Bank."""
    network.forget()
    network.record_connection(BANK, now=OPENED_AT)
    network.record_retailer(RETAILER)
    network.record_store(STORE, [], now=OPENED_AT)


def join(name: str = "ada", number: int = 1, *, wants_offers: bool = True) -> Member:
    """A person of Harbour Bank switches the programme on, and offers with it."""
    activation = make_activation(
        name,
        accounts=(f"acc-{name}",),
        connection=BANK,
        terms=replace(TERMS, accepted_at=OPENED_AT),
    )
    members.activate(activation, fresh=numbered(number), now=OPENED_AT)
    wanted = {Service.OFFERS: wants_offers}
    return members.change_services(user(name), wanted, BANK, now=OPENED_AT)


def campaign(reference: str = "autumn", **more: object) -> Campaign:
    """A pound back on coffee in November, once for each member."""
    made = Campaign(
        campaign_id=campaign_id_of(RETAILER.retailer_id, reference),
        retailer_id=RETAILER.retailer_id,
        reference=reference,
        name="A pound back on coffee",
        currency="GBP",
        zone="Europe/London",
        starts_at=STARTS_AT,
        ends_at=ENDS_AT,
        reward=A_POUND,
        budget_minor=100_000,
        condition=Condition(lines=COFFEE),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def run(*several: Campaign) -> tuple[Campaign, ...]:
    """Write `several` and let them run."""
    for one in several:
        campaigns.write_draft(one, now=OPENED_AT)
    scheduled = [
        campaigns.schedule(one.retailer_id, one.reference, now=OPENED_AT) for one in several
    ]
    campaigns.forget()
    return tuple(scheduled)


def coffees(*minor: int) -> Receipt:
    """A receipt of coffees at these prices, in pence."""
    lines = (
        line(str(at), amount=one, category=("Drinks", "Coffee"))
        for at, one in enumerate(minor, start=1)
    )
    return sale(*lines)


def bought(
    receipt: Receipt, member: Member, name: str = "t-1", *, at: datetime = SOLD_AT, **more: object
) -> Purchase:
    """What `member` bought, paid by the receipt's card tender."""
    paid = sum(one.amount_minor for one in receipt.card_tenders)
    event = paid_event(paid, transaction_id=name, digest=name, made_at=at, occurred_at=at)
    return purchase(receipt, event, member_id=member.member_id, **more)


def returned(receipt: Receipt, *line_ids: str) -> Receipt:
    """The lines come back, with their money."""
    lines = tuple(
        replace(
            one,
            kind=LineKind.RETURN,
            refers_to=LineReference(receipt.reference, one.line_id),
        )
        for one in receipt.lines
        if one.line_id in line_ids
    )
    return sale(
        *lines,
        reference=f"R-{'-'.join(line_ids)}",
        kind=ReceiptKind.RETURN,
        refers_to=receipt.reference,
    )


def next_version(before: Purchase, **changes: object) -> Purchase:
    """The purchase after `changes`."""
    return replace(before, version=before.version + 1, **changes)  # type: ignore[arg-type]


def key_of(member: Member) -> vault.SealingKey:
    """What opens a member's rows."""
    assert member.salt is not None
    return vault.member_key(member.salt)


def as_sale(bought_one: Purchase) -> Sale:
    """The purchase as offers see it."""
    return sale_of(bought_one, STORE if bought_one.receipt is not None else None)


def award(bought_one: Purchase, member: Member, *, now: datetime = SETTLED_AT) -> Awarded:
    """Bring the member's offers up to the purchase."""
    key = key_of(member)
    return award_purchase(bought_one, as_sale(bought_one), member, key, now=now)


def owed(member_id: MemberId, *, now: datetime = LATER) -> int:
    """What the member has or will have in the journal, in pence."""
    return sum(one.pending + one.available for one in ledger.balances_of(member_id, now=now))


def spent(one: Campaign, *, now: datetime = LATER) -> int:
    """What is spent of the campaign's budget, whose rows are checked."""
    assert verifying.list_faults(one.campaign_id, now=now) == []
    return campaigns.standing_of(one, now=now).spent_minor
