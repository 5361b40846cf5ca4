"""What tills and retailers get wrong, in files: no wrong receipt, and a reason that can be seen."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.makers.card_days import Street, write_street
from tests.makers.matchfiles import answers, run_match, write_lines

STREET = Street(stores=1, days=12, sales_a_day=200, tills=3, last_fours=0.6, members=0.2)
Receipt = dict[str, Any]


def moved(receipt: Receipt, **by: float) -> Receipt:
    at = datetime.fromisoformat(receipt["at"]) + timedelta(**by)
    return {**receipt, "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def day_of(receipt: Receipt) -> int:
    return int(receipt["id"].split("/")[1])


class Judged:
    """What a run on changed receipts came to."""

    def __init__(
        self,
        folder: Path,
        change: Callable[[Receipt], list[Receipt]],
        *,
        seed: int,
        street: Street = STREET,
    ) -> None:
        paid, sold, truth = write_street(folder, street, seed=seed)
        receipts = [json.loads(line) for line in sold.read_text().splitlines()]
        self.till = {one["id"]: one["till"] for one in receipts}
        write_lines(sold, (told for one in receipts for told in change(one)))
        run_match(paid, sold, folder / "m.jsonl")
        found = answers(folder / "m.jsonl")
        self.truth = truth
        self.given = {one["payment_id"]: one["receipt_id"] for one in found if one["receipt_id"]}
        self.why = {one["payment_id"]: one["reason"] for one in found}

    @property
    def wrong(self) -> list[str]:
        """The payments that were given another's receipt; a copy's id ends with `/again`."""
        return [
            name
            for name, receipt_id in self.given.items()
            if self.truth.get(name) != receipt_id.removesuffix("/again")
        ]

    def recall(self, *, till: str | None = None) -> float:
        """The share of payments with a receipt, at `till`, that were given theirs."""
        asked = [n for n, r in self.truth.items() if till in (None, self.till[r])]
        return sum(name in self.given for name in asked) / len(asked)

    def reasons(self, *, till: str | None = None) -> Counter[str]:
        """Why payments at `till` that have a receipt were given none."""
        return Counter(
            self.why[name]
            for name, receipt_id in self.truth.items()
            if name not in self.given and till in (None, self.till[receipt_id])
        )


def test_learns_the_clock_of_a_till_that_is_hours_off(tmp_path: Path) -> None:
    def change(receipt: Receipt) -> list[Receipt]:
        return [moved(receipt, hours=-5, seconds=40) if receipt["till"] == "till-1" else receipt]

    judged = Judged(tmp_path, change, seed=21)

    assert judged.wrong == []
    assert judged.recall(till="till-1") >= 0.95
    assert judged.recall() >= 0.95


def test_reads_a_file_that_calls_local_time_utc(tmp_path: Path) -> None:
    judged = Judged(tmp_path, lambda receipt: [moved(receipt, hours=1)], seed=22)

    assert judged.wrong == []
    assert judged.recall() >= 0.95


def test_gives_none_of_two_receipts_of_one_sale_and_says_so(tmp_path: Path) -> None:
    def change(receipt: Receipt) -> list[Receipt]:
        return [receipt, {**receipt, "id": f"{receipt['id']}/again"}]

    judged = Judged(tmp_path, change, seed=23)

    assert judged.wrong == []
    assert judged.given == {}
    assert judged.reasons() == {"same_sale_twice": len(judged.truth)}


def test_trusts_no_auth_code_that_a_till_prints_on_every_receipt(tmp_path: Path) -> None:
    def change(receipt: Receipt) -> list[Receipt]:
        return [{**receipt, "auth_code": "123456"}]

    judged = Judged(tmp_path, change, seed=24, street=replace(STREET, auth_codes=1.0))

    assert judged.wrong == []
    assert judged.recall() >= 0.95


def test_trusts_no_code_of_the_sale_before(tmp_path: Path) -> None:
    last: dict[str, str] = {}

    def change(receipt: Receipt) -> list[Receipt]:
        code, till = receipt["auth_code"], receipt["till"]
        printed = last.get(till, code) if till == "till-2" else code
        last[till] = code
        return [{**receipt, "auth_code": printed}]

    street = replace(STREET, auth_codes=1.0, last_fours=0.0)
    judged = Judged(tmp_path, change, seed=25, street=street)

    assert judged.wrong == []
    assert judged.recall(till="till-1") >= 0.95


@pytest.mark.parametrize("noon", [6, 9])
def test_a_clock_set_wrong_mid_way_shows_in_reasons_not_in_receipts(
    tmp_path: Path, noon: int
) -> None:
    def change(receipt: Receipt) -> list[Receipt]:
        is_off = receipt["till"] == "till-0" and day_of(receipt) >= noon
        return [moved(receipt, minutes=47) if is_off else receipt]

    judged = Judged(tmp_path, change, seed=26)

    assert judged.wrong == []
    assert judged.recall(till="till-1") >= 0.95
    assert judged.recall(till="till-0") >= 0.9
