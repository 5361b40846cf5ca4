"""The payment file of a day: ISO 20022 `pain.001.001.09`, customer credit transfer initiation.

Source: ISO 20022 message definition report of pain.001.001.09; limits of characters and lengths by
EPC132-08 (SEPA) and CGI-MP. One message with one block per file; every id follows from what is
paid, so the same payouts give the same bytes, and a bank that checks for duplicates sees one.

Pounds go by sort code and account number (`GBDSC`), anything else by IBAN.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TypeVar
from xml.etree import ElementTree as ET

from chalicelib.kernel.ids import natural_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.kernel.times import to_text
from chalicelib.payouts.destinations.accounts import (
    BankAccount,
    Destination,
    IbanAccount,
    SortCodeAccount,
)
from chalicelib.payouts.rails import iso_text
from chalicelib.payouts.rails.model import PayingAccount

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
PAYMENTS_PER_FILE_MAX = 10_000  # Banks split or refuse files of more.
_CLOSES_AT = time(12, tzinfo=UTC)
_UK_CLEARING = "GBDSC"  # ExternalClearingSystemIdentification1Code of UK sort codes.
_FILE_DIGITS = 12
_MESSAGE_ID = re.compile(r"CF[0-9]{8}-([a-z2-7]{12})-[1-9][0-9]{0,3}")


E = TypeVar("E")


class UnusableDebtor(NotAllowed):
    """The paying account is neither an IBAN nor a sort code with an account number."""

    code = "unusable_debtor"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment of a file. `payout_id` is its end-to-end id, which comes back in all reports."""

    payout_id: str
    amount: Money
    to: Destination
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """A file as the bank takes it, and what it adds up to."""

    message_id: str
    name: str
    payments: int
    total: Money
    content: bytes


def message_id_of(account: PayingAccount, day: date, part: int) -> str:
    """The id of a file: the same for the same account, day and part. 27 characters at most."""
    return f"CF{day:%Y%m%d}-{_account_digits(account)}-{part}"


def account_of(message_id: str, accounts: Sequence[PayingAccount]) -> PayingAccount | None:
    """Of `accounts` the one whose file has this id, or None."""
    found = _MESSAGE_ID.fullmatch(message_id)
    return next((one for one in accounts if found and _account_digits(one) == found[1]), None)


def day_of(message_id: str) -> date | None:
    """The day of the file of this id, or None where it is no id of ours."""
    try:
        return datetime.strptime(message_id[:10], "CF%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def parts_of(entries: Sequence[E]) -> tuple[Sequence[E], ...]:
    """A day's `entries`, in order of payout, cut into those of each file."""
    starts = range(0, len(entries), PAYMENTS_PER_FILE_MAX)
    return tuple(entries[first : first + PAYMENTS_PER_FILE_MAX] for first in starts)


def part_of(message_id: str, entries: Sequence[E]) -> Sequence[E]:
    """Those of a day's `entries`, in order of payout, that stand in the file of this id."""
    parts, number = parts_of(entries), int(message_id.rpartition("-")[2])
    return parts[number - 1] if number <= len(parts) else ()


def make_files(
    account: PayingAccount, day: date, parts: Sequence[Sequence[Transfer]]
) -> tuple[PaymentFile, ...]:
    """The files of a day, one of each part that pays anything; the same bytes for the same parts.

    :raises UnusableDebtor: the paying account has not the form that its currency needs.
    """
    return tuple(
        _make_file(account, day, number, sorted(part, key=lambda one: one.payout_id))
        for number, part in enumerate(parts, start=1)
        if part
    )


def _make_file(
    account: PayingAccount, day: date, part: int, transfers: Sequence[Transfer]
) -> PaymentFile:
    message_id = message_id_of(account, day, part)
    total = Money(sum(one.amount.minor for one in transfers), account.currency)
    root = ET.Element("Document", {"xmlns": NAMESPACE})
    body = ET.SubElement(root, "CstmrCdtTrfInitn")
    head = ET.SubElement(body, "GrpHdr")
    _text(head, "MsgId", message_id)
    _text(head, "CreDtTm", to_text(datetime.combine(day, _CLOSES_AT)))
    _text(head, "NbOfTxs", str(len(transfers)))
    _text(head, "CtrlSum", total.to_text())
    _text(ET.SubElement(head, "InitgPty"), "Nm", _name(account.holder))
    block = _add_block(body, account, day, message_id, len(transfers), total)
    for one in transfers:
        _add_transfer(block, one)
    ET.indent(root)
    content = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return PaymentFile(message_id, f"{message_id}.xml", len(transfers), total, content)


def _add_block(
    body: ET.Element, account: PayingAccount, day: date, message_id: str, count: int, total: Money
) -> ET.Element:
    block = ET.SubElement(body, "PmtInf")
    _text(block, "PmtInfId", message_id)
    _text(block, "PmtMtd", "TRF")
    _text(block, "BtchBookg", "false")  # Each payment is booked by itself, and so reported.
    _text(block, "NbOfTxs", str(count))
    _text(block, "CtrlSum", total.to_text())
    level = ET.SubElement(ET.SubElement(block, "PmtTpInf"), "SvcLvl")
    _text(level, "Cd", "SEPA" if account.currency == "EUR" else "NURG")
    _text(ET.SubElement(block, "ReqdExctnDt"), "Dt", day.isoformat())
    debtor = ET.SubElement(block, "Dbtr")
    _text(debtor, "Nm", _name(account.holder))
    debited = _debtor_account(account)
    holder = ET.SubElement(block, "DbtrAcct")
    _add_account(holder, debited)
    _text(holder, "Ccy", account.currency)
    _add_agent(block, "DbtrAgt", debited, bic=account.bic)
    _text(block, "ChrgBr", "SLEV" if account.currency == "EUR" else "SHAR")
    return block


def _add_transfer(block: ET.Element, one: Transfer) -> None:
    transfer = ET.SubElement(block, "CdtTrfTxInf")
    ids = ET.SubElement(transfer, "PmtId")
    _text(ids, "InstrId", one.payout_id)
    _text(ids, "EndToEndId", one.payout_id)
    amount = ET.SubElement(ET.SubElement(transfer, "Amt"), "InstdAmt", {"Ccy": one.amount.currency})
    amount.text = one.amount.to_text()
    if isinstance(one.to.account, SortCodeAccount):
        _add_agent(transfer, "CdtrAgt", one.to.account, bic="")
    _text(ET.SubElement(transfer, "Cdtr"), "Nm", _name(one.to.holder))
    _add_account(ET.SubElement(transfer, "CdtrAcct"), one.to.account)
    said = iso_text.to_latin(one.reference, characters_max=iso_text.REMITTANCE_CHARACTERS_MAX)
    _text(ET.SubElement(transfer, "RmtInf"), "Ustrd", said)


def _add_account(parent: ET.Element, account: BankAccount) -> None:
    named = ET.SubElement(parent, "Id")
    if isinstance(account, IbanAccount):
        _text(named, "IBAN", account.iban)
        return
    other = ET.SubElement(named, "Othr")
    _text(other, "Id", account.account_number)
    _text(ET.SubElement(other, "SchmeNm"), "Cd", "BBAN")


def _add_agent(parent: ET.Element, tag: str, account: BankAccount, *, bic: str) -> None:
    """The bank of an account: by BIC, by sort code, or as EPC132-08 says where neither is known."""
    institution = ET.SubElement(ET.SubElement(parent, tag), "FinInstnId")
    if bic:
        _text(institution, "BICFI", bic)
    if isinstance(account, SortCodeAccount):
        member = ET.SubElement(institution, "ClrSysMmbId")
        _text(ET.SubElement(member, "ClrSysId"), "Cd", _UK_CLEARING)
        _text(member, "MmbId", account.sort_code)
    elif not bic:
        _text(ET.SubElement(institution, "Othr"), "Id", "NOTPROVIDED")


def _debtor_account(account: PayingAccount) -> BankAccount:
    sort_code, _, number = account.account.partition(" ")
    if sort_code.isdecimal() and number.isdecimal():
        return SortCodeAccount(sort_code, number)
    if not account.account[:2].isalpha():
        raise UnusableDebtor("the paying account is neither an IBAN nor sort code and number")
    return IbanAccount(account.account)


def _account_digits(account: PayingAccount) -> str:
    return natural_id("payment_file", account.connection_id, account.currency)[:_FILE_DIGITS]


def _name(name: str) -> str:
    return iso_text.to_latin(name, characters_max=iso_text.NAME_CHARACTERS_MAX)


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
