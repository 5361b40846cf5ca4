"""A query parameter that has to be there and is not: said so, by its name, whoever asks."""

from datetime import datetime

import pytest

from app import app
from chalicelib.api.rim import OPERATIONS, Operation
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.network import BANK, make_connection

pytestmark = pytest.mark.stores

ASKING = [one for one in OPERATIONS if one.required_query and one.path in app.routes]
PLACES = {"connection": BANK}


@pytest.fixture
def token(embedded_aws: None, now: datetime) -> str:
    """That of a bank which may do all that banks may."""
    network.record_connection(
        make_connection(BANK, provider=Provider.MONZO, auth_url="http://127.0.0.1:9/"), now=now
    )
    make_client(BANK, BANK)
    return token_of(BANK)


def ask(operation: Operation, query: str, token: str | None) -> Said:
    return call(operation.method, operation.path.format_map(PLACES) + query, token=token)


def test_four_operations_ask_for_a_parameter() -> None:
    assert sorted(one.name for one in ASKING) == [
        "list_notices",
        "list_payouts",
        "read_flux_v1",
        "see_consent",
    ]


@pytest.mark.parametrize("operation", ASKING, ids=lambda one: one.name)
@pytest.mark.parametrize("is_empty", [False, True], ids=["left out", "empty"])
def test_a_missing_parameter_is_named(operation: Operation, is_empty: bool, token: str) -> None:
    (name,) = operation.required_query

    said = ask(operation, f"?{name}=" if is_empty else "", token)

    assert (said.status, said.body["code"], said.body["field"]) == (400, "missing", name)
    assert said.body["detail"] == f"the query parameter `{name}` is missing"


@pytest.mark.parametrize("operation", ASKING, ids=lambda one: one.name)
def test_who_may_not_ask_hears_nothing_of_parameters(operation: Operation, token: str) -> None:
    nobody = ask(operation, "", None)

    assert (nobody.status, nobody.body["code"]) == (401, "signature_mismatch")
