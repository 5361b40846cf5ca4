"""Codes by which claims are collected at a till.

A code is a keyed hash of its claim: nothing has to be remembered to show it again, and nobody can
guess one. Twelve letters of base32 are 60 bits; only the retailer's own tills may ask for one.
"""

from datetime import datetime

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.claims import store
from chalicelib.loyalty.claims.store import CodeOwner
from chalicelib.loyalty.rules import Scheme
from chalicelib.runtime import vault

CODE_LENGTH = 12
_QR = "counterfoil:claim:{retailer}:{code}"


def code_of(member_id: MemberId, scheme_id: str, claim_id: str) -> str:
    """The code of a claim: twelve capital letters and digits, the same for ever."""
    return vault.lookup_key("claim", member_id, scheme_id, claim_id)[:CODE_LENGTH].upper()


def qr_of(retailer_id: RetailerId, code: str) -> str:
    """What a QR code of the claim says."""
    return _QR.format(retailer=retailer_id, code=code)


def tidy(code: str) -> str:
    """`code` as scanned or typed: blanks and hyphens are for people, and so is the case."""
    return code.rpartition(":")[2].replace("-", "").replace(" ", "").upper()


def let_be_found(holder: Holder, scheme: Scheme, claim_id: str, *, now: datetime) -> None:
    """Let the claim be found by its code; again is the same."""
    code = code_of(holder.member_id, holder.scheme_id, claim_id)
    owner = CodeOwner(holder.member_id, holder.scheme_id, claim_id)
    store.record_code(scheme.retailer_id, code, owner, now=now)
