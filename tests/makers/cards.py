"""Cards for tests: what purchases are worth, and cards that these were entered on."""

from datetime import UTC, datetime, timedelta

from chalicelib.kernel.ids import RetailerId
from chalicelib.loyalty.cards.applying import Worth, bring_up
from chalicelib.loyalty.cards.filling import Filling
from chalicelib.loyalty.cards.model import Basis, Card, Given, Membership
from chalicelib.loyalty.rules import EarnRule, FixedCashback, Scheme, StampCard
from chalicelib.loyalty.terms import RefundPolicy, RuleKind, Unit

JOINED_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SOLD_AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
ACTIVE_AT = datetime(2026, 4, 2, 23, 0, tzinfo=UTC)  # Thirty days on, in London.
LONG_AFTER = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
SCHEME = Scheme(
    scheme_id="coffee-card",
    version=1,
    retailer_id=RetailerId("bean-and-leaf"),
    name="Coffee card",
    unit=Unit.STAMPS,
    currency="GBP",
    zone="Europe/London",
    starts_at=JOINED_AT,
    rules=(EarnRule("per-item", RuleKind.ITEM),),
    card=StampCard(5, FixedCashback(400)),
)
EMPTY = Card(Membership(Basis.ACTIVATION, JOINED_AT))
FIVE_PLACES = Filling(places=5, minor=400)


def worth(name: str = "p1", units: int = 1, *, version: int = 1, **more: object) -> Worth:
    """A purchase of one line that earned `units`, `back` of which its returns demand."""
    back = int(str(more.pop("back", 0)))
    fields: dict[str, object] = {
        "sold_at": SOLD_AT,
        "scheme": 1,
        "sale_print": 7,
        "given": (Given("per-item", "1", units, back),),
        "active_at": ACTIVE_AT,
    }
    return Worth(name, version=version, **(fields | more))  # type: ignore[arg-type]


def after(
    *worths: Worth,
    card: Card = EMPTY,
    filling: Filling | None = None,
    policy: RefundPolicy = RefundPolicy.NEGATIVE,
    at: datetime = SOLD_AT + timedelta(minutes=1),
) -> Card:
    """`card` after `worths`, one after the other, all at the moment `at`."""
    for one in worths:
        card = bring_up(card, one, filling=filling, policy=policy, at=at)
    return card
