"""Quarantine: whole, once, encrypted, without card numbers, and gone after thirty days."""

import os
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.refusals import Malformed
from chalicelib.runtime import observability, quarantine

CARD = "4111 1111 1111 1111"
REFUSAL = Malformed(f"not a number: {CARD}", field="items[3].amount", code="shape")


def keep(body: str, *, now: datetime, area: str = "receipts") -> str:
    """Keep `body` with what does not matter filled in."""
    return quarantine.keep(area, body, REFUSAL, sender="bean", now=now, name="R-1")


@pytest.mark.stores
def test_keeps_a_message_whole_with_its_reason(embedded_aws: None, now: datetime) -> None:
    kept = keep('{"a": 1}', now=now)

    assert quarantine.list_day(now.date(), now=now) == [
        quarantine.Quarantined(
            quarantine_id=kept,
            area="receipts",
            reason="shape",
            detail="not a number: [card number removed]",
            field="items[3].amount",
            sender="bean",
            name="R-1",
            kept_at=now,
            body='{"a": 1}',
        )
    ]


@pytest.mark.stores
def test_keeps_a_redelivered_message_once(embedded_aws: None, now: datetime) -> None:
    first = keep("a", now=now)
    again = keep("a", now=now + timedelta(minutes=5))
    other = keep("b", now=now)

    assert first == again != other
    assert len(quarantine.list_day(now.date(), now=now)) == 2


@pytest.mark.stores
@pytest.mark.requirement("RCP-05")
def test_keeps_no_card_number(embedded_aws: None, now: datetime) -> None:
    quarantine.keep("receipts", f"paid {CARD}", REFUSAL, sender="bean", now=now, name=CARD)

    (kept,) = quarantine.list_day(now.date(), now=now)
    assert (kept.body, kept.name) == ("paid [card number removed]", "[card number removed]")


@pytest.mark.stores
def test_shows_nothing_of_the_message_in_the_table(embedded_aws: None, now: datetime) -> None:
    keep("a pear for Ada", now=now)

    (row,) = quarantine.QuarantineRow.query(f"quarantine#{now.date().isoformat()}")
    assert b"Ada" not in row.sealed
    assert "Ada" not in str(row.serialize())


@pytest.mark.stores
@pytest.mark.parametrize(
    "body",
    [
        "\U0001f350" * 300_000,
        os.urandom(300_000).decode("latin-1"),
        "half \ud83c a character",
        "",
    ],
    ids=["wide", "incompressible", "unencodable", "empty"],
)
def test_keeps_any_text_as_far_as_it_fits(embedded_aws: None, now: datetime, body: str) -> None:
    keep(body, now=now)

    (kept,) = quarantine.list_day(now.date(), now=now)
    assert len(kept.body.encode()) <= quarantine.BODY_BYTES_MAX
    assert kept.body[:5] == body[:5]


@pytest.mark.stores
def test_forgets_after_thirty_days(embedded_aws: None, now: datetime) -> None:
    keep("a", now=now)

    last = now + timedelta(days=30) - timedelta(seconds=1)
    assert len(quarantine.list_day(now.date(), now=last)) == 1
    assert quarantine.list_day(now.date(), now=now + timedelta(days=30)) == []


def test_counts_what_it_keeps_by_area_and_reason(embedded_aws: None, now: datetime) -> None:
    heard: list[tuple[str, dict[str, str], int]] = []
    stop = observability.listen(lambda name, keys, by: heard.append((name, dict(keys), by)))

    keep("a", now=now)
    stop()
    keep("b", now=now)

    assert heard == [("quarantined", {"area": "receipts", "reason": "shape"}, 1)]
