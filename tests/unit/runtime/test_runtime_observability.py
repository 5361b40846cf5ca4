"""Logs and counts: constant sentences, allowed keys, and no card number from anywhere."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.pan import passes_luhn
from chalicelib.kernel.personal import Personal
from chalicelib.runtime import observability
from chalicelib.runtime.emf import Unit

CARD = "4111 1111 1111 1111"
MASKED = "[card number removed]"


class Kept(logging.Handler):
    """Keeps what is logged, formatted as any handler would."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.keys: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
        self.keys.append(observability.keys_of(record))


@pytest.fixture
def kept() -> Any:
    """What reaches the root logger during one test."""
    handler = Kept()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_logs_the_sentence_with_its_keys(kept: Kept) -> None:
    observability.log("payment waits", payment="p1", reason="ambiguous")
    observability.warn("message quarantined", area="receipts", attempt=3, till=None)

    assert kept.lines == ["payment waits", "message quarantined"]
    assert kept.keys == [
        {"payment": "p1", "reason": "ambiguous"},
        {"area": "receipts", "attempt": 3, "till": None},
    ]


def test_drops_a_key_that_is_not_on_the_list_and_names_it(kept: Kept) -> None:
    observability.log("paid", email="ada@example.test", payment="p1")  # type: ignore[arg-type]

    assert kept.keys == [{"payment": "p1", "dropped_keys": "email"}]


@pytest.mark.requirement("SEC-05")
def test_writes_no_card_number_personal_value_or_essay(kept: Kept) -> None:
    observability.log("a", id=f"x {CARD}", member=Personal("Ada"), code="y" * 500)  # type: ignore[arg-type]

    assert kept.keys == [{"id": f"x {MASKED}", "member": "•••", "code": "y" * 200}]


def test_tells_listeners_what_is_counted_until_they_stop(kept: Kept) -> None:
    heard: list[tuple[str, dict[str, str], int]] = []
    stop = observability.listen(lambda name, keys, by: heard.append((name, keys, by)))

    observability.count("receipts_received", by=3, retailer="bean")
    stop()
    observability.count("receipts_received")

    assert heard == [("receipts_received", {"retailer": "bean"}, 3)]
    assert kept.keys[0] == {"metric": "receipts_received", "by": 3, "retailer": "bean"}


def test_shows_watchers_each_observed_value_until_they_stop(kept: Kept) -> None:
    seen: list[tuple[str, dict[str, str], float, Unit]] = []
    stop = observability.watch(lambda *fact: seen.append(fact))

    observability.observe("connection_lag_seconds", 2.0049, Unit.SECONDS, connection="harbour")
    stop()
    observability.observe("connection_lag_seconds", 3, Unit.SECONDS, connection="harbour")

    assert seen == [("connection_lag_seconds", {"connection": "harbour"}, 2.0, Unit.SECONDS)]
    assert kept.keys[1] == {
        "metric": "connection_lag_seconds",
        "value": 3,
        "connection": "harbour",
    }


@pytest.mark.requirement("SEC-05")
@given(
    st.integers(10**11, 10**18 - 1),
    st.text(st.characters(exclude_categories=["Nd"], exclude_characters="%abcdefABCDEF")),
)
def test_masks_a_card_number_that_any_library_logs(body: int, around: str) -> None:
    card = next(f"{body}{digit}" for digit in range(10) if passes_luhn(f"{body}{digit}"))
    card = card.zfill(13)
    handler = Kept()
    library = logging.getLogger("a.library")
    library.addHandler(handler)

    library.warning("%s sent %s to %d", around, card, 5)
    library.warning(f"{around}{card}{around}")
    library.removeHandler(handler)

    assert len(handler.lines) == 2
    assert card not in "".join(handler.lines)
    assert handler.lines[0] == f"{around} sent {MASKED} to 5"


@pytest.mark.requirement("SEC-05")
def test_masks_a_card_number_in_a_traceback(kept: Kept) -> None:
    try:
        raise ValueError(f"cannot charge {CARD}")
    except ValueError:
        logging.getLogger("a.library").exception("it broke")

    assert CARD not in kept.lines[0]
    assert kept.lines[0].startswith("it broke\nTraceback (most recent call last):")
    assert kept.lines[0].endswith(f"ValueError: cannot charge {MASKED}")


def test_logs_a_failure_with_its_traceback(kept: Kept) -> None:
    try:
        raise ValueError(f"cannot charge {CARD}")
    except ValueError:
        observability.failure("message failed", queue="payments")

    assert kept.keys == [{"queue": "payments"}]
    assert kept.lines[0].startswith("message failed\nTraceback")
    assert kept.lines[0].endswith(f"ValueError: cannot charge {MASKED}")


def test_leaves_other_records_as_they_are(kept: Kept) -> None:
    try:
        raise ValueError("nothing personal")
    except ValueError:
        logging.getLogger("a.library").exception("it broke %s", "twice")

    assert kept.lines[0].startswith("it broke twice\nTraceback")


def in_lambda(program: str) -> list[dict[str, Any]]:
    """What `program` writes to standard output in a process that believes it is in Lambda."""
    done = subprocess.run(
        [sys.executable, "-c", "from chalicelib.runtime import observability\n" + program],
        env={
            **os.environ,
            "AWS_LAMBDA_FUNCTION_NAME": "counterfoil-test-record_payments",
            "_X_AMZN_TRACE_ID": "Root=1-67891233-abcdef012345678912345678;Sampled=0",
            "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_writes_a_json_line_in_lambda() -> None:
    lines = in_lambda(
        "from chalice import Chalice; app = Chalice('counterfoil')\n"
        f"observability.warn('payment waits', payment='p1 {CARD}', email='ada')"
    )

    assert len(lines) == 1
    assert (lines[0]["level"], lines[0]["message"]) == ("WARNING", "payment waits")
    assert lines[0]["location"] == "<module>:3"
    assert lines[0]["keys"] == {"payment": f"p1 {MASKED}", "dropped_keys": "email"}


def test_says_only_what_is_not_plain_and_the_trace_where_no_payment_is_named() -> None:
    told, put_off = in_lambda(
        "from chalicelib.runtime import tracing\n"
        "with tracing.following('1-5759e988-bd862e3fe1be46a994272793'):\n"
        "    observability.log('bank told', payment='p1')\n"
        "    observability.log('message put off', message='m1')\n"
    )

    assert told == {"message": "bank told", "keys": {"payment": "p1"}}
    assert put_off == {
        "message": "message put off",
        "keys": {"message": "m1", "trace": "1-5759e988-bd862e3fe1be46a994272793"},
    }


def test_writes_a_failure_with_its_masked_traceback_in_lambda() -> None:
    (line,) = in_lambda(
        "try:\n"
        f"    raise ValueError('cannot charge {CARD}')\n"
        "except ValueError:\n"
        "    observability.failure('message failed', queue='payments')\n"
    )

    assert (line["level"], line["message"]) == ("ERROR", "message failed")
    assert line["location"] == "<module>:5"
    assert CARD not in json.dumps(line)
    assert f"ValueError: cannot charge {MASKED}" in json.dumps(line)


IN_AN_INVOCATION = """
from datetime import UTC, datetime
from chalicelib.runtime.emf import Unit
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""


def test_writes_what_was_counted_in_one_line_when_the_invocation_ends() -> None:
    lines = in_lambda(
        IN_AN_INVOCATION
        + "with observability.invocation(lambda: NOON):\n"
        + "    for reason in ('not_in_network', 'not_in_network'):\n"
        + "        observability.count('payments_dropped', by=2, reason=reason)\n"
        + "    observability.observe('match_lag_seconds', 1.504, Unit.SECONDS)\n"
        + "    observability.observe('match_lag_seconds', 20, Unit.SECONDS)\n"
        + "with observability.invocation(lambda: NOON):\n"
        + "    pass\n"
    )

    assert lines == [
        {
            "_aws": {
                "Timestamp": 1795176000000,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "Counterfoil",
                        "Dimensions": [["reason"]],
                        "Metrics": [{"Name": "payments_dropped", "Unit": "Count"}],
                    },
                    {
                        "Namespace": "Counterfoil",
                        "Dimensions": [[]],
                        "Metrics": [{"Name": "match_lag_seconds", "Unit": "Seconds"}],
                    },
                ],
            },
            "reason": "not_in_network",
            "payments_dropped": 4,
            "match_lag_seconds": [1.5, 20],
        }
    ]


def test_writes_what_was_counted_also_when_the_invocation_raises() -> None:
    lines = in_lambda(
        IN_AN_INVOCATION
        + "try:\n"
        + "    with observability.invocation(lambda: NOON):\n"
        + "        observability.count('payments_received', provider='monzo')\n"
        + "        raise KeyError('a bug')\n"
        + "except KeyError:\n"
        + "    pass\n"
    )

    assert [line["payments_received"] for line in lines] == [1]


def test_counting_alone_imports_no_powertools() -> None:
    lines = in_lambda(
        IN_AN_INVOCATION
        + "import sys\n"
        + "with observability.invocation(lambda: NOON):\n"
        + "    observability.count('receipts_received')\n"
        + "print(int('aws_lambda_powertools' in sys.modules))\n"
    )

    assert (lines[0]["receipts_received"], lines[1]) == (1, 0)


def test_imports_powertools_only_when_something_is_said() -> None:
    assert in_lambda("import sys; print(int('aws_lambda_powertools' in sys.modules))") == [0]
