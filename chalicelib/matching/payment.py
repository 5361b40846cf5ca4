"""A payment: the events that a bank told of it, in whatever order they came.

Bank facts are immutable: a correction is a further event, never an overwrite. The state is a pure
function of the set of events, so the order of arrival changes nothing.

What was charged is the latest word: cleared over authorised. Two cases say more than one word:

- an order that leaves in several parcels is cleared once for each. Clearings that together stay
  within what was authorised are such parts and add up; otherwise the latest corrects the others;
- a reversal of less than what was charged is partial: it lowers the amount, and the payment goes
  on. A clearing that comes after a reversal has it within its amount.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.ids import ConnectionId, PaymentId, ReceiptId, payment_id_of
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Conflicting, TooLarge
from chalicelib.network.identifiers import Identifier

EVENTS_PER_PAYMENT_MAX = 50  # Auth, clearing and a few partial refunds are usual; more is a fault.
REFUSED_MAX = 10  # Whoever was shown ten wrong receipts for one payment is not shown an eleventh.


class ConflictingPayment(Conflicting):
    """The bank sent this event before with other content."""

    code = "conflicting_payment"


class PaymentState(Enum):
    """Where the payment stands."""

    AUTHORISED = "authorised"
    CLEARED = "cleared"
    REVERSED = "reversed"
    REFUNDED = "refunded"  # in whole
    REFUND_ONLY = "refund_only"  # a refund whose purchase the bank did not name or we do not know


@dataclass(frozen=True, slots=True)
class ToldRefund:
    """A refund that the bank told of: its own name of it, how much, and when.

    `amount` is in the payment's currency wherever the bank says it in that one too.
    """

    name: str
    amount: Money
    at: datetime


_LIFE = {kind: position for position, kind in enumerate(PaymentEventKind)}


@dataclass(frozen=True, slots=True)
class Payment:
    """The events of one payment, oldest first.

    `anchored_at` is the time of sale in the first event we recorded. It never changes, so rows can
    be found by it. `refused` are receipts that were taken away from it and never come back by
    themselves.
    """

    payment_id: PaymentId
    connection_id: ConnectionId
    anchored_at: datetime
    events: tuple[PaymentEvent, ...]
    refused: tuple[ReceiptId, ...] = ()

    @property
    def is_given_up(self) -> bool:
        """Whether so many receipts were wrong that no machine looks for another."""
        return len(self.refused) >= REFUSED_MAX

    @property
    def _sale(self) -> PaymentEvent:
        """The latest event that says what was charged; of a bare refund, its first event."""
        charges = [e for e in self.events if e.kind is not PaymentEventKind.REFUNDED]
        told = [e for e in charges if e.kind is not PaymentEventKind.REVERSED] or charges
        return told[-1] if told else self.events[0]

    @property
    def transaction_id(self) -> str:
        """The provider's name of the purchase (not of a later refund)."""
        sale = self._sale
        return sale.refers_to or sale.transaction_id

    @property
    def amount(self) -> Money:
        """What the account was charged, by the latest word, less what was reversed in part.

        Of a payment that was reversed in whole, what it was before.
        """
        charged, reversed_minor = self._charged_minor, self._reversed_minor
        left = charged - reversed_minor if reversed_minor < charged else charged
        return Money(left, self._sale.amount.currency)

    @property
    def amounts(self) -> tuple[Money, ...]:
        """Every amount the till may have charged: authorised, cleared, in its own currency, and
        what is left after a reversal or comes of several clearings.
        """
        charges = [
            amount
            for event in self.events
            if event.kind in (PaymentEventKind.AUTHORISED, PaymentEventKind.CLEARED)
            for amount in (event.amount, event.local_amount)
            if amount is not None
        ]
        if charges:
            charges.append(self.amount)
        return tuple(dict.fromkeys(charges))

    @property
    def taken(self) -> tuple[Money, ...]:
        """What was cleared, in the account's money and in the till's own."""
        cleared = [event for event in self.events if event.kind is PaymentEventKind.CLEARED]
        told = [amount for e in cleared for amount in (e.amount, e.local_amount)]
        return tuple(dict.fromkeys(amount for amount in told if amount is not None))

    @property
    def refunds(self) -> tuple[ToldRefund, ...]:
        """What was given back, each refund once however often it was told, oldest first."""
        by_name: dict[str, ToldRefund] = {}
        for event in self.events:
            if event.kind is PaymentEventKind.REFUNDED:
                name = self._name_of_refund(event)
                by_name[name] = ToldRefund(name, self._in_own_currency(event), event.occurred_at)
        return tuple(by_name.values())

    @property
    def refunded_minor(self) -> int:
        """What was given back so far, in minor units of the account's currency, and of no other."""
        currency = self._sale.amount.currency
        return sum(one.amount.minor for one in self.refunds if one.amount.currency == currency)

    @property
    def state(self) -> PaymentState:
        """Where the payment stands, by all events together."""
        kinds = {event.kind for event in self.events}
        if kinds == {PaymentEventKind.REFUNDED}:
            return PaymentState.REFUND_ONLY
        if PaymentEventKind.REVERSED in kinds and self._reversed_minor >= self._charged_minor:
            return PaymentState.REVERSED
        if self.refunded_minor >= self.amount.minor > 0:
            return PaymentState.REFUNDED
        if PaymentEventKind.CLEARED in kinds:
            return PaymentState.CLEARED
        return PaymentState.AUTHORISED

    @property
    def names_no_sale(self) -> bool:
        """Whether it is a refund of which the bank does not say what it gives back."""
        return self.state is PaymentState.REFUND_ONLY and all(
            event.refers_to is None for event in self.events
        )

    @property
    def _charged_minor(self) -> int:
        """What was charged before any reversal: the last word, or all parts of what was cleared."""
        own = [e for e in self.events if e.amount.currency == self._sale.amount.currency]
        clearings = {
            (event.occurred_at, event.amount): event.amount.minor
            for event in own
            if event.kind is PaymentEventKind.CLEARED
        }
        together = sum(clearings.values())
        held = [e.amount.minor for e in own if e.kind is PaymentEventKind.AUTHORISED]
        if len(clearings) > 1 and held and together <= max(held):
            return together
        return self._sale.amount.minor

    @property
    def _reversed_minor(self) -> int:
        """What was reversed since the last clearing; one that came later has it within.

        Two of one time and amount are one that was told under two names, as with clearings.
        """
        cleared = [e.occurred_at for e in self.events if e.kind is PaymentEventKind.CLEARED]
        since = max(cleared, default=None)
        reversals = {
            (event.occurred_at, self._in_own_currency(event))
            for event in self.events
            if event.kind is PaymentEventKind.REVERSED
            and (since is None or event.occurred_at >= since)
        }
        currency = self._sale.amount.currency
        return sum(amount.minor for _, amount in reversals if amount.currency == currency)

    def _in_own_currency(self, event: PaymentEvent) -> Money:
        """How much, in the payment's currency where the event says it in that one too."""
        told, local, currency = event.amount, event.local_amount, self._sale.amount.currency
        if told.currency == currency or local is None or local.currency != currency:
            return told
        return local

    def _name_of_refund(self, event: PaymentEvent) -> str:
        """The refund's own transaction; a bank that gives it none names it by the event alone."""
        if event.refers_to is None and event.transaction_id == self.transaction_id:
            is_alone = all(e.kind is PaymentEventKind.REFUNDED for e in self.events)
            return event.transaction_id if is_alone else f"{event.transaction_id}#{event.event_key}"
        return event.transaction_id

    @property
    def made_at(self) -> datetime:
        """When the card was presented: a bank that books it later may name the time of that."""
        charged = (PaymentEventKind.AUTHORISED, PaymentEventKind.CLEARED)
        told = [event for event in self.events if event.kind in charged]
        return (told or self.events)[0].made_at

    @property
    def once_made_at(self) -> frozenset[datetime]:
        """Other times, to the second, that were or may have been taken for `made_at`."""
        moments = {self.anchored_at, *(event.made_at for event in self.events)}
        seconds = {moment.replace(microsecond=0) for moment in moments}
        return frozenset(seconds - {self.made_at.replace(microsecond=0)})

    @property
    def card(self) -> CardFacts:
        """What the bank knows of the card, from whichever event says it first."""
        facts = [event.card for event in self.events]
        return CardFacts(
            scheme=next((f.scheme for f in facts if f.scheme), None),
            last_four=next((f.last_four for f in facts if f.last_four), None),
            auth_code=next((f.auth_code for f in facts if f.auth_code), None),
        )

    @property
    def merchant(self) -> tuple[Identifier, ...]:
        """Every identifier any event gave."""
        return tuple(dict.fromkeys(i for event in self.events for i in event.merchant))

    @property
    def first_ref(self) -> PaymentEvent:
        """The event whose references (account, payer, path to tell) count."""
        return self._sale


def first_of(event: PaymentEvent) -> Payment:
    """The payment that begins with `event`."""
    return Payment(event.payment_id, event.connection_id, event.made_at, (event,))


def named_alone(event: PaymentEvent) -> Payment:
    """The payment that begins with `event` if it is known by the event's own id alone."""
    payment_id = payment_id_of(event.connection_id, event.transaction_id)
    return Payment(payment_id, event.connection_id, event.made_at, (event,))


def add_event(payment: Payment, event: PaymentEvent) -> Payment:
    """`payment` with `event`; the same payment where the event is known already.

    :raises ConflictingPayment: the same event came before with other content.
    :raises TooLarge: more events than any payment has.
    """
    key = _key(event)
    for known in payment.events:
        if _key(known) == key:
            if known.digest != event.digest:
                raise ConflictingPayment("the bank sent this event before with other content")
            return payment
    if len(payment.events) >= EVENTS_PER_PAYMENT_MAX:
        raise TooLarge("the payment has more events than any payment has")
    events = sorted((*payment.events, event), key=lambda e: (_LIFE[e.kind], e.occurred_at, _key(e)))
    return replace(payment, events=tuple(events))


def refuse(payment: Payment, receipt_id: ReceiptId) -> Payment:
    """`payment`, never to be joined with the receipt again; the same where that was said before."""
    if receipt_id in payment.refused:
        return payment
    return replace(payment, refused=(*payment.refused, receipt_id))


def accept(payment: Payment, receipt_id: ReceiptId) -> Payment:
    """`payment`, which a person says to be the receipt's after all."""
    if receipt_id not in payment.refused:
        return payment
    return replace(payment, refused=tuple(r for r in payment.refused if r != receipt_id))


def _key(event: PaymentEvent) -> tuple[str, str]:
    return (event.transaction_id, event.event_key)
