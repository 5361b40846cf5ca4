"""Campaigns that nobody could ever meet are refused, and those that somebody might are not."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.network.model import ClientKind
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.runtime import clock
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.offers import open_town
from tests.makers.receipts import RETAILER

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("shops")]

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EVENT = json.loads((Path(__file__).parents[2] / "events" / "campaign_put.json").read_text())


@pytest.fixture
def shops(embedded_aws: None) -> None:
    clock.use(lambda: NOW)
    open_town()
    make_client(RETAILER.retailer_id, RETAILER.retailer_id, ClientKind.RETAILER)


def put(changes: dict[str, Any]) -> Said:
    token = token_of(RETAILER.retailer_id)
    return call("PUT", "/v1/campaigns/coffee", token=token, body=EVENT | changes)


FREQUENT = {"kind": "frequent", "visits": 3, "days": 30}


def spend(days: int, least: int, most: int | None = None) -> dict[str, Any]:
    return {"kind": "spend", "days": days, "min_minor": least, "max_minor": most}


def five_of(**lines: Any) -> dict[str, Any]:
    return {"kind": "percent_cashback", "percent": "5", "max_minor": 500, "lines": lines}


MONDAYS = {"days": "FREQ=WEEKLY;BYDAY=MO", "from": "17:00", "minutes": 60}
TUESDAY_TO_SUNDAY = {"starts_at": "2026-12-01T00:00:00Z", "ends_at": "2026-12-06T00:00:00Z"}
NEVER_MET: list[tuple[dict[str, Any], str]] = [
    ({"audience": [{"kind": "new", "days": 30}, FREQUENT]}, "audience[1]"),
    ({"audience": [FREQUENT, {"kind": "lapsed", "days": 30}]}, "audience[0]"),
    ({"audience": [{"kind": "new"}, {"kind": "lapsed", "days": 9}]}, "audience[1]"),
    ({"audience": [{"kind": "new", "days": 9}, spend(9, 1)]}, "audience[1]"),
    ({"audience": [spend(9, 500), spend(30, 0, 499)]}, "audience[0]"),
    ({"condition": {"lines": {"skus": ["A"]}}, "reward": five_of(skus=["B"])}, "reward.lines"),
    (
        {
            "condition": {"lines": {"gtins": ["5012345678900"]}},
            "reward": five_of(gtins=["96385074"]),
        },
        "reward.lines",
    ),
    ({**TUESDAY_TO_SUNDAY, "condition": {"windows": [MONDAYS]}}, "condition.windows[0]"),
]
MET: list[dict[str, Any]] = [
    {"audience": [{"kind": "new", "days": 29}, FREQUENT]},
    {"audience": [spend(9, 499), spend(30, 0, 499)]},
    {"audience": [spend(30, 500), spend(9, 0, 499)]},
    {"condition": {"lines": {"skus": ["A"]}}, "reward": five_of(gtins=["96385074"])},
    {"condition": {"lines": {"gtins": ["096385074"]}}, "reward": five_of(gtins=["96385074"])},
    {
        **TUESDAY_TO_SUNDAY,
        "ends_at": "2026-12-07T17:01:00Z",
        "condition": {"windows": [MONDAYS]},
    },
]


@pytest.mark.parametrize(("changes", "field"), NEVER_MET)
def test_a_campaign_that_nobody_can_ever_meet_is_refused(
    changes: dict[str, Any], field: str
) -> None:
    refused = put(changes)

    assert (refused.status, refused.body["code"], refused.body["field"]) == (
        422,
        "never_met",
        field,
    )
    assert campaigns.list_campaigns(RETAILER.retailer_id, now=NOW) == ()


@pytest.mark.parametrize("changes", MET)
def test_a_campaign_that_somebody_may_meet_is_not(changes: dict[str, Any]) -> None:
    assert put(changes).status == 201
