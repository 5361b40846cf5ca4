"""Bank accounts as values: a UK sort code with an account number, or an IBAN. They print as dots.

What is checked here is form: lengths, digits, and the IBAN's own check digits and structure by
country (ISO 13616). Whether a UK number can exist at its bank is the modulus check's matter.
"""

import re
from dataclasses import dataclass

from chalicelib.kernel.refusals import NotAllowed

SORT_CODE_DIGITS = 6
ACCOUNT_NUMBER_DIGITS = 8
HOLDER_CHARACTERS_MAX = 70  # What a pain.001 of SEPA carries; ISO 20022 itself allows 140.
IBAN_CHARACTERS_MAX = 34  # ISO 13616.
SHOWN_DIGITS = 4

_SORT_CODE = re.compile(r"[0-9]{6}|[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{2} [0-9]{2} [0-9]{2}")
_ACCOUNT_NUMBER = re.compile(r"[0-9]{6,8}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{10,30}")


class UnusableDestination(NotAllowed):
    """The account is not one that could be paid: its numbers have not the form they must have."""

    code = "unusable_destination"


@dataclass(frozen=True, slots=True, repr=False)
class SortCodeAccount:
    """An account in the United Kingdom: six digits of sort code, eight of account number.

    :raises UnusableDestination: it is not.
    """

    sort_code: str
    account_number: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{6}", self.sort_code):
            raise UnusableDestination("a sort code has six digits", field="sort_code")
        if not re.fullmatch(r"[0-9]{8}", self.account_number):
            raise UnusableDestination("an account number has eight digits", field="account_number")

    def __repr__(self) -> str:
        return "<account •••>"


@dataclass(frozen=True, slots=True, repr=False)
class IbanAccount:
    """An account by its IBAN in electronic form: upper case, no spaces."""

    iban: str

    def __repr__(self) -> str:
        return "<account •••>"


BankAccount = SortCodeAccount | IbanAccount


@dataclass(frozen=True, slots=True, repr=False)
class Destination:
    """The account to pay to, and its holder's name as the bank knows it (1 to 70 characters).

    :raises UnusableDestination: the name is none.
    """

    account: BankAccount
    holder: str

    def __post_init__(self) -> None:
        name = self.holder
        if not 0 < len(name) <= HOLDER_CHARACTERS_MAX or not name.isprintable() or name.isspace():
            raise UnusableDestination("the holder's name is missing or too long", field="holder")

    def __repr__(self) -> str:
        return "<destination •••>"

    @property
    def shown(self) -> str:
        """The last four digits, which is all that is ever shown of it (LOY-04)."""
        account = self.account
        number = account.iban if isinstance(account, IbanAccount) else account.account_number
        return number[-SHOWN_DIGITS:]

    @property
    def only_currency(self) -> str:
        """The one currency that can be paid to it by its numbers, or empty where others can.

        A sort code is known in pounds only; euros go by IBAN.
        """
        return "" if isinstance(self.account, IbanAccount) else "GBP"

    def takes(self, currency: str) -> bool:
        """Whether `currency` can be paid to it."""
        return self.only_currency in ("", currency)


def read_sort_code_account(sort_code: str, account_number: str) -> SortCodeAccount:
    """The account of numbers as people write them: `12-34-56`, `12 34 56`, fewer digits.

    Account numbers of six or seven digits are filled up with leading zeros, as the published rules
    of modulus checking say. Nine and ten digits mean different things at different banks: whoever
    has one asks the bank for the eight digits that it uses for transfers.

    :raises UnusableDestination: they are no sort code and account number.
    """
    if not _SORT_CODE.fullmatch(sort_code):
        raise UnusableDestination("a sort code has six digits", field="sort_code")
    if not _ACCOUNT_NUMBER.fullmatch(account_number):
        raise UnusableDestination("an account number has eight digits", field="account_number")
    return SortCodeAccount(
        re.sub(r"[- ]", "", sort_code), account_number.zfill(ACCOUNT_NUMBER_DIGITS)
    )


def read_iban(text: str) -> IbanAccount:
    """The account of an IBAN, spaces allowed: check digits, length and structure of its country.

    :raises UnusableDestination: it is no IBAN.
    """
    compact = text.replace(" ", "").upper()
    if len(compact) > IBAN_CHARACTERS_MAX or not _IBAN.fullmatch(compact):
        raise UnusableDestination("this is not an IBAN", field="iban")
    from stdnum import iban  # 0.1 s with its tables of countries, and rarely needed
    from stdnum.exceptions import ValidationError

    try:
        iban.validate(compact)
    except ValidationError as error:
        raise UnusableDestination("this is not an IBAN", field="iban") from error
    return IbanAccount(compact)
