"""The house stays a house: every rule over every file, and every rule shown to be able to fail."""

import pytest

from tests.architecture import (
    rules_of_care,
    rules_of_purity,
    rules_of_shape,
)
from tests.architecture.sources import RULES, Rule, python_files

FLOORS = (rules_of_shape, rules_of_purity, rules_of_care)  # Importing them enters their rules.
HOUSE = python_files()


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_no_file_breaks_the_rule(rule: Rule) -> None:
    breaches = [f"{source.path}: {breach}" for source in HOUSE for breach in rule.check(source)]

    assert breaches == [], rule.sentence


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_rule_finds_what_breaks_it_and_only_that(rule: Rule) -> None:
    assert list(rule.check(rule.broken_by)) != []
    assert list(rule.check(rule.kept_by)) == []


def test_every_floor_has_entered_its_rules() -> None:
    assert {rule.check.__module__ for rule in RULES} == {floor.__name__ for floor in FLOORS}
    assert len({str(rule) for rule in RULES}) == len(RULES)
    assert {"app.py", "chalicelib/kernel/money.py"} <= {source.path for source in HOUSE}
