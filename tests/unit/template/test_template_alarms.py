"""Alarms: one for each promise, with a bound, its reason, and a runbook that is there."""

import re

import pytest

from app import app
from infra.template.chalice_template import ROOT
from tests.architecture import deployment
from tests.makers.template import resources_of

ALARMS = resources_of("AWS::CloudWatch::Alarm")


def anchors(path: str) -> set[str]:
    """The headings of a page, as links name them."""
    lines = (ROOT / path).read_text().splitlines()
    titles = (line.lstrip("# ") for line in lines if line.startswith("#"))
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("logical_id", sorted(ALARMS))
def test_sends_whoever_hears_an_alarm_to_a_runbook_that_is_there(logical_id: str) -> None:
    description = ALARMS[logical_id]["AlarmDescription"]

    path, _, anchor = description.rpartition("Runbook: ")[2].partition("#")
    assert anchor in anchors(path), description
    assert len(description) <= 1024


def test_has_a_runbook_for_no_alarm_that_is_not_there() -> None:
    used = {a["AlarmDescription"].rpartition("#")[2] for a in ALARMS.values()}

    assert anchors("docs/runbooks/alarms.md") - used == {"alarms"}


def test_rings_for_the_first_dead_letter_of_every_queue() -> None:
    queues = {
        dimension["Value"]: alarm["Threshold"]
        for alarm in ALARMS.values()
        if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
        for dimension in alarm["Dimensions"]
    }

    assert queues == {
        f"counterfoil-test-{name}-dead": 1
        for name in (
            "payments",
            "receipts",
            "receipts-from-acme",
            "gather",
            "deliveries",
            "rewards",
            "notices",
            "payouts",
        )
    }


def test_rings_for_every_schedule_that_does_not_run_and_for_silence() -> None:
    jobs = {
        dimension["Value"]: (alarm["EvaluationPeriods"], alarm["TreatMissingData"])
        for alarm in ALARMS.values()
        if alarm.get("MetricName") == "schedules_done"
        for dimension in alarm["Dimensions"]
    }

    assert jobs == {
        "look_again": (1, "breaching"),
        "finish_departures": (1, "breaching"),
        "sweep_retention": (3, "breaching"),
        "close_day": (20, "breaching"),
        "look_at_cases": (3, "breaching"),
        "tell_expiring": (3, "breaching"),
        "tend_campaigns": (1, "breaching"),
        "end_waiting": (26, "breaching"),
        "look_up_payouts": (1, "breaching"),
    }
    schedules = [
        name for name, s in deployment.lambdas(app).items() if hasattr(s, "schedule_expression")
    ]
    assert sorted(jobs) == sorted(schedules)


def test_tells_the_topic_of_every_alarm_and_of_its_end() -> None:
    for alarm in ALARMS.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]


def test_asks_only_for_measures_that_are_documented() -> None:
    documented = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "metrics.md").read_text()))
    asked = set()
    for alarm in ALARMS.values():
        if alarm.get("Namespace") == "Counterfoil":
            asked.add(alarm["MetricName"])
        for part in alarm.get("Metrics", ()):
            asked |= set(re.findall(r"SELECT \w+\((\w+)\) FROM", part.get("Expression", "")))

    awaited = {
        "schedules_done",
        "delivery_lag_seconds",
        "quarantine_size",
        "connection_lag_seconds",
    }
    assert asked - documented <= awaited
