"""The register: every attribute of every row this platform can store, collected from the rows.

A row type cannot be defined without declaring its attributes (`runtime/rows.py`), so importing the
stores is enough to know everything. The simulation tells by it what a stored item is, and tests
hold it against what the stores write. It says of each attribute what a privacy notice has to say;
neither a notice nor a member's copy of their data is made from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.budgets import store as budgets_store
from chalicelib.ledger.adjusting import store as adjusting_store
from chalicelib.ledger.books import store as books_store
from chalicelib.ledger.closing import store as closing_store
from chalicelib.ledger.days import store as daybook_store
from chalicelib.loyalty.cards import store as cards_store
from chalicelib.loyalty.claims import store as claims_store
from chalicelib.loyalty.holding import store as holding_store
from chalicelib.loyalty.memberships import store as memberships_store
from chalicelib.loyalty.schemes import store as schemes_store
from chalicelib.matching import store as matching_store
from chalicelib.matching.timekeeping import store as timekeeping_store
from chalicelib.members import store as members_store
from chalicelib.members.connecting import store as connecting_store
from chalicelib.members.linking import store as linking_store
from chalicelib.members.subscribing import store as subscribing_store
from chalicelib.network import store as network_store
from chalicelib.network.access import store as access_store
from chalicelib.network.connections import store as connection_store
from chalicelib.network.signing import store as signing_store
from chalicelib.notices.launching import store as launching_store
from chalicelib.notices.log import store as notices_store
from chalicelib.offers.campaigns import store as campaigns_store
from chalicelib.offers.competitions import store as competitions_store
from chalicelib.offers.events import store as offer_events_store
from chalicelib.offers.participation import store as participation_store
from chalicelib.payouts import store as payouts_store
from chalicelib.payouts.destinations import store as destinations_store
from chalicelib.payouts.leavers import store as leavers_store
from chalicelib.payouts.netting import store as netting_store
from chalicelib.payouts.orders import store as orders_store
from chalicelib.payouts.paying import store as paying_store
from chalicelib.payouts.reconciling import store as reconciling_store
from chalicelib.privacy import store as privacy_store
from chalicelib.purchases import store as purchases_store
from chalicelib.purchases.codes import store as codes_store
from chalicelib.purchases.correcting import store as correcting_store
from chalicelib.purchases.payments import store as payments_store
from chalicelib.purchases.refunding import store as refunding_store
from chalicelib.rewards.inquiries import store as inquiries_store
from chalicelib.runtime import quarantine
from chalicelib.runtime.register import Kept, Retention
from chalicelib.runtime.rows import KEY_PRIVACY, Row, RowMeta
from chalicelib.tills import store as tills_store

STORES = (
    access_store,
    adjusting_store,
    books_store,
    budgets_store,
    campaigns_store,
    cards_store,
    claims_store,
    closing_store,
    competitions_store,
    codes_store,
    connecting_store,
    connection_store,
    correcting_store,
    daybook_store,
    destinations_store,
    holding_store,
    inquiries_store,
    launching_store,
    leavers_store,
    linking_store,
    matching_store,
    members_store,
    memberships_store,
    netting_store,
    network_store,
    notices_store,
    offer_events_store,
    orders_store,
    participation_store,
    paying_store,
    payments_store,
    payouts_store,
    privacy_store,
    purchases_store,
    quarantine,
    reconciling_store,
    refunding_store,
    schemes_store,
    signing_store,
    subscribing_store,
    tills_store,
    timekeeping_store,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One attribute of one row type: what it is, why it is kept, until when, how it is erased."""

    table: str
    row: str
    attribute: str
    kept: Kept
    retention: Retention


def entries() -> Iterator[Entry]:
    """Every attribute of every row type, by table, row and name."""
    for row_type in sorted(row_types(), key=lambda r: (r.Meta.table_name, r.__name__)):
        for attribute, kept in sorted((KEY_PRIVACY | dict(row_type.privacy)).items()):
            yield Entry(
                table=row_type.Meta.table_name,
                row=row_type.__name__,
                attribute=attribute,
                kept=kept,
                retention=row_type.retention,
            )


def row_types() -> list[type[Row]]:
    """The row types of the platform's own stores."""
    modules = {store.__name__ for store in STORES}
    return [row_type for row_type in RowMeta.row_types if row_type.__module__ in modules]
