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


def test_writes_an_embedded_metric_in_lambda() -> None:
    (line,) = in_lambda("observability.count('payments_dropped', by=2, reason='not_in_network')")

    assert line["payments_dropped"] == [2.0]
    assert line["reason"] == "not_in_network"
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "Counterfoil"
    assert "reason" in described["Dimensions"][0]


def test_imports_powertools_only_when_something_is_said() -> None:
    assert in_lambda("import sys; print(int('aws_lambda_powertools' in sys.modules))") == [0]
