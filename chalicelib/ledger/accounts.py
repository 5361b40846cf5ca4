"""The chart of accounts: every account a leg may name, and whose it is.

    retailer#<id>#funding        what the retailer was invoiced and has not paid (below nought)
    campaign#<id>#liability      what the campaign gave and was not invoiced yet (below nought)
    member#<id>#pending          given, and may still be taken back by a return
    member#<id>#available        payable; below nought where more was taken back than was there
    member#<id>#in_payment       instructed, and not known to be paid
    member#<id>#paid             paid, in all
    member#<id>#returned         payments that came back, in all (below nought)
    member#<id>#written_off      debts of the member that nobody will collect (below nought)
    platform#bank                money that retailers paid in (below nought: we hold it)
    platform#rounding            stays empty: amounts are whole before they become entries
    platform#adjustments         the other side of what a person corrected

What belongs to a member is above nought where the member is owed it or had it, so that the accounts
of one member add up to what the member earned.
"""

from enum import Enum

from chalicelib.kernel.ids import MemberId, RetailerId

PLATFORM_BANK = "platform#bank"
PLATFORM_ROUNDING = "platform#rounding"
PLATFORM_ADJUSTMENTS = "platform#adjustments"
_PLATFORM = frozenset({PLATFORM_BANK, PLATFORM_ROUNDING, PLATFORM_ADJUSTMENTS})


class Holding(Enum):
    """The accounts of one member."""

    PENDING = "pending"
    AVAILABLE = "available"
    IN_PAYMENT = "in_payment"
    PAID = "paid"
    RETURNED = "returned"
    WRITTEN_OFF = "written_off"


_HOLDINGS = frozenset(holding.value for holding in Holding)


def member_owner(member_id: MemberId) -> str:
    """Whose book a member's entries stand in."""
    return f"member#{member_id}"


def retailer_owner(retailer_id: RetailerId) -> str:
    """Whose book a retailer's entries stand in: invoices, and what was paid in."""
    return f"retailer#{retailer_id}"


def member_account(member_id: MemberId, holding: Holding) -> str:
    """One of a member's accounts."""
    return f"{member_owner(member_id)}#{holding.value}"


def funding_account(retailer_id: RetailerId) -> str:
    """What a retailer was invoiced and has not paid."""
    return f"{retailer_owner(retailer_id)}#funding"


def liability_account(campaign_id: str) -> str:
    """What a campaign gave and was not invoiced yet."""
    return f"campaign#{campaign_id}#liability"


def is_account(name: str) -> bool:
    """Whether the chart of accounts has an account of this name."""
    kind, _, rest = name.partition("#")
    whose, _, which = rest.rpartition("#")
    match kind:
        case "platform":
            return name in _PLATFORM
        case "member":
            return bool(whose) and which in _HOLDINGS
        case "campaign":
            return bool(whose) and which == "liability"
        case "retailer":
            return bool(whose) and which == "funding"
        case _:
            return False
