"""What comes out on the two sides of a card payment: the till's slip and the bank's charge."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import NamedTuple

from chalicelib.matching.sides import Charge, ChargeKind, Slip
from infra.matchbench import jitter
from infra.matchbench.block import Block, TillName
from infra.matchbench.cards import CODES, Cards, Presented
from infra.matchbench.happenings import Leg
from infra.matchbench.street import Arrival, CodeFault, Jitter, Street

_COUNTED_TO = 10_000  # A till's own counter begins again here.
FILE_AFTER_SECONDS = 1_800.0  # The day's file comes half an hour after midnight.


class Sale(NamedTuple):
    """Something sold: where and when (true seconds), and the receipt that says so."""

    receipt_id: str
    store: str
    stores: tuple[str, ...]  # that the bank cannot tell apart
    till: str
    at: float
    printed_at: float
    day_ends_at: float
    content: str
    kind: ChargeKind = ChargeKind.AUTH
    refers_to: str | None = None


class Paid(NamedTuple):
    """One card payment of a sale: what was paid, with which card, and the issuer's code."""

    part: int
    leg: Leg
    card: Presented
    code: str


class Printers:
    """The tills of one retailer and the banks of its customers."""

    def __init__(self, block: Block, cards: Cards, random: Random, name: str) -> None:
        self._block, self._street, self._cards = block, block.street, cards
        self._random, self._name = random, name
        self._jitter: Callable[[float], float] = jitter.drawer(block.street, random)
        self._last_code: dict[TillName, str] = {}
        self._number = 0

    def next_receipt(self) -> str:
        """An id that no other receipt has."""
        self._number += 1
        return f"{self._name}-r{self._number}"

    def printed_at(self, store: str, till: str, at: float) -> float:
        """The true time at which a sale paid `at` is printed."""
        return at + self._jitter(self._block.clocks[store, till].jitter_seconds)

    def slip(self, sale: Sale, paid: Paid) -> None:
        """The till prints it, and sends it once or twice."""
        street, random = self._street, self._random
        offset = self._block.clocks[sale.store, sale.till].offset_at(sale.printed_at)
        slip = Slip(
            sale.receipt_id,
            paid.part,
            sale.store,
            sale.till,
            _as_printed(street, sale.printed_at + offset),
            paid.leg.amount,
            "GBP",
            paid.leg.tip,
            self._cards.till_digits(paid.card) if street.till_digits_share else None,
            self._code(sale, paid.code) if street.till_code_share else None,
            mid=sale.store if street.has_mids else None,
            is_return=sale.kind is ChargeKind.REFUND,
            refers_to=sale.refers_to,
            content=sale.content,
        )
        self._send(slip, sale, offset)
        if street.sent_twice_share and random.random() < street.sent_twice_share:
            apart = round(random.random() * street.sent_twice_apart_seconds)
            again = replace(slip, receipt_id=self.next_receipt(), at=slip.at + apart)
            self._block.first_id[again.receipt_id] = slip.receipt_id
            self._send(again, sale, offset)

    def _send(self, slip: Slip, sale: Sale, offset: float) -> None:
        self._block.slips.append(slip)
        self._block.sold_at.append(slip.at - offset)
        self._block.arrived_at.append(self._arrives_at(sale))

    def _arrives_at(self, sale: Sale) -> float:
        arrival, seconds = self._street.arrival, 2.0 + 18.0 * self._random.random()
        if arrival is Arrival.END_OF_DAY:
            return sale.day_ends_at + FILE_AFTER_SECONDS + seconds
        printed_at = max(sale.at, sale.printed_at)
        if arrival is Arrival.QUARTER_HOURS:
            return (printed_at // 900.0 + 1.0) * 900.0 + seconds
        return printed_at + seconds

    def _code(self, sale: Sale, code: str) -> str | None:
        """The auth code as the till prints it, with its faults."""
        street, random, till = self._street, self._random, (sale.store, sale.till)
        before, self._last_code[till] = self._last_code.get(till), code
        if random.random() >= street.till_code_share:
            return None
        if till in self._block.counting:
            return f"{self._number % _COUNTED_TO:06d}"
        if street.code_fault is CodeFault.STALE and random.random() < street.code_fault_share:
            return before
        if random.random() < street.code_mistyped_share:
            return f"{random.randrange(CODES):06d}"
        return code

    def charge(self, sale: Sale, paid: Paid, *, at: float, has_receipt: bool) -> None:
        """The bank tells of the payment, `at` a true time."""
        street, block = self._street, self._block
        last_four, known = self._cards.bank_digits(paid.card)
        payment_id = f"{self._name}-p{len(block.charges)}"
        is_coded = self._random.random() < street.bank_code_share
        charge = Charge(
            payment_id,
            paid.card.member.member_id if paid.card.member else "",
            float(round(at)),
            paid.leg.charged,
            sale.stores,
            "bank",
            last_four,
            known,
            paid.code if is_coded else None,
            mids=frozenset((sale.store,)) if street.has_mids else frozenset(),
            kind=sale.kind,
        )
        block.charges.append(charge)
        block.receipt_by_payment[payment_id] = sale.receipt_id if has_receipt else None
        if block.clocks[sale.store, sale.till].is_disturbed_at(sale.at):
            block.disturbed.add(payment_id)


def _as_printed(street: Street, shown: float) -> float:
    """What the till's clock shows, in whole seconds or minutes."""
    if street.jitter is Jitter.MINUTES:
        return shown // 60.0 * 60.0
    return float(round(shown))
