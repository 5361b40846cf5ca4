"""A market hall in which everything happens at once: hundreds of sales, sixteen workers, one seed.

Each sale must find its payment however the messages fall: pages race payments, every message comes
twice, second sources tell of the same purchase, some sales are split between two cards, and crashes
have left claims behind.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from threading import Barrier, Lock

from chalicelib.banks.payments import PaymentEvent
from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Hold
from chalicelib.matching.standing import Claim
from chalicelib.members import service as members
from chalicelib.members.activation import GivenCard
from chalicelib.network import service as network
from chalicelib.network.model import Store
from chalicelib.purchases import receiving, service
from chalicelib.receipts.canonical import Receipt
from tests.makers.members import card_token, make_activation, numbered
from tests.makers.network import BANK, CARD_NETWORK, make_connection, make_retailer, make_store, mid
from tests.makers.purchases import OPENED_AT, PAID_AT, SALE, event

TRIES_MAX = 60
PEOPLE = 40
AMOUNTS = (420, 500, 650)  # Few, so that every payment has rivals that only its code tells apart.
PAGE = 20
OPEN = timedelta(hours=6)
CLOSED_AT = PAID_AT + OPEN + timedelta(hours=1)
STORES = tuple(make_store(f"hall-{n}") for n in range(16))

Step = Callable[[], object]


@dataclass(frozen=True)
class Bought:
    """One payment with the receipt and the part of it that it must get."""

    event: PaymentEvent
    receipt: Receipt
    store: Store
    part: int
    member_id: MemberId

    def claim(self) -> Claim:
        """The claim with which this payment takes its part."""
        hold = Hold(self.event.payment_id, self.member_id, self.event.connection_id)
        return Claim(self.receipt.receipt_id, self.part, hold, self.event.made_at)


@dataclass
class Hall:
    """Everything that will happen, and what must have come of it.

    Of each two `rivals` (payments of two members that the same card facts point to one receipt) one
    may get it, and never both.
    """

    bought: list[Bought] = field(default_factory=list)
    rivals: list[Bought] = field(default_factory=list)
    strangers: list[tuple[Store, Receipt]] = field(default_factory=list)

    @property
    def receipts(self) -> dict[str, tuple[Store, Receipt]]:
        """Every receipt with its store, by reference."""
        told = (*self.bought, *self.rivals)
        found = {one.receipt.reference: (one.store, one.receipt) for one in told}
        return found | {receipt.reference: (store, receipt) for store, receipt in self.strangers}


def open_hall(*, told_at_url: str = "") -> None:
    """Sixteen stores, a bank, a card network that tells of the same cards, and forty members."""
    network.forget()
    bank = make_connection(BANK, sources=(CARD_NETWORK,), told_at_url=told_at_url)
    network_of_cards = make_connection(CARD_NETWORK, told_at_url=told_at_url)
    for connection in (bank, network_of_cards):
        network.record_connection(connection, now=OPENED_AT)
    network.record_retailer(make_retailer())
    for number, store in enumerate(STORES):
        network.record_store(store, [mid(f"H{number}")], now=OPENED_AT)
    for number in range(1, PEOPLE + 1):
        card = GivenCard(reference=card_token(f"card-{number}", CARD_NETWORK))
        members.activate(
            make_activation(
                f"u-{number}", accounts=(f"acc-{number}",), cards=(card,), connection=bank
            ),
            fresh=numbered(number),
            now=OPENED_AT,
        )


def fill(hall: Hall, random: Random, *, sales: int, strangers: int) -> None:
    """`sales` of members, every eighth split between two and every fifth told by two sources."""
    for number in range(sales):
        place = random.randrange(len(STORES))
        at, minor = _some_time(random), random.choice(AMOUNTS)
        codes = (f"C{number:05}", f"D{number:05}")[: 2 if number % 8 == 0 else 1]
        printed_at = at + timedelta(seconds=random.randrange(-60, 60))
        receipt = sale(f"M-{number:05}", STORES[place], codes, minor, at=printed_at)
        for part, code in enumerate(codes):
            person = 1 + (number + 7 * part) % PEOPLE
            told = paid(code, place, person, minor, at=at)
            tellings = [told, _by_network(told, code, person)][: 2 if number % 5 == 0 else 1]
            member_id = numbered(person).member_id
            hall.bought += [Bought(t, receipt, STORES[place], part, member_id) for t in tellings]
    for number in range(strangers):
        store = random.choice(STORES)
        codes = (f"S{number:05}",)
        receipt = sale(f"S-{number:05}", store, codes, 420, at=_some_time(random))
        hall.strangers.append((store, receipt))


def set_rivals(hall: Hall, random: Random, *, pairs: int) -> None:
    """Two members pay alike, with cards of the same last digits, and there is one receipt."""
    digits = CardFacts(last_four=LastFour("7301", LastFourKind.CARD))
    for number in range(pairs):
        place, at = random.randrange(len(STORES)), _some_time(random)
        made = sale(f"V-{number:05}", STORES[place], ["-"], 777 + number, at=at)
        receipt = replace(made, tenders=(replace(made.tenders[0], card=digits),))
        for person in (2 * number % PEOPLE + 1, 2 * number % PEOPLE + 2):
            told = paid(f"V{number:05}-{person}", place, person, 777 + number, at=at)
            told = replace(told, card=digits)
            member_id = numbered(person).member_id
            hall.rivals.append(Bought(told, receipt, STORES[place], 0, member_id))


def sale(
    reference: str, store: Store, codes: Sequence[str], minor: int, *, at: datetime
) -> Receipt:
    """A receipt paid by a card for each of `codes`, `minor` pence by each."""
    total = minor * len(codes)
    card = SALE.tenders[0]
    return replace(
        SALE,
        reference=reference,
        store_id=store.store_id,
        issued_at=at,
        total_minor=total,
        lines=(replace(SALE.lines[0], amount_minor=total),),
        tenders=tuple(
            replace(card, amount_minor=minor, card=CardFacts(auth_code=code)) for code in codes
        ),
    )


def paid(code: str, place: int, person: int, minor: int, *, at: datetime) -> PaymentEvent:
    """The bank tells that `person` paid at the store numbered `place`."""
    return event(
        f"t-{code}",
        made_at=at,
        occurred_at=at,
        amount=Money(minor, "GBP"),
        merchant=(mid(f"H{place}"),),
        card=CardFacts(auth_code=code),
        account_ref=f"acc-{person}",
    )


def _by_network(told: PaymentEvent, code: str, person: int) -> PaymentEvent:
    """The same purchase as the card network tells of it."""
    return replace(
        told,
        connection_id=CARD_NETWORK,
        transaction_id=f"n-{code}",
        account_ref=None,
        card_ref=f"card-{person}",
    )


def _some_time(random: Random) -> datetime:
    return PAID_AT + timedelta(seconds=random.randrange(int(OPEN.total_seconds())))


def leave_claims(hall: Hall) -> tuple[int, int]:
    """Claims that crashes left behind; returns how many of each kind.

    Some payments died between their claim and their purchase, and will come again; others found
    another receipt after their claim, so that it stands in somebody else's way.
    """
    died = [one for one in hall.bought[3::10] if one.event.connection_id == BANK]
    for one in died:
        assert matching_store.record_claim(one.claim(), now=CLOSED_AT)
    robbed = [one for one in hall.bought[5::10] if one.event.connection_id == BANK]
    for number, one in enumerate(robbed):
        place = STORES.index(one.store)
        at = one.event.made_at
        code = f"G{number:05}"
        receiving.receive(
            one.store, [sale(code, one.store, [code], 999, at=at)], is_gathered=True, now=CLOSED_AT
        )
        ghost = paid(code, place, 1 + number % PEOPLE, 999, at=at)
        service.record_payment(ghost, now=CLOSED_AT)
        hold = Hold(ghost.payment_id, numbered(1 + number % PEOPLE).member_id, BANK)
        left = replace(one.claim(), hold=hold, anchored_at=at)
        assert matching_store.record_claim(left, now=CLOSED_AT)
    return len(died), len(robbed)


def steps_of(hall: Hall, random: Random, *, clustered: bool) -> list[Step]:
    """All messages in an order that only the seed knows; a tenth of the receipts come alone.

    `clustered`: a page and the payments for what is on it come together and once, so that all
    workers fight over the same few things and no repeat can heal what went wrong; else every
    message comes twice, scattered over everything.
    """
    clusters: list[list[Step]] = []
    told: dict[str, list[Bought]] = {}
    for bought in (*hall.bought, *hall.rivals):
        told.setdefault(bought.receipt.reference, []).append(bought)
    for store in STORES:
        receipts = [receipt for at, receipt in hall.receipts.values() if at is store]
        random.shuffle(receipts)
        alone, together = receipts[: len(receipts) // 10], receipts[len(receipts) // 10 :]
        pages = [together[at : at + PAGE] for at in range(0, len(together), PAGE)]
        for page in [*pages, *([one] for one in alone)]:
            arrival = _lone(store, page[0]) if len(page) == 1 else _page(store, page)
            cluster = [arrival] + [_payment(b) for r in page for b in told.get(r.reference, ())]
            clusters.append(cluster if clustered else cluster * 2)
            random.shuffle(clusters[-1])
    random.shuffle(clusters)
    steps = [step for cluster in clusters for step in cluster]
    if not clustered:
        random.shuffle(steps)
    return steps


def _payment(bought: Bought) -> Step:
    return lambda: service.record_payment(bought.event, now=CLOSED_AT)


def _page(store: Store, receipts: Sequence[Receipt]) -> Step:
    return lambda: receiving.receive(store, receipts, is_gathered=True, now=CLOSED_AT)


def _lone(store: Store, receipt: Receipt) -> Step:
    """The fast lane, and for whom nobody waits, the gathering queue at once."""

    def step() -> None:
        left = receiving.receive(store, [receipt], is_gathered=False, now=CLOSED_AT).to_gather
        if left:
            receiving.receive(store, left, is_gathered=True, now=CLOSED_AT)

    return step


def fight(steps: Sequence[Step], *, seed: int, workers: int) -> Counter[str]:
    """Let `workers` begin at one moment and do all of `steps`; counts steps and tries again.

    A step that is told to try again is done again, as its message would come again.
    """
    counts: Counter[str] = Counter()
    lock, barrier = Lock(), Barrier(workers)
    waiting = list(reversed(steps))

    def work(number: int) -> None:
        pauses = Random(seed * 1_000 + number)
        barrier.wait()
        while True:
            with lock:
                if not waiting:
                    return
                step = waiting.pop()
            tries = _until_done(step, pauses)
            with lock:
                counts["steps"] += 1
                counts["tried again"] += tries

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, number) for number in range(workers)]:
            done.result()
    return counts


def _until_done(step: Step, pauses: Random) -> int:
    for tries in range(TRIES_MAX):
        try:
            step()
        except TryAgain:
            time.sleep(pauses.random() * 0.02)
            continue
        return tries
    raise AssertionError("a step was never done")
