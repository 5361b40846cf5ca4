"""A hamper that Bean & Leaf gives away, and members of Harbour Bank who enter. All invented."""

from dataclasses import replace
from datetime import UTC, datetime

from chalicelib.members.model import Member
from chalicelib.offers.competitions import service
from chalicelib.offers.competitions.model import Competition, Entry, competition_id_of
from tests.makers.members import numbered
from tests.makers.receipts import RETAILER

OPENED_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
STARTS_AT = datetime(2026, 12, 1, tzinfo=UTC)
LIVE_AT = datetime(2026, 12, 5, 9, 30, tzinfo=UTC)
ENDS_AT = datetime(2026, 12, 18, tzinfo=UTC)
KNOWN_AT = datetime(2026, 12, 19, 21, 0, tzinfo=UTC)
HAMPER = competition_id_of(RETAILER.retailer_id, "hamper")
SEED = "3 11 19 24 41 52"
BY = "arn:aws:iam::000000000000:user/eve"


def competition(reference: str = "hamper", **more: object) -> Competition:
    """Three hampers, in December; the Lotto of the nineteenth decides."""
    made = Competition(
        competition_id=competition_id_of(RETAILER.retailer_id, reference),
        retailer_id=RETAILER.retailer_id,
        reference=reference,
        title="A hamper for Christmas",
        prize="One of three hampers.",
        terms="One entry each.",
        terms_version="2026-12",
        starts_at=STARTS_AT,
        ends_at=ENDS_AT,
        seed_source="The Lotto of 19 December 2026.",
        seed_known_at=KNOWN_AT,
        winners=3,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def run(*several: Competition) -> None:
    """Write `several`; they begin by the clock."""
    for one in several or (competition(),):
        service.write_draft(one, now=OPENED_AT)


def entry_id(number: int) -> str:
    """A number that differs for every `number` up to 155, and is no member's id."""
    return numbered(100 + number).member_id


def enter(member: Member, number: int, *, at: datetime = LIVE_AT, of: str = HAMPER) -> Entry:
    """`member` enters under the number of `number`."""
    return service.enter(member, of, "2026-12", entry_id=entry_id(number), now=at)
