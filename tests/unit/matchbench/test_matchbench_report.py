"""The report, its page, its tables in the documents, and the pieces that two processes share."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from random import Random

import pytest

from infra.matchbench import page, run, speed, timing
from infra.matchbench.charts import calibration, recall_against_wrong
from infra.matchbench.contestants import (
    CONTESTANTS,
    LIVE,
    LIVE_FIRST,
    LIVE_LATER,
    ORACLE,
    OURS,
    contest_live,
)
from infra.matchbench.generating import draw_block
from infra.matchbench.live_report import live_group_report, live_tables
from infra.matchbench.report import group_report
from infra.matchbench.report import page as html_page
from infra.matchbench.scenarios import Cell, Group, Split, groups
from infra.matchbench.street import Arrival, Street
from infra.matchbench.work import CellResult, pieces_of, play

QUICK = Street(sales_per_day=150, days=5)


class Balanced(HTMLParser):
    """Reads a page whose elements are closed in the order in which they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert attrs is not None
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        assert attrs is not None
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report() -> dict[str, object]:
    """A run of one group of one street."""
    group = next(one for one in groups(Split.DEV) if one.name == "returns")
    chosen = [Group(group.name, group.title, group.cells[1:2])]
    pieces = list(pieces_of(chosen, split=Split.DEV, seed=3, payments=900))
    result = CellResult(chosen[0].cells[0])
    for piece in pieces:
        result.add(play(piece))
    return {
        "split": "held_out",
        "seed": 3,
        "payments": result.tallies[OURS].payments,
        "receipts": result.slips,
        "seconds_a_payment": 0.0003,
        "pairs_per_second": 80_000.0,
        "peak_bytes": 60 * 2**20,
        "peak_bytes_halfway": 50 * 2**20,
        "waits": {"live": {"payments": 1, "matched_by_look": {}, "seconds": WAITED, "wrong": 0}},
        "groups": {group.name: group_report(chosen[0], [result])},
    }


WAITED = {"half": 120.0, "nine_in_ten": 600.0, "99 in 100": 900.0}


def test_a_group_is_shared_out_evenly_in_small_pieces() -> None:
    group = Group("g", "G", (Cell("a", QUICK), Cell("b", QUICK), Cell("c", QUICK)))

    pieces = list(pieces_of([group], split=Split.DEV, seed=1, payments=30_000))

    assert {cell: [p.payments for p in pieces if p.cell == cell] for cell in "abc"} == {
        cell: [6_000, 4_000] for cell in "abc"
    }
    assert len({(piece.cell, piece.number) for piece in pieces}) == len(pieces)


def test_the_report_is_json_and_names_everybody(report: dict[str, object]) -> None:
    read = json.loads(json.dumps(report))

    (cell,) = read["groups"]["returns"]["cells"].values()
    assert set(cell["contestants"]) == set(CONTESTANTS)
    assert {verdict["verdict"] for verdict in cell["verdicts"]} <= {
        "met",
        "missed",
        "within chance",
    }
    assert cell["contestants"][OURS]["payments"] == read["payments"]
    assert cell["contestants"][OURS]["recall"] > 0.8


def test_the_page_is_well_formed_and_has_both_plots(report: dict[str, object]) -> None:
    reader = Balanced()

    reader.feed(html_page(report))

    assert reader.open == []
    assert reader.seen.count("svg") == 2
    assert reader.seen.count("table") == 2


def test_the_page_fits_a_narrow_window_and_its_tables_scroll(report: dict[str, object]) -> None:
    drawn = html_page(report)

    assert "<meta name='viewport' content='width=device-width, initial-scale=1'>" in drawn
    assert drawn.count("<div class='scrolled'><table>") == drawn.count("<table>") == 2


def test_the_name_of_an_axis_stands_above_its_highest_mark() -> None:
    drawn = recall_against_wrong({})
    heights = [float(part.split('"')[3]) for part in drawn.split("<text ")[1:]]
    name_at = float(drawn.split(">recall<")[0].rsplit(' y="', 1)[1].split('"')[0])

    assert name_at == min(heights)
    assert sorted(heights)[1] - name_at > 11  # The size of the letters.


def test_plots_put_better_recall_higher_and_more_wrong_further_right() -> None:
    def contestant(recall: float, wrong: float) -> dict[str, object]:
        return {"recall": recall, "wrong_per_thousand": wrong, "curve": []}

    drawn = recall_against_wrong({"ours": contestant(0.95, 0.1), "peer_60": contestant(0.5, 20.0)})
    dots = [part.split('"')[1:4:2] for part in drawn.split("<circle cx=")[1:]]
    (ours_x, ours_y), (peer_x, peer_y) = [(float(x), float(y)) for x, y in dots]

    assert ours_x < peer_x
    assert ours_y < peer_y


def test_a_plot_of_calibration_has_a_dot_for_each_bin() -> None:
    one = {
        "payments": 100,
        "stated": 0.95,
        "observed": 1.0,
        "observed_low": 0.96,
        "observed_high": 1.0,
    }

    assert calibration([one, replace_stated(one)]).count("<circle") == 2


def replace_stated(one: dict[str, object]) -> dict[str, object]:
    """The same bin, stated surer."""
    return {**one, "stated": 0.9995}


def test_tables_go_between_their_marks(report: dict[str, object]) -> None:
    text = page.DOCUMENT.read_text()

    tables = {name: f"table of {name}" for name in ("run", "groups", "missed", "waits")}
    written = page.with_tables(text, tables)

    assert all(f"<!-- {name}: begin -->\n\ntable of {name}\n\n<!--" in written for name in tables)
    with pytest.raises(ValueError, match="not one place for other"):
        page.with_tables(text, {"other": "x"})


def test_the_live_report_is_json_and_fills_its_tables() -> None:
    group = next(one for one in groups(Split.DEV) if one.name == "day_end")
    cell = Cell("file", replace(QUICK, arrival=Arrival.END_OF_DAY, days=2))
    result = CellResult(cell)
    block = draw_block(cell.street, Random("live"), name="b", slips=300)
    contest_live(block, result.tallies, seed="live")
    chosen = Group(group.name, group.title, (cell,))
    told = json.loads(json.dumps(live_group_report(chosen, [result])))
    report = {
        "payments": result.tallies[LIVE].payments,
        "receipts": len(block.slips),
        "seed": 3,
        "seconds_a_payment": 0.01,
        "peak_bytes": 60 * 2**20,
        "groups": {group.name: told},
    }

    tables = live_tables(report)

    one = told["cells"]["file"]
    assert set(one["contestants"]) == {LIVE, LIVE_FIRST, LIVE_LATER, OURS, ORACLE}
    assert [verdict["what"] for verdict in one["verdicts"]] == [
        "wrong per 1,000",
        "stated less observed, 0.999 to 0.9999",
        "stated less observed, 0.9999 to 1.0",
    ]
    assert one["waited_seconds"]["half"] > 3_600
    assert tables["live-groups"].count("\n") == 2
    assert f"| {group.title} | few or none | {len(block.charges)} |" in tables["live-groups"]
    assert page.with_tables(page.DOCUMENT.read_text(), tables)


def test_refuses_seeds_of_the_other_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--seed", "1"]) == 2
    assert run.main(["--dev", "--seed", "7001"]) == 2
    assert run.main(["--groups", "nothing"]) == 2
    assert capsys.readouterr().out == ""


def test_waits_depend_on_when_receipts_come() -> None:
    street = replace(QUICK, sales_per_day=4_000, days=3, free_form_share=1.0, member_share=0.02)
    arrivals = (Arrival.LIVE, Arrival.END_OF_DAY)

    waits = timing.measure(street, split=Split.DEV, seed=1, retailers=1, arrivals=arrivals)

    live, file = waits[Arrival.LIVE.value], waits[Arrival.END_OF_DAY.value]
    assert live["matched_by_look"]["after patience"] > 0.8
    assert live["seconds"]["half"] <= 420.0
    assert file["seconds"]["half"] > 3_600.0
    assert file["matched_by_look"].keys() == {"after the day's file"}
    assert live["wrong"] <= 1


def test_counts_the_pairs_that_were_weighed() -> None:
    found = speed.measure(QUICK, seed="s")

    assert found.pairs > 3_000
    assert found.pairs_per_second == found.pairs / found.seconds
