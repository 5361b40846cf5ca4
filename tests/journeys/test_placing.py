"""A till that names no store of its retailer, or several: told which, by the name that it sent."""

import pytest

from chalicelib.network import service as network
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import Provider
from tests.makers.api import Said
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt
from tests.makers.network import make_store

PAYER = PAID[Provider.STANDARD]
SHARED = Identifier(IdentifierKind.MID, "MID-BL-0042")
UNKNOWN = "no store of the retailer is found by that name"
SEVERAL = "several stores of the retailer have that name; `store` tells them apart"


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town(providers=())
    network.record_store(make_store("wharf-road", reference="0043"), [SHARED], now=NOON)


def send(**named: object) -> Said:
    receipt = {name: one for name, one in till_receipt(PAYER).items() if name != "store"}
    return send_receipts(receipt | named)


@pytest.mark.parametrize(
    ("named", "field", "detail"),
    [
        ({"store": "9999"}, "store", "the retailer has no store of that name"),
        ({"store": "9999", "mid": "M-1"}, "store", "the retailer has no store of that name"),
        ({"mid": "M-1"}, "mid", UNKNOWN),
        ({"tid": "T-1"}, "tid", UNKNOWN),
        ({"mid": "MID-BL-0042"}, "mid", SEVERAL),
        (
            {"tenders": [{"kind": "card", "amount_minor": PAYER.minor, "mid": "MID-BL-0042"}]},
            "tenders[0].mid",
            SEVERAL,
        ),
    ],
    ids=str,
)
def test_says_which_name_leads_nowhere_or_to_several(
    named: dict[str, object], field: str, detail: str
) -> None:
    said = send(**named)

    assert (said.status, said.body["code"]) == (422, "unknown_store")
    assert (said.body["field"], said.body["detail"]) == (field, detail)


def test_a_new_version_under_another_reference_names_both() -> None:
    said = send_receipts(till_receipt(PAYER, "R-2"), path="/v1/receipts/R-1", method="PUT")

    assert (said.status, said.body["field"]) == (422, "reference")
    assert said.body["detail"] == "the body is of receipt `R-2` and the path names `R-1`"


def test_says_how_far_versions_count() -> None:
    said = send_receipts(till_receipt(PAYER, version=10**20))

    assert (said.status, said.body["code"], said.body["field"]) == (422, "version", "version")
    assert said.body["detail"].startswith("versions count from 1 to ")
