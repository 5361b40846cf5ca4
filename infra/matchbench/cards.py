"""Members' cards, what bank and till say of them, and how telling it truly is that they agree."""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.matching.sides import Charge, Slip
from infra.matchbench.street import BankDigits, CodeFault, Digits, Street

NUMBERS = 10_000
CODES = 1_000_000
FEW_CODES = 50
CARDS_HELD = 2
STALE_SECONDS = 900.0  # A code of the sale before is met this long after it at most.
WALLET_HABIT = 0.8  # Who has a phone for it pays four times in five with it.
VISITS = 4  # Of a member to the same store, in the days played.
_FOURS = {
    kind: tuple(LastFour(f"{number:04d}", kind) for number in range(NUMBERS))
    for kind in LastFourKind
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member: the numbers that the cards and the phone end in."""

    member_id: str
    cards: tuple[int, ...]
    device: int
    has_wallet: bool


class Presented(NamedTuple):
    """A card at a till: the digits on the slip, on the plastic, and whose the card is."""

    printed: int
    is_device: bool
    card: int
    member: Member | None


class Cards:
    """Everything that is told of the cards on one street."""

    def __init__(self, street: Street, random: Random, name: str) -> None:
        self._street, self._random = street, random
        is_unknown = street.digits is Digits.KINDS_UNKNOWN
        self._card = _FOURS[LastFourKind.UNKNOWN if is_unknown else LastFourKind.CARD]
        device = {
            Digits.KINDS_KNOWN: LastFourKind.DEVICE,
            Digits.KINDS_UNKNOWN: LastFourKind.UNKNOWN,
            Digits.MISLABELLED: LastFourKind.CARD,
        }[street.digits]
        self._device = _FOURS[device]
        visits = street.sales_per_day * street.days * street.member_share
        self.members = [self._drawn(f"{name}-m{n}") for n in range(max(5, round(visits / VISITS)))]

    def _drawn(self, member_id: str) -> Member:
        number, chance = self._random.randrange, self._random.random
        cards = tuple(number(NUMBERS) for _ in range(CARDS_HELD))
        has_wallet = chance() < self._street.wallet_share / WALLET_HABIT
        return Member(member_id, cards, number(NUMBERS), has_wallet)

    def present(self, member: Member | None) -> Presented:
        """The card that somebody pays with."""
        chance = self._random.random
        if member is None:
            is_device = chance() < self._street.wallet_share
            return Presented(int(chance() * NUMBERS), is_device, 0, None)
        card = member.cards[0] if chance() < 0.85 else member.cards[1]
        is_device = member.has_wallet and chance() < WALLET_HABIT
        return Presented(member.device if is_device else card, is_device, card, member)

    def till_digits(self, presented: Presented) -> LastFour | None:
        """What the till prints of the card."""
        if self._random.random() >= self._street.till_digits_share:
            return None
        return (self._device if presented.is_device else self._card)[presented.printed]

    def bank_digits(self, presented: Presented) -> tuple[LastFour | None, tuple[LastFour, ...]]:
        """What the bank says with the payment, and of the member's registered cards."""
        told, member = self._street.bank_digits, presented.member
        if told is BankDigits.WITH_PAYMENT:
            return self._card[presented.card], ()
        if told is BankDigits.REGISTERED and member is not None:
            return None, tuple(self._card[card] for card in member.cards)
        return None, ()

    def draw_code(self) -> str:
        """The issuer's auth code, or one of the acquirer's few."""
        if self._street.code_fault is CodeFault.FEW and self._street.code_fault_share:
            return f"{1 + int(self._random.random() * FEW_CODES):06d}"
        return f"{1 + int(self._random.random() * (CODES - 1)):06d}"


def agreement(charge: Charge, slip: Slip, street: Street, *, counts: bool, later: float) -> float:
    """How many times likelier these card facts are on the charge's own slip than on a stranger's.

    `counts` says that the slip's till prints a counter of its own for auth codes; `later` is how
    many true seconds after the charge the slip was printed.
    """
    ratio = _of_digits(charge, slip, street)
    if charge.auth_code and slip.auth_code and not counts:
        ratio *= _of_codes(street, later, do_agree=charge.auth_code == slip.auth_code)
    if charge.mids and slip.mid and slip.mid not in charge.mids:
        return 0.0
    return ratio


def _of_digits(charge: Charge, slip: Slip, street: Street) -> float:
    printed = slip.last_four
    told = (charge.last_four,) if charge.last_four else charge.known_last_fours
    if printed is None or not told:
        return 1.0
    if printed.kind is LastFourKind.DEVICE:
        return 1.0
    shares = (1.0,) if len(told) == 1 else (0.85, 0.15)
    agree = sum(
        share for four, share in zip(told, shares, strict=True) if four.digits == printed.digits
    )
    if street.digits is Digits.KINDS_KNOWN:
        return agree * NUMBERS
    return (1 - street.wallet_share) * agree * NUMBERS + street.wallet_share


def _of_codes(street: Street, later: float, *, do_agree: bool) -> float:
    fault = street.code_mistyped_share
    codes, chance = CODES, 0.0
    if street.code_fault is CodeFault.FEW and street.code_fault_share:
        codes = FEW_CODES
    if street.code_fault is CodeFault.STALE:
        fault += street.code_fault_share
        if -60.0 < later < STALE_SECONDS:  # A stranger's slip may repeat this very code.
            chance = street.code_fault_share / max(1.0, street.sales_per_day / 50.0 / street.tills)
    if do_agree:
        return (1 - fault) / (1.0 / codes + chance)
    return fault
