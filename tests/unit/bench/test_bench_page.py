"""The bench's figures stand in the documents between their marks, put there by a command."""

import pytest

from infra.bench.page import ROOT
from infra.pages import with_tables


def test_puts_each_table_between_its_marks_and_leaves_the_rest() -> None:
    text = "a\n<!-- x: begin -->old<!-- x: end -->\nb\n<!-- y: begin --><!-- y: end -->"

    once = with_tables(text, {"x": "| 1 |", "y": "| 2 |"})

    assert once == (
        "a\n<!-- x: begin -->\n\n| 1 |\n\n<!-- x: end -->\nb\n"
        "<!-- y: begin -->\n\n| 2 |\n\n<!-- y: end -->"
    )
    assert with_tables(once, {"x": "| 1 |", "y": "| 2 |"}) == once


def test_refuses_a_document_without_the_place() -> None:
    with pytest.raises(ValueError, match="not one place for x"):
        with_tables("nothing", {"x": "| 1 |"})


@pytest.mark.parametrize(
    ("name", "places"),
    [("costs.md", ("scenarios", "parts", "rewards", "budgets")), ("deploy.md", ("costs",))],
)
def test_the_documents_hold_figures_in_every_place(name: str, places: tuple[str, ...]) -> None:
    text = (ROOT / "docs" / name).read_text()

    for place in places:
        between = text.split(f"<!-- {place}: begin -->")[1].split(f"<!-- {place}: end -->")[0]
        assert between.count("\n|") > 3, place
