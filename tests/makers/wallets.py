"""A card with its history in memory, for tests of what is decided of many purchases."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.loyalty.cards import archiving
from chalicelib.loyalty.cards.awarding import Asked, Case, decide
from chalicelib.loyalty.cards.desk import HistoryNeeded, Opened
from chalicelib.loyalty.cards.eligibility import Taker
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.past import Past, in_chain, newest_entries
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.holding.model import HoldDecision, HoldOutcome
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.sale import Sale
from chalicelib.runtime import vault
from tests.makers.cards import EMPTY
from tests.makers.loyalty import SOLD_AT

MEMBER = MemberId("m-1")
EVER_AFTER = SOLD_AT + timedelta(days=200)
RELEASED = Asked(
    HoldDecision(HoldOutcome.RELEASED, SOLD_AT, PaymentId("p-1"), MEMBER, SOLD_AT, version=1)
)


@dataclass
class Wallet:
    """A card and its history, as the desk keeps them; `reads` of the history that a row needed.

    With no history, everything stays at hand.
    """

    scheme: Scheme
    card: Card | None = None
    past: list[Past] = field(default_factory=list)
    reads: int = 0
    has_history: bool = True

    def settle(self, *sales: Sale) -> None:
        for sale in sales:
            self._settle(sale)

    @property
    def chain(self) -> tuple[Past, ...]:
        return in_chain(self.past, self.card.last_past) if self.card else ()

    @property
    def units(self) -> int:
        assert self.card is not None
        return balance_at(self.card, EVER_AFTER).active

    @property
    def left(self) -> dict[tuple[str, str], int]:
        """What is left of what each purchase earned by each rule."""
        assert self.card is not None
        return {
            (entry.payment_id, one.rule_id): one.units - one.back
            for entry in newest_entries(self.card, self.chain)
            for one in entry.given
            if one.units > one.back
        }

    def _settle(self, sale: Sale) -> None:
        card, now = self.card, sale.sold_at + timedelta(days=60)
        opened = Opened(card)
        if card is not None and card.watermark and sale.sold_at <= card.watermark:
            back = archiving.bring_back(card, self.chain, sale.purchase_id, self.scheme, at=now)
            opened = Opened(back, self.chain)
        try:
            changed = decide(opened, self._case(sale), RELEASED, now=now)
        except HistoryNeeded:
            self.reads += 1
            changed = decide(replace(opened, past=self.chain), self._case(sale), RELEASED, now=now)
        if changed is None or changed is opened.card:
            return
        if not self.has_history:
            self.card = changed
            return
        self.card, moved = archiving.move_old(changed, self.scheme, at=now)
        if moved is not None:
            self.past.append(moved)

    def _case(self, sale: Sale) -> Case:
        return Case(
            holder=Holder(MEMBER, self.scheme.scheme_id, vault.member_key(bytes(32))),
            newest=self.scheme,
            scheme=self.scheme,
            version=lambda _: self.scheme,
            sale=sale,
            taker=Taker(has_stamps=True, joined=EMPTY.membership),
            return_days=0,
            anchored_at=sale.sold_at,
            lease_for=lambda _: 1,
        )
