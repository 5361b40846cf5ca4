"""What a bank reports of a payment file: `pain.002` (status) and `camt.054` (debits and credits).

Source: ISO 20022 message definition reports of pain.002.001.03 to .15 and camt.054.001.02 to .13.
The elements read here are the same in all of them, but for the status of an entry: text in old
versions, a choice in new ones. Payments are known by the end-to-end id, which is the payout's own;
a status of a whole file or block is one of every payment in it that is not named by itself. A
debit of a whole file names no payment: its amount has to be the sum of those that it paid.

`RJCT`, `CANC` and `BLCK` mean that it was not paid; `ACSC` and `ACCC` that our account was debited;
any other word that the bank has it. An entry of `camt.054` counts once it is booked: a debit is the
payment, a credit that names one is its return. Entries are told apart by the bank's own reference
(`AcctSvcrRef`), and where it gives none, by message and place. The amount of an entry is that of
its payment only where it has one payment.

XML with a document type is refused: none of these messages has one, and attacks do.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import partial
from xml.etree import ElementTree as ET

from chalicelib.kernel.money import Money, parse_decimal
from chalicelib.kernel.refusals import Malformed, NotAllowed, TooLarge
from chalicelib.kernel.times import parse_instant
from chalicelib.payouts.model import Accepted, Executed, Failed, Outcome, Reported, Returned

REPORT_BYTES_MAX = 50_000_000
RAIL = "iso20022"
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
_REFUSED = {"RJCT", "CANC", "BLCK"}
_DEBITED = {"ACSC", "ACCC"}
_START_OF_DAY = time(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FileReported:
    """One line about a whole file or block of ours: it holds for all of its payments but `named`,
    of which the same report speaks by themselves. `amount` is what was debited for all of them.
    """

    report_id: str
    message_id: str
    outcome: Outcome
    at: datetime
    amount: Money | None = None
    named: frozenset[str] = frozenset()
    booking: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that cannot be read: of what it speaks, and which element of it is odd."""

    report_id: str
    payout_id: str
    field: str


Line = Reported | FileReported | Unread


def read_report(content: bytes) -> tuple[Line, ...]:
    """What the report says, line by line, in its order. An odd line does not lose the others.

    :raises TooLarge: over 50 MB. :raises Malformed: not XML, or none of these messages.
    """
    if len(content) > REPORT_BYTES_MAX:
        raise TooLarge("the report is over 50 MB")
    root = _parse(content)
    kind = root.tag.removeprefix("{" + _NAMESPACE).partition("}")[0]
    _strip_namespaces(root)
    if kind.startswith("pain.002."):
        return tuple(_read_status(root))
    if kind.startswith("camt.054."):
        return tuple(_told_apart(_read_notification(root)))
    raise Malformed("the report is neither a pain.002 nor a camt.054")


def _read_status(root: ET.Element) -> Iterator[Line]:
    report_id = _said(root, "CstmrPmtStsRpt/GrpHdr/MsgId")
    made_at = _instant(_said(root, "CstmrPmtStsRpt/GrpHdr/CreDtTm"))
    group = root.find("CstmrPmtStsRpt/OrgnlGrpInfAndSts")
    message_id = _said(group, "OrgnlMsgId")
    named: set[str] = set()
    for block in root.iterfind("CstmrPmtStsRpt/OrgnlPmtInfAndSts"):
        for one in block.iterfind("TxInfAndSts"):
            payout_id = _said(one, "OrgnlEndToEndId") or _said(one, "OrgnlInstrId")
            if payout_id and _said(one, "TxSts"):
                named.add(payout_id)
                why = _reason(one) or _reason(block) or _reason(group)
                told = partial(_told, one, payout_id, why, report_id, made_at)
                yield _or_unread(told, report_id, payout_id)
        if message_id and (refused := _refused(block, "PmtInfSts", group)):
            yield FileReported(report_id, message_id, refused, _at(made_at), None, frozenset(named))
    if message_id and (refused := _refused(group, "GrpSts", None)):
        yield FileReported(report_id, message_id, refused, _at(made_at), None, frozenset(named))


def _or_unread(read: Callable[[], Line], report_id: str, payout_id: str) -> Line:
    try:
        return read()
    except Malformed as odd:
        return Unread(report_id, payout_id, odd.field or "")


def _told(
    one: ET.Element, payout_id: str, reason: str, report_id: str, made_at: datetime | None
) -> Reported:
    """What a status says of one payment."""
    status = _said(one, "TxSts")
    outcome: Outcome = Accepted(payout_id)
    if status in _REFUSED:
        outcome = Failed(reason or "not_said", is_final=True)
    elif status in _DEBITED:
        outcome = Executed(payout_id, _at(_instant(_said(one, "AccptncDtTm")) or made_at))
    amount = _amount(one.find("OrgnlTxRef/Amt/InstdAmt"))
    return Reported(report_id, RAIL, payout_id, outcome, amount, _at(made_at))


def _refused(said: ET.Element | None, tag: str, above: ET.Element | None) -> Failed | None:
    """A status of a file or block. Only a refusal says something of each payment in it."""
    if _said(said, tag) not in _REFUSED:
        return None
    return Failed(_reason(said) or _reason(above) or "not_said", is_final=True)


def _told_apart(lines: Iterable[Line]) -> Iterator[Line]:
    """The second line of a notice about a payment is another one, and so is its entry."""
    seen: Counter[tuple[str, ...]] = Counter()
    for line in lines:
        if isinstance(line, Unread):
            yield line
            continue
        named = line.payout_id if isinstance(line, Reported) else line.message_id
        word = type(line.outcome).__name__
        seen.update([(named,), (named, word, line.booking)])
        report_id = _numbered(line.report_id, seen[(named,)])
        booking = _numbered(line.booking, seen[(named, word, line.booking)])
        yield replace(line, report_id=report_id, booking=booking if line.booking else report_id)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}/{number}"


def _read_notification(root: ET.Element) -> Iterator[Line]:
    report_id = _said(root, "BkToCstmrDbtCdtNtfctn/GrpHdr/MsgId")
    made_at = _said(root, "BkToCstmrDbtCdtNtfctn/GrpHdr/CreDtTm")
    for entry in root.iterfind("BkToCstmrDbtCdtNtfctn/Ntfctn/Ntry"):
        status = _said(entry, "Sts/Cd") or _said(entry, "Sts")
        if status == "BOOK":
            yield from _read_entry(entry, report_id, made_at)


def _read_entry(entry: ET.Element, report_id: str, made_at: str) -> Iterator[Line]:
    every = entry.findall("NtryDtls")
    is_of_one = len(entry.findall("NtryDtls/TxDtls")) == 1
    for details in every:
        found = list(details.iterfind("TxDtls"))
        for one in found:
            payout_id = _said(one, "Refs/EndToEndId") or _said(one, "Refs/InstrId")
            if payout_id and payout_id != "NOTPROVIDED":
                whole = entry.find("Amt") if is_of_one else None
                booked = partial(_booked, entry, one, whole, report_id, payout_id, made_at)
                yield _or_unread(booked, report_id, payout_id)
        message_id = _said(details, "Btch/MsgId") or _said(details, "Btch/PmtInfId")
        if not found and message_id and _said(entry, "CdtDbtInd") == "DBIT":
            whole = entry.find("Amt") if len(every) == 1 else details.find("Btch/TtlAmt")
            debited = partial(_debited, entry, whole, report_id, message_id, made_at)
            yield _or_unread(debited, report_id, message_id)


def _booked(
    entry: ET.Element,
    one: ET.Element,
    whole: ET.Element | None,
    report_id: str,
    payout_id: str,
    made_at: str,
) -> Reported:
    """What an entry says of one payment. Version 02 has its amount among the details."""
    at = _booked_at(entry, made_at)
    amount = _amount(one.find("Amt")) or _amount(one.find("AmtDtls/TxAmt/Amt")) or _amount(whole)
    booking = _said(entry, "AcctSvcrRef") or _said(one, "Refs/AcctSvcrRef")
    outcome = _outcome_of_entry(entry, one, payout_id, at)
    return Reported(report_id, RAIL, payout_id, outcome, amount, at, booking)


def _debited(
    entry: ET.Element, whole: ET.Element | None, report_id: str, message_id: str, made_at: str
) -> FileReported:
    at = _booked_at(entry, made_at)
    debited = FileReported(report_id, message_id, Executed("", at), at, _amount(whole))
    return replace(debited, booking=_said(entry, "AcctSvcrRef"))


def _outcome_of_entry(
    entry: ET.Element, details: ET.Element, payout_id: str, at: datetime
) -> Outcome:
    """A debit is the payment itself; a credit under its id is the money coming back.

    Which way the money went is what counts. A debit that is called a reversal (`RvslInd`) reverses
    a credit: what had come back has left again.
    """
    match _said(details, "CdtDbtInd") or _said(entry, "CdtDbtInd"):
        case "DBIT":
            return Executed(payout_id, at)
        case "CRDT":
            reason = _said(details, "RtrInf/Rsn/Cd") or _said(details, "RtrInf/Rsn/Prtry")
            return Returned(reason or "not_said", at)
    raise Malformed("a booked entry does not say which way the money went", field="CdtDbtInd")


def _booked_at(entry: ET.Element, made_at: str) -> datetime:
    """When it was booked, as far as the entry says, else when the notice was made."""
    exact = _instant(_said(entry, "BookgDt/DtTm"))
    day = _said(entry, "BookgDt/Dt") or _said(entry, "ValDt/Dt")
    if exact is not None:
        return exact
    if not day:
        return _at(_instant(made_at))
    try:
        return datetime.combine(date.fromisoformat(day[:10]), _START_OF_DAY)
    except ValueError as error:
        raise Malformed("a booked entry has no date", field="BookgDt") from error


def _reason(said: ET.Element | None) -> str:
    return _said(said, "StsRsnInf/Rsn/Cd") or _said(said, "StsRsnInf/Rsn/Prtry")


def _amount(said: ET.Element | None) -> Money | None:
    if said is None:
        return None
    try:
        return parse_decimal((said.text or "").strip(), said.get("Ccy", ""))
    except NotAllowed as error:
        raise Malformed("an amount is not one of its currency", field="Amt") from error


def _instant(text: str) -> datetime | None:
    """An ISODateTime. Without an offset it is the bank's local time; UTC is near enough here."""
    if not text:
        return None
    has_offset = text.endswith("Z") or "+" in text[10:] or "-" in text[10:]
    return parse_instant(text if has_offset else f"{text}Z")


def _at(instant: datetime | None) -> datetime:
    if instant is None:
        raise Malformed("the report does not say when it was made", field="CreDtTm")
    return instant


def _said(said: ET.Element | None, path: str) -> str:
    text = said.findtext(path, "") if said is not None else ""
    return (text or "").strip()


class _WithoutDocumentType(ET.TreeBuilder):
    """Refuses a document type before anything that it declares is looked at."""

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        """:raises Malformed: always."""
        raise Malformed("the report has a document type", code="not_xml")


def _parse(content: bytes) -> ET.Element:
    parser = ET.XMLParser(target=_WithoutDocumentType())
    try:
        parser.feed(content)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Malformed("the report is not XML", code="not_xml") from error
    try:
        root: ET.Element = parser.close()
    except ET.ParseError as error:
        raise Malformed("the report is not XML", code="not_xml") from error
    return root


def _strip_namespaces(root: ET.Element) -> None:
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
