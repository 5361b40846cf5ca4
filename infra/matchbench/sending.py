"""What banks and tills send of a block's days, in the platform's own words, and when it comes.

The delays are drawn apart from the days, by a generator of their own: whoever is judged on the same
days without them sees the same days.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.ids import ConnectionId, PaymentId, RetailerId, StoreId
from chalicelib.kernel.money import Money
from chalicelib.matching.sides import Charge, ChargeKind, Slip
from chalicelib.matching.signals import PaymentSignals
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import RECEIPTS_WITHIN_SECONDS, Store
from chalicelib.receipts.canonical import Charge as AddedCharge
from chalicelib.receipts.canonical import ChargeKind as AddedChargeKind
from chalicelib.receipts.canonical import Receipt, ReceiptKind, Tender, TenderKind
from infra.matchbench.block import Block
from infra.matchbench.street import DAY_SECONDS, Arrival

RETAILER = RetailerId("street")
RECEIPTS_PER_POST = 100  # Of a file of the day.
# What operators say of their stores: how long after a sale its receipt may take.
PATIENCE_SECONDS = {
    Arrival.LIVE: RECEIPTS_WITHIN_SECONDS,
    Arrival.QUARTER_HOURS: 1_200,
    Arrival.END_OF_DAY: DAY_SECONDS + 3_600,
}


@dataclass(frozen=True, slots=True)
class Delays:
    """How long what is sent takes. Seconds; the means of exponential times.

    A bank's hook takes a second at least, and now and then its queue is behind. A till takes as
    long as the street says (two to twenty seconds where it sends at once); now and then its line is
    down, and it sends when it is up again.
    """

    hook_seconds: float = 3.0
    hook_behind_share: float = 0.02
    hook_behind_seconds: float = 300.0
    line_down_share: float = 0.03
    line_down_seconds: float = 600.0

    def of_hook(self, random: Random) -> float:
        """How long after the sale the bank's word comes."""
        is_behind = random.random() < self.hook_behind_share
        mean = self.hook_behind_seconds if is_behind else self.hook_seconds
        return 1.0 + random.expovariate(1.0 / mean)

    def of_line(self, random: Random) -> float:
        """How much longer than the street says a receipt takes."""
        is_down = random.random() < self.line_down_share
        return random.expovariate(1.0 / self.line_down_seconds) if is_down else 0.0


DELAYS = Delays()


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment as the platform knows it, and when the bank's word of it comes (UNIX seconds)."""

    at: float
    signals: PaymentSignals


@dataclass(frozen=True, slots=True)
class Posted:
    """Receipts of one store that come together, at `at` (UNIX seconds)."""

    at: float
    store_id: StoreId
    receipts: tuple[Receipt, ...]


def stores_of(block: Block) -> dict[StoreId, Store]:
    """The stores of `block`, as their operator sets them up."""
    patience = PATIENCE_SECONDS[block.street.arrival]
    return {
        StoreId(name): Store(
            StoreId(name), RETAILER, name, name, "UTC", receipts_within_seconds=patience
        )
        for name in sorted({store for store, _ in block.clocks})
    }


def payments_of(block: Block, delays: Delays, random: Random) -> list[Paid]:
    """The payments of `block`. What refunds give back is looked for by other means."""
    return [
        Paid(charge.at + delays.of_hook(random), signals_of(charge))
        for charge in block.charges
        if charge.kind is not ChargeKind.REFUND
    ]


def posts_of(block: Block, delays: Delays, random: Random) -> Iterator[Posted]:
    """The receipts of `block`, each alone, or as files of the day."""
    arrived = dict(_arrivals(block))
    slips: dict[str, list[Slip]] = defaultdict(list)
    for slip in block.slips:
        slips[slip.receipt_id].append(slip)
    receipts = [(arrived[name], receipt_of(own)) for name, own in slips.items()]
    if block.street.arrival is Arrival.END_OF_DAY:
        yield from _files(receipts)
        return
    for at, receipt in receipts:
        yield Posted(at + delays.of_line(random), receipt.store_id, (receipt,))


def _arrivals(block: Block) -> Iterable[tuple[str, float]]:
    """When the street says that each receipt comes: with the last of its parts."""
    pairs = zip(block.slips, block.arrived_at, strict=True)
    return sorted(((slip.receipt_id, at) for slip, at in pairs), key=lambda pair: pair[1])


def _files(receipts: Iterable[tuple[float, Receipt]]) -> Iterator[Posted]:
    days: dict[tuple[StoreId, float], list[tuple[float, Receipt]]] = defaultdict(list)
    for at, receipt in receipts:
        days[receipt.store_id, at // DAY_SECONDS].append((at, receipt))
    for (store_id, _), file in days.items():
        file.sort(key=lambda one: one[1].issued_at)
        last = max(at for at, _ in file)
        for begin in range(0, len(file), RECEIPTS_PER_POST):
            posted = tuple(receipt for _, receipt in file[begin : begin + RECEIPTS_PER_POST])
            yield Posted(last + begin / RECEIPTS_PER_POST, store_id, posted)


def signals_of(charge: Charge) -> PaymentSignals:
    """What the bank says of `charge`."""
    return PaymentSignals(
        payment_id=PaymentId(charge.payment_id),
        member_id=charge.member_id,
        connection_id=ConnectionId(charge.connection_id),
        made_at=instant(charge.at),
        amounts=tuple(Money(minor, currency) for minor, currency in charge.amounts),
        stores=tuple(StoreId(store) for store in charge.stores),
        card=CardFacts(charge.scheme, charge.last_four, charge.auth_code),
        known_last_fours=charge.known_last_fours,
        identifiers=tuple(Identifier(IdentifierKind.MID, mid) for mid in sorted(charge.mids)),
    )


def receipt_of(slips: Sequence[Slip]) -> Receipt:
    """What the till says of the sale that `slips` are the card payments of."""
    first = slips[0]
    added: tuple[AddedCharge, ...] = ()
    if first.tip_minor:
        added = (AddedCharge(AddedChargeKind.TIP, "tip", first.tip_minor),)
    return Receipt(
        reference=first.receipt_id,
        version=1,
        kind=ReceiptKind.RETURN if first.is_return else ReceiptKind.SALE,
        retailer_id=RETAILER,
        store_id=StoreId(first.store),
        issued_at=instant(first.at),
        currency=first.currency,
        total_minor=sum(slip.amount_minor for slip in slips),
        lines=(),
        tenders=tuple(_tender(slip) for slip in sorted(slips, key=lambda slip: slip.part)),
        till=first.till,
        charges=added,
        refers_to=first.refers_to,
    )


def _tender(slip: Slip) -> Tender:
    card = CardFacts(slip.scheme, slip.last_four, slip.auth_code)
    return Tender(TenderKind.CARD, slip.amount_minor, card, mid=slip.mid, tid=slip.tid)


def instant(at: float) -> datetime:
    """UNIX seconds as the platform writes them."""
    return datetime.fromtimestamp(at, UTC)
