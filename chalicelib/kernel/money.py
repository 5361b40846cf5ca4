"""Money: whole minor units of an ISO 4217 currency. No float ever becomes money.

Exponents are those of ISO 4217 (list one): most currencies have two decimals; those without, or
with three or four, stand below. Codes that are not circulating money (XAU, XXX, …) are unknown
here.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from chalicelib.kernel.refusals import NotAllowed

MINOR_MAX = 10**12  # Ten thousand million pounds: far above any purchase, far below 2**63.

_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP "
        "BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
        "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT "
        "LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
        "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
        "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED "
        "VES WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENT_BY_CURRENCY = {
    code: exponent for exponent, codes in _EXPONENTS.items() for code in codes.split()
}

_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)


class UnknownCurrency(NotAllowed):
    """The currency code is not an ISO 4217 code of circulating money."""

    code = "unknown_currency"


class NotMinorUnits(NotAllowed):
    """The amount is not a whole number of minor units of its currency, or is out of range."""

    code = "not_minor_units"


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`minor` whole minor units (pence, cents, yen) of `currency` (ISO 4217, upper case).

    :raises UnknownCurrency: the code is not in ISO 4217.
    :raises NotMinorUnits: `minor` is not an int or exceeds ±`MINOR_MAX`.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in EXPONENT_BY_CURRENCY:
            raise UnknownCurrency("the currency is not an ISO 4217 code in upper case")
        if type(self.minor) is not int or abs(self.minor) > MINOR_MAX:
            raise NotMinorUnits("the amount is not a whole number of minor units within range")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise NotAllowed("amounts of different currencies cannot be added")
        return other

    def to_decimal(self) -> Decimal:
        """The amount in major units, exactly: 1234 GBP pence is `Decimal('12.34')`."""
        return Decimal(self.minor).scaleb(-EXPONENT_BY_CURRENCY[self.currency])

    def to_text(self) -> str:
        """The amount in major units with the currency's own number of decimals: `12.34`."""
        return f"{self.to_decimal():.{EXPONENT_BY_CURRENCY[self.currency]}f}"


def parse_decimal(text: str, currency: str) -> Money:
    """Read major units written as decimal text (`"12.34"`, `"-3"`, `"150.0000"`) exactly.

    :raises NotMinorUnits: not plain decimal text, or finer than the currency's minor unit.
    :raises UnknownCurrency: the code is not in ISO 4217.
    """
    if currency not in EXPONENT_BY_CURRENCY:
        raise UnknownCurrency("the currency is not an ISO 4217 code in upper case")
    if not _DECIMAL.fullmatch(text):
        raise NotMinorUnits("the amount is not a plain decimal number")
    try:
        scaled = Decimal(text).scaleb(EXPONENT_BY_CURRENCY[currency])
    except InvalidOperation as error:
        raise NotMinorUnits("the amount is out of range") from error
    if scaled != scaled.to_integral_value():
        raise NotMinorUnits("the amount is finer than the currency's minor unit")
    return Money(int(scaled), currency)
