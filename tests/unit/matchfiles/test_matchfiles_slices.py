"""A store that is too large is matched in slices of time: what two slices say of one receipt."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infra.matchfiles.buckets import Spreader
from infra.matchfiles.deciding import CLAIMS, disputed_payments
from infra.matchfiles.job import Scale, plan
from infra.matchfiles.rows import ClaimRow
from tests.makers.matchfiles import answers, run_match, write_lines

OPENS = datetime(2026, 11, 20, 6, tzinfo=UTC)
SALES = 300


def told_twice(folder: Path) -> tuple[Path, Path]:
    """Sales of one store within half a day; every other is paid by a member whose bank tells of
    the authorisation and of the clearing under two ids.
    """
    random = Random(3)
    payments: list[dict[str, Any]] = []
    receipts: list[dict[str, Any]] = []
    for number in range(SALES):
        at = OPENS + timedelta(seconds=150 * number)
        minor = random.randrange(300, 9_000)
        sale = {"store": "0042", "currency": "GBP", "auth_code": f"{100_000 + number}"}
        paid = {**sale, "member": f"M-{number}", "at": at.isoformat(), "amount_minor": minor}
        printed = (at + timedelta(seconds=2)).isoformat()
        receipts.append({**sale, "id": f"R-{number}", "at": printed, "total_minor": minor})
        if number % 2 == 0:
            payments.append({**paid, "id": f"A-{number}", "kind": "auth"})
            payments.append({**paid, "id": f"C-{number}", "kind": "clearing"})
    return write_lines(folder / "p.jsonl", payments), write_lines(folder / "r.jsonl", receipts)


@pytest.mark.requirement("RCP-11")
def test_an_authorisation_and_its_clearing_are_no_rivals_where_a_store_is_sliced(
    tmp_path: Path,
) -> None:
    paid, sold = told_twice(tmp_path)
    out = tmp_path / "m.jsonl"

    run_match(paid, sold, out, scale=Scale(rows_together_max=100))

    found = {one["payment_id"]: (one["receipt_id"], one["reason"]) for one in answers(out)}
    assert found == {
        name: outcome
        for number in range(0, SALES, 2)
        for name, outcome in (
            (f"A-{number}", (f"R-{number}", "card_facts_agree")),
            (f"C-{number}", (f"R-{number}", "same_purchase")),
        )
    }


def disputed(folder: Path, *claims: ClaimRow) -> list[int]:
    """Which payments lose their receipt where a store's slices claimed these."""
    nothing = folder / "empty.jsonl"
    nothing.touch()
    job = plan(nothing, nothing, folder, threshold=0.999, scale=Scale())
    with Spreader(job.folder, CLAIMS) as rows:
        for claim in claims:
            rows.add("store", claim)
    return disputed_payments(job, "store")


def test_one_purchase_disputes_nothing_with_itself(tmp_path: Path) -> None:
    auth, cleared = ClaimRow(10, 1, 70), ClaimRow(20, 2, 70, is_same_purchase=True)

    assert disputed(tmp_path, auth, cleared) == []


def test_a_clearing_loses_the_receipt_with_its_authorisation(tmp_path: Path) -> None:
    auth, cleared = ClaimRow(10, 1, 70), ClaimRow(20, 2, 70, is_same_purchase=True)
    strangers, elsewhere = ClaimRow(30, 3, 70), ClaimRow(40, 4, 80)

    assert disputed(tmp_path, auth, cleared, strangers, elsewhere) == [10, 20, 30]
