"""The seeded mutants fit the code they were written for, and their runner tells the truth."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from infra.mutants import kept
from infra.mutants.catalogue import ALL, ROOT, stale
from infra.mutants.model import Mutant
from infra.mutants.page import table
from infra.mutants.run import chosen, rest_of
from infra.mutants.trial import Tried, Verdict, try_mutant

FEWEST = 300
SOUND = "def price(minor):\n    return minor * 2\n"
CHECKED = (
    "from shop import price\n\n\ndef test_doubles():\n    assert price(3) == 6\n\n\n"
    "def test_nought():\n    assert price(0) == 0\n"
)
PROFILE = "from hypothesis import settings\n\nsettings.register_profile('mutants')\n"
MUTANT = Mutant("adds", "adds two", "shop.py", "minor * 2", "minor + 2", ("test_shop.py",))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(SOUND)
    (tmp_path / "test_shop.py").write_text(CHECKED)
    (tmp_path / "conftest.py").write_text(PROFILE)
    return tmp_path


def _tried(verdict: Verdict) -> Tried:
    return Tried("adds", "adds two", "shop.py", MUTANT.bug, verdict, "", 0.1)


def test_no_mutant_is_stale() -> None:
    assert [mutant.name for mutant in stale()] == []


def test_there_are_enough_mutants_and_each_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in ALL}) == len(ALL) >= FEWEST


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_a_mutant_is_python_that_says_something_else(mutant: Mutant) -> None:
    mutated = mutant.written(ROOT)

    assert ast.dump(ast.parse(mutated)) != ast.dump(ast.parse((ROOT / mutant.module).read_text()))


def test_the_tests_that_have_to_find_a_mutant_are_there() -> None:
    named = {tests.partition("::")[::2] for mutant in ALL for tests in mutant.killed_by}

    assert sorted(file for file, _ in named if not (ROOT / file).is_file()) == []
    for file, test in named:
        assert not test or f"\ndef {test}(" in (ROOT / file).read_text()


def test_the_page_lists_every_mutant_by_name() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "mutants.md").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(mutant.name for mutant in ALL)


def test_the_list_says_what_became_of_a_mutant_or_that_it_was_not_tried() -> None:
    first, *_ = ALL

    rows = table({first.name: "killed by `test_x`"}).splitlines()

    assert f"| `{first.name}` | {first.what} | killed by `test_x` |" in rows
    assert sum(row.endswith("| – |") for row in rows) == len(ALL) - 1


@pytest.mark.parametrize("only", ["notices/", "notices/,netting/"])
def test_several_words_choose_what_any_of_them_names(only: str) -> None:
    words = only.split(",")

    assert {one.module for one in chosen(only)} == {
        one.module for one in ALL if any(word in one.module for word in words)
    }


def test_a_mutant_that_a_test_finds_is_killed_and_taken_out_again(shop: Path) -> None:
    tried = try_mutant(MUTANT, shop)

    assert (tried.verdict, tried.by) == (Verdict.KILLED, "test_shop.py::test_doubles")
    assert (shop / "shop.py").read_text() == SOUND


def test_the_test_that_kills_is_named_with_its_whole_id(shop: Path) -> None:
    by_id = 'import pytest\n\n\n@pytest.mark.parametrize("minor", [3], ids=["a few"])\n'
    doubles = "def test_doubles(minor):\n    from shop import price\n    assert price(minor) == 6\n"
    (shop / "test_shop.py").write_text(by_id + doubles)

    assert try_mutant(MUTANT, shop).by == "test_shop.py::test_doubles[a few]"


def test_a_mutant_that_no_test_finds_survives(shop: Path) -> None:
    tried = try_mutant(replace(MUTANT, new="minor + minor"), shop)

    assert (tried.verdict, tried.by) == (Verdict.SURVIVED, "")


def test_a_mutant_that_nothing_can_import_is_broken_and_one_without_its_text_stale(
    shop: Path,
) -> None:
    broken = try_mutant(replace(MUTANT, old="def price", new="def prices"), shop)
    gone = try_mutant(replace(MUTANT, old="minor * 3"), shop)

    assert (broken.verdict, gone.verdict) == (Verdict.BROKEN, Verdict.STALE)


@pytest.mark.parametrize(
    ("verdicts", "is_good"),
    [
        ([Verdict.KILLED] * 20, True),
        ([Verdict.KILLED] * 19 + [Verdict.SURVIVED], True),
        ([Verdict.KILLED] * 18 + [Verdict.SURVIVED] * 2, False),
        ([Verdict.KILLED] * 40 + [Verdict.STALE], False),
        ([Verdict.KILLED] * 40 + [Verdict.BROKEN], False),
        ([], False),
    ],
)
def test_is_good_only_with_nineteen_of_twenty_killed_and_none_stale(
    verdicts: list[Verdict], *, is_good: bool
) -> None:
    summary = kept.summed_up([_tried(verdict) for verdict in verdicts])

    assert summary["is_good"] is is_good


def test_a_later_run_of_some_says_of_the_others_what_the_earlier_said(tmp_path: Path) -> None:
    path = tmp_path / "build" / "mutants.json"
    other = replace(MUTANT, name="other")
    mutants = (MUTANT, other)
    kept.add(path, mutants, _tried(Verdict.SURVIVED))
    kept.add(path, mutants, replace(_tried(Verdict.KILLED), name="other"))

    kept.add(path, mutants, _tried(Verdict.KILLED))

    assert {one.name: one.verdict for one in kept.read(path, mutants)} == {
        "adds": Verdict.KILLED,
        "other": Verdict.KILLED,
    }
    assert kept.summed_up(kept.read(path, mutants))["mutants"] == 2


def test_what_became_of_a_bug_says_nothing_of_another_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mutants.json"
    kept.add(path, (MUTANT,), _tried(Verdict.KILLED))

    assert kept.read(path, (replace(MUTANT, new="minor + 3"),)) == ()
    assert kept.read(path, (MUTANT,)) == (_tried(Verdict.KILLED),)
    assert kept.read(tmp_path / "not there.json", (MUTANT,)) == ()


def test_the_rest_are_those_that_were_not_killed() -> None:
    fresh, survivor, killed = (replace(MUTANT, name=name) for name in ("new", "lives", "dead"))
    known = [
        replace(_tried(Verdict.SURVIVED), name="lives"),
        replace(_tried(Verdict.KILLED), name="dead"),
    ]

    assert rest_of([fresh, survivor, killed], known) == [fresh, survivor]
    assert rest_of([killed], ()) == [killed]
