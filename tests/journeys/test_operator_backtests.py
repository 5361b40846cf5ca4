"""Drafts tried on the stage's own members, from the operator's terminal."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.privacy import access_log
from chalicelib.runtime import clock
from tests.makers.backtests import NOW, STAMPS, TEN_PERCENT, fill_town
from tests.makers.operating import WHY, operate
from tests.makers.receipts import RETAILER

pytestmark = pytest.mark.usefixtures("embedded_aws")
CATALOGUE = {
    "name": "Points",
    "unit": "points",
    "currency": "GBP",
    "zone": "Europe/London",
    "rules": [{"kind": "spend", "id": "pound", "per_minor": 100}],
    "catalogue": [
        {
            "id": "three",
            "title": "Thirty pence",
            "cost": 3,
            "reward": {"kind": "fixed_cashback", "amount_minor": 30},
        },
        {"id": "mug", "title": "A mug", "cost": 500, "reward": {"kind": "free_text", "text": "A"}},
    ],
}


def run(folder: Path, draft: Mapping[str, Any], *more: str) -> Any:
    (folder / "draft.json").write_text(json.dumps(draft))
    return operate(
        "back-test-members",
        f"--draft={folder / 'draft.json'}",
        f"--retailer={RETAILER.retailer_id}",
        "--days=30",
        "--members-per-second=100000",
        *more,
    )


@pytest.mark.requirement("OFR-13")
def test_a_draft_is_tried_on_members_for_a_reason_that_is_written_down(tmp_path: Path) -> None:
    made = fill_town(21)
    clock.use(lambda: NOW)

    without = run(tmp_path, TEN_PERCENT)
    done = run(tmp_path, TEN_PERCENT, WHY, f"--diary={tmp_path / 'diary'}")

    assert (without.exit_code, without.stdout) == (1, "")
    assert done.exit_code == 0
    rows = [line.split("  ") for line in done.stdout.splitlines()]
    assert rows[:4] == [
        ["purchases", "42"],
        ["members", "21"],
        ["of the audience", "21"],
        ["winners", "21"],
    ]
    assert ["LS", "21", "21", "100%"] in rows
    assert not (tmp_path / "diary").exists()
    assert not any(one.member_id in done.output for one in made)
    found = access_log.list_accesses(NOW.date(), now=NOW)
    assert [(one.command, one.subject, one.reason) for one in found] == [
        ("back-test-members", RETAILER.retailer_id, WHY.partition("=")[2])
    ]


def test_a_catalogue_is_costed_between_bounds(tmp_path: Path) -> None:
    fill_town(20)
    clock.use(lambda: NOW)

    done = run(tmp_path, CATALOGUE, WHY, "--claimed=50")

    rows = [line.split("  ") for line in done.stdout.splitlines()]
    counts = dict(row for row in rows if len(row) == 2)
    assert done.exit_code == 0
    assert (counts["catalogue, at least"], counts["cost"]) == ("0.00 GBP", "0.00 GBP")
    points = int(counts["stamps or points"])
    assert counts["catalogue, at most"] == f"{points * 10 / 100:.2f} GBP"
    assert counts["catalogue, 50 % of that"] == f"{points * 5 / 100:.2f} GBP"
    assert ["A mug", "500", "0", "0"] in rows


def test_what_cannot_be_tried_is_refused_in_a_sentence(tmp_path: Path) -> None:
    fill_town(1)
    clock.use(lambda: NOW)
    (tmp_path / "letter").write_text("Dear Ada")

    other = run(tmp_path, STAMPS, WHY, f"--diary={tmp_path / 'letter'}")
    nobody = run(tmp_path, STAMPS, WHY, "--retailer=nobody")

    assert (other.exit_code, nobody.exit_code) == (1, 1)
    assert "no diary of a back-test" in " ".join(other.stderr.split())
    assert (other.stdout, nobody.stdout) == ("", "")
