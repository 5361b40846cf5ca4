"""Shared fixtures: a fresh embedded AWS per test, and DynamoDB Local instead of moto where asked.

`COUNTERFOIL_REAL_DYNAMODB=http://127.0.0.1:PORT` (set by `make test-real`) sends the table traffic
to DynamoDB Local; queues and keys stay with moto.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings

os.environ.update(
    COUNTERFOIL_STAGE="test",
    AWS_DEFAULT_REGION="eu-west-2",
    # DynamoDB Local keeps the tables of each access key apart, and so those of parallel workers.
    AWS_ACCESS_KEY_ID=f"testing{os.environ.get('PYTEST_XDIST_WORKER', '')}",
    AWS_SECRET_ACCESS_KEY="testing",
    COUNTERFOIL_PUBLIC_URL="https://api.counterfoil.test",
    COUNTERFOIL_PRIVATE_HOSTS="allowed",
)
pytest_plugins = ("tests.requirements_report", "tests.least_privilege")

REAL_DYNAMODB = os.environ.get("COUNTERFOIL_REAL_DYNAMODB")
if REAL_DYNAMODB:
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = REAL_DYNAMODB

from botocore.handlers import BUILTIN_HANDLERS  # noqa: E402 - the environment comes first
from moto import mock_aws  # noqa: E402
from moto.core.models import botocore_stubber  # noqa: E402

from chalicelib.api import tills  # noqa: E402
from chalicelib.budgets import service as budgets  # noqa: E402
from chalicelib.loyalty.schemes import service as schemes  # noqa: E402
from chalicelib.matching.timekeeping import service as timekeeping  # noqa: E402
from chalicelib.network import service as network  # noqa: E402
from chalicelib.network.access import keys  # noqa: E402
from chalicelib.offers.campaigns import service as campaigns  # noqa: E402
from chalicelib.offers.competitions import service as competitions  # noqa: E402
from chalicelib.payouts import remembered as remembered_payouts  # noqa: E402
from chalicelib.runtime import aws, clock, queues, vault  # noqa: E402
from infra import master_keys, resources  # noqa: E402

if TYPE_CHECKING:
    from tests.makers.bank_server import BankServer
    from tests.makers.outside import Counted

# No test is judged by the clock: a busy machine is no defect.
settings.register_profile(
    "counterfoil", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# A mutant has to be found, by whichever example: the smallest one takes minutes to look for.
settings.register_profile(
    "mutants",
    settings.get_profile("counterfoil"),
    phases=(Phase.explicit, Phase.generate, Phase.target),
    database=None,
)
settings.load_profile("counterfoil")

_one_call = RLock()


def _answer_one_by_one(event_name: str, request: Any, **_given: Any) -> Any:
    """moto's answer, one call after the other: AWS's calls are atomic, and moto's alone are not."""
    with _one_call:
        return botocore_stubber(event_name, request)


# In moto's place, because every handler of an event is called.
BUILTIN_HANDLERS[BUILTIN_HANDLERS.index(("before-send", botocore_stubber))] = (
    "before-send",
    _answer_one_by_one,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write out what UTF-8 cannot hold in captured logs: a parallel run cannot hand it over."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture
def embedded_aws() -> Iterator[None]:
    """Empty tables and queues and a ring of one master key; nothing survives the test."""
    with _embedded():
        yield


@pytest.fixture(scope="module")
def shared_aws() -> Iterator[None]:
    """As `embedded_aws`, one for a module: for tests which show that nothing is kept."""
    with _embedded():
        yield


@contextmanager
def _embedded() -> Iterator[None]:
    with mock_aws(config={"core": {"mock_credentials": False}}):
        _forget()
        resources.create_kms_key(aws.client("kms"))
        master_keys.set_up(os.urandom, now=LONG_AGO)
        if REAL_DYNAMODB:
            _drop_tables()
        resources.create_tables(aws.client("dynamodb"))
        resources.create_queues(aws.client("sqs"))
        yield
        clock.use(None)
    _forget()


def _forget() -> None:
    """Clients stay: making one costs more than a test, and moto answers those made before too."""
    queues.forget_urls()
    vault.forget_keys()
    network.forget()
    timekeeping.forget()
    keys.forget()
    tills.forget()
    schemes.forget()
    remembered_payouts.forget()
    budgets.forget()
    campaigns.forget()
    competitions.forget()


def _drop_tables() -> None:
    client = aws.client("dynamodb")
    for name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)


@pytest.fixture
def bank(embedded_aws: None) -> Iterator["BankServer"]:
    """A bank that listens on this machine and takes what it is told."""
    from tests.makers.bank_server import bank_server

    with bank_server() as running:
        yield running


@pytest.fixture
def counted() -> Iterator["Counted"]:
    """What is counted while the test runs, by metric and its dimensions."""
    from tests.makers.outside import (
        Counted,
        listen,
    )  # The whole app, which unit tests can do without.

    counts = Counted()
    stop = listen(counts)
    yield counts
    stop()


@pytest.fixture
def now() -> datetime:
    """The constant present of tests that do not need an awkward one."""
    return NOON
