"""High-street days with ground truth, drawn retailer by retailer so that memory stays flat."""

from collections.abc import Iterator
from random import Random

from chalicelib.matching.sides import ChargeKind
from infra.matchbench.block import Block
from infra.matchbench.cards import Cards, Member, Presented
from infra.matchbench.happenings import SECONDS_BETWEEN_CARDS, Leg, legs_of
from infra.matchbench.laws import Amounts, Arrivals
from infra.matchbench.printing import Paid, Printers, Sale
from infra.matchbench.street import DAY_SECONDS, CodeFault, Street
from infra.matchbench.true_clocks import draw_clock

SLIPS_PER_BLOCK = 12_000  # Small stores are pooled, as a retailer's file pools them.
BASKETS = 12  # Ways to buy something for the same amount: contents are no names.


def blocks(street: Street, *, seed: str, payments: int) -> Iterator[Block]:
    """Retailers one after the other, until banks told of `payments` at least."""
    told, number = 0, 0
    while told < payments:
        block = draw_block(street, Random(f"{seed}-{number}"), name=f"b{number}")
        told += len(block.charges)
        number += 1
        yield block


def draw_block(street: Street, random: Random, *, name: str, slips: int = SLIPS_PER_BLOCK) -> Block:
    """The days of one retailer: its stores together, or as many alone as come to `slips`."""
    retailer = _Retailer(street, random, name)
    of_group = street.sales_per_day * street.days * street.stores_together
    for group in range(max(1, round(slips / of_group))):
        stores = tuple(f"{name}-s{group}-{n}" for n in range(street.stores_together))
        for store in stores:
            retailer.set_up(store)
        for day in range(street.days):
            for store in stores:
                retailer.sell_all_day(store, stores, street.starts_at + day * DAY_SECONDS)
    return retailer.block


class _Retailer:
    def __init__(self, street: Street, random: Random, name: str) -> None:
        self._street, self._random, self._name = street, random, name
        self._tills = tuple(map(str, range(street.tills)))
        self._cards = Cards(street, random, name)
        self.block = Block(street, Arrivals(street), Amounts(street, random), {})
        self._printers = Printers(self.block, self._cards, random, name)
        self._returnable: list[tuple[Presented, int, str]] = []

    def set_up(self, store: str) -> None:
        """The tills of `store`, each with a clock of its own."""
        street, random = self._street, self._random
        for till in self._tills:
            self.block.clocks[store, till] = draw_clock(street, random)
            is_faulty = random.random() < street.code_fault_share
            if is_faulty and street.code_fault is CodeFault.COUNTER:
                self.block.counting.add((store, till))

    def sell_all_day(self, store: str, stores: tuple[str, ...], midnight: float) -> None:
        """One store's day."""
        street, random = self._street, self._random
        count = max(0, round(random.gauss(street.sales_per_day, street.sales_per_day**0.5)))
        times = self.block.arrivals.draw(random, count)
        amounts = self.block.amounts.draw(random, count)
        members, chance = self._cards.members, random.random
        for seconds, amount in zip(times, amounts, strict=True):
            sale = self._sale(
                store, stores, midnight, seconds, f"{amount}-{int(chance() * BASKETS)}"
            )
            is_members = chance() < street.member_share
            member = members[int(chance() * len(members))] if is_members else None
            self._sell(sale, amount, member)
        for seconds in times[:: round(1 / street.return_share)] if street.return_share else ():
            self._take_back(self._sale(store, stores, midnight, seconds, "back"))

    def _sale(
        self, store: str, stores: tuple[str, ...], midnight: float, seconds: float, content: str
    ) -> Sale:
        till = self._tills[int(self._random.random() * len(self._tills))]
        return Sale(
            self._printers.next_receipt(),
            store,
            stores,
            till,
            at=midnight + seconds,
            printed_at=self._printers.printed_at(store, till, midnight + seconds),
            day_ends_at=midnight + DAY_SECONDS,
            content=content,
        )

    def _sell(self, sale: Sale, amount: int, member: Member | None) -> None:
        street, chance = self._street, self._random.random
        has_receipt = chance() >= street.missing_receipt_share
        for part, leg in enumerate(legs_of(amount, member, street, self._random)):
            paid = Paid(part, leg, self._cards.present(leg.member), self._cards.draw_code())
            if has_receipt:
                self._printers.slip(sale, paid)
            if leg.member is not None and chance() >= street.missing_payment_share:
                at = sale.at + part * SECONDS_BETWEEN_CARDS
                self._printers.charge(sale, paid, at=at, has_receipt=has_receipt)
                if street.return_share:
                    self._returnable.append((paid.card, leg.amount, sale.receipt_id))

    def _take_back(self, back: Sale) -> None:
        """A return, as often a member's as a sale is. A refund may come later than the return."""
        street, random = self._street, self._random
        card, refers_to = self._cards.present(None), f"{self._name}-r0"
        amount = self.block.amounts.draw(random, 1)[0]
        if self._returnable and random.random() < street.member_share:
            place = random.randrange(len(self._returnable))
            card, amount, refers_to = self._returnable.pop(place)
        is_linked = random.random() < street.linked_return_share
        sale = back._replace(kind=ChargeKind.REFUND, refers_to=refers_to if is_linked else None)
        has_receipt = random.random() >= street.missing_receipt_share
        leg = Leg(amount, 0, ((amount, "GBP"),), card.member)
        paid = Paid(0, leg, card, self._cards.draw_code())
        if has_receipt:
            self._printers.slip(sale, paid)
        if card.member is not None:
            mean = street.refund_later_seconds
            at = sale.at + (random.expovariate(1.0 / mean) if mean else 0.0)
            self._printers.charge(sale, paid, at=at, has_receipt=has_receipt)
