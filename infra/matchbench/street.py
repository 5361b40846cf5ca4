"""What a benchmark's high street is like: every parameter that a scenario may change.

All of them are assumptions. Real tills are known to be worse in ways nobody has measured in public.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

DAY_SECONDS = 86_400
STARTS_AT = datetime(2026, 10, 5, tzinfo=UTC).timestamp()  # A Monday, three weeks before...
SUMMER_TIME_ENDS_AT = datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp()  # ...02:00 is 01:00 again.


class Jitter(Enum):
    """How the time on a slip scatters around the till's clock. The matcher assumes the first."""

    GAUSSIAN = "gaussian"
    LAPLACE = "laplace"
    EXPONENTIAL = "exponential"  # one-sided: the slip comes after the card, never before
    BURSTS = "bursts"  # the line drops: what was sold meanwhile is stamped when it is back
    MINUTES = "minutes"  # the till prints no seconds


class SummerTime(Enum):
    """What tills do in the night in which summer time ends."""

    NOT_THEN = "not_then"
    RIGHT = "right"
    FORGOTTEN = "forgotten"  # they go on in summer time until somebody sets them
    FOLDED = "folded"  # they print no zone, and the second 01:30 is read as the first


class Digits(Enum):
    """What the two sides say of which number the last four digits end."""

    KINDS_KNOWN = "kinds_known"
    KINDS_UNKNOWN = "kinds_unknown"
    MISLABELLED = "mislabelled"  # the till calls a phone's device number a card's


class BankDigits(Enum):
    """What the bank says of the digits."""

    WITH_PAYMENT = "with_payment"
    REGISTERED = "registered"  # only the digits of the member's two cards, as they were registered
    NONE = "none"


class CodeFault(Enum):
    """What tills with a fault print as the auth code."""

    COUNTER = "counter"  # a number of their own
    STALE = "stale"  # the code of the sale before
    FEW = "few"  # the acquirer deals the same few codes again and again; both sides see those


class Tips(Enum):
    """How a tip shows. It is added to the charge after the sale."""

    WITHIN = "within"  # the till knows it, and its amount includes it
    BESIDE = "beside"  # the till knows it beside its amount
    UNTOLD = "untold"  # the till does not know it, the bank says the whole only
    AUTHORISED = "authorised"  # the till does not know it, the bank says both amounts


class Arrival(Enum):
    """When receipts reach us."""

    LIVE = "live"
    QUARTER_HOURS = "quarter_hours"
    END_OF_DAY = "end_of_day"


@dataclass(frozen=True, slots=True)
class Street:
    """A street. Shares are of 1, times in seconds, `per_day` is for one store."""

    # Trade. Cash is not here: its receipts name no card tender, so they are no slips.
    sales_per_day: float = 900.0
    days: int = 14
    member_share: float = 0.12
    price_points: int = 15
    items_max: int = 3
    free_form_share: float = 0.15  # by weight, by meter: amounts that are no sum of price points
    stores_together: int = 1  # stores that the bank cannot tell apart
    by_night: bool = False

    # The tills' clocks.
    skew_seconds: float = 75.0  # standard deviation of a till's offset
    drift_seconds_a_day: float = 0.0  # at most, to either side
    hours_wrong_share: float = 0.0  # tills wrong by whole hours
    set_wrong_a_day: float = 0.0  # chance that a till is set wrong and, hours later, right again
    set_wrong_by_seconds: float = 600.0
    local_as_utc_share: float = 0.0  # tills that call British summer time UTC
    summer_time: SummerTime = SummerTime.NOT_THEN

    # From card to slip.
    jitter: Jitter = Jitter.GAUSSIAN
    jitter_seconds: float = 6.0
    tail_share: float = 0.0  # sales whose slip comes late: tabs, fuel
    tail_seconds: float = 60.0  # its mean
    preauthorised: bool = False  # the charge names a round amount reserved first, too

    # What is told of the card.
    till_digits_share: float = 0.0
    bank_digits: BankDigits = BankDigits.WITH_PAYMENT
    digits: Digits = Digits.KINDS_KNOWN
    wallet_share: float = 0.0
    till_code_share: float = 0.0
    bank_code_share: float = 1.0
    code_fault: CodeFault = CodeFault.COUNTER
    code_fault_share: float = 0.0  # of tills for COUNTER, of sales for STALE
    code_mistyped_share: float = 0.001
    has_mids: bool = False  # both sides name the store's merchant id

    # What happens to sales.
    missing_receipt_share: float = 0.01
    missing_payment_share: float = 0.0
    tip_share: float = 0.0
    tips: Tips = Tips.UNTOLD
    split_share: float = 0.0
    foreign_share: float = 0.0
    sent_twice_share: float = 0.0
    sent_twice_apart_seconds: float = 0.0
    return_share: float = 0.0
    linked_return_share: float = 0.0
    refund_later_seconds: float = 0.0  # mean time from the till's return to the bank's refund
    arrival: Arrival = Arrival.LIVE

    @property
    def starts_at(self) -> float:
        """UNIX seconds of the first midnight."""
        if self.summer_time is SummerTime.NOT_THEN:
            return STARTS_AT
        return SUMMER_TIME_ENDS_AT - 3_600 - (self.days - 2) * DAY_SECONDS

    @property
    def tills(self) -> int:
        """Tills in a store: one for each 225 sales, as in the first published benchmark."""
        return max(1, min(16, round(self.sales_per_day / 225)))

    @property
    def has_changed_amounts(self) -> bool:
        """Whether banks name other amounts than the till took."""
        return bool(self.tip_share or self.foreign_share or self.preauthorised)

    @property
    def told_share(self) -> float:
        """The share of card sales that a bank tells us of."""
        return self.member_share * (1 - self.missing_payment_share)

    @property
    def has_card_facts(self) -> bool:
        """Whether most sales carry an auth code on both sides, or digits of one kind."""
        codes = self.till_code_share * self.bank_code_share
        if self.code_fault_share:
            codes = 0.0 if self.code_fault is CodeFault.FEW else codes * (1 - self.code_fault_share)
        digits = self.till_digits_share * (1 - self.wallet_share)
        kinds_agree = self.digits is Digits.KINDS_KNOWN and self.bank_digits is not BankDigits.NONE
        return codes > 0.5 or (kinds_agree and digits > 0.5)
