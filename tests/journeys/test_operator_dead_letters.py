"""Dead letters at the operator's terminal: seen without being lost, put back without doubling."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.kernel.refusals import TryAgain
from chalicelib.network.model import Provider
from chalicelib.runtime import aws, queues, settings
from infra.operating import dead_letters
from infra.operating.dead_letters import Wanted
from infra.resources import DEAD_LETTER_SUFFIX
from tests.makers.journeys import open_town
from tests.makers.operating import WHY, accesses, bury, editor, operate
from tests.makers.outside import dead_on, run_worker, waiting_on

pytestmark = pytest.mark.stores

TRACE = "1-67891233-abcdef012345678912345678"


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))


def held() -> int:
    return dead_letters.depths((queues.PAYMENTS,))[0].held


def test_counts_the_dead_letters_of_each_queue() -> None:
    bury(queues.PAYMENTS, "1", "2")
    bury(queues.DELIVERIES, "3")

    done = operate("list-dead-letters")

    lines = done.stdout.splitlines()
    others = [f"{name}  0  0" for name in ("rewards", "notices", "payouts")]
    assert lines == [
        "payments  2  0",
        "receipts  0  0",
        "gather  0  0",
        "deliveries  1  0",
        *others,
    ]


def test_lists_those_of_one_queue_and_leaves_them_there() -> None:
    ids = bury(queues.PAYMENTS, *(str(number) for number in range(23)))

    done = operate("list-dead-letters", "--queue=payments")

    assert sorted(line.split()[0] for line in done.stdout.splitlines()) == sorted(ids)
    assert "23 dead letters of payments." in done.stderr
    assert (dead_on(queues.PAYMENTS), held()) == (23, 0)


@pytest.mark.requirement("SEC-06")
def test_shows_a_dead_letter_only_for_a_reason() -> None:
    (message_id,) = bury(queues.PAYMENTS, '{"account": "acct-hazel"}')

    refused = operate("show-dead-letter", "--queue=payments", "--id", message_id)
    shown = operate("show-dead-letter", "--queue=payments", "--id", message_id, WHY)

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert (shown.exit_code, shown.stdout) == (0, '{"account": "acct-hazel"}\n')
    assert accesses() == [("show-dead-letter", message_id, WHY.removeprefix("--reason="))]
    assert (dead_on(queues.PAYMENTS), held()) == (1, 0)


@pytest.mark.requirement("SEC-06")
def test_shows_nothing_where_the_access_cannot_be_written_down() -> None:
    (message_id,) = bury(queues.PAYMENTS, '{"account": "acct-hazel"}')
    aws.client("dynamodb").delete_table(TableName=settings.table("cases"))

    done = operate("show-dead-letter", "--queue=payments", "--id", message_id, WHY)

    assert (done.exit_code, done.stdout, "acct-hazel" in done.stderr) == (2, "", False)


def test_mends_one_in_an_editor_and_puts_it_back_alone(tmp_path: Path) -> None:
    mended_id, _ = bury(queues.DELIVERIES, '{"a":"wrong"}', '{"a":"other"}')

    with editor(tmp_path, old="wrong", new="right"):
        done = operate("mend-dead-letter", "--queue=deliveries", "--id", mended_id, WHY)

    assert (done.exit_code, dead_on(queues.DELIVERIES)) == (0, 1)
    assert run_worker(queues.DELIVERIES).bodies == ('{"a":"right"}',)
    assert [command for command, *_ in accesses()] == ["mend-dead-letter"]


def test_a_mended_file_needs_no_reason(tmp_path: Path) -> None:
    (message_id,) = bury(queues.DELIVERIES, '{"a":"wrong"}')
    file = tmp_path / "mended.json"
    file.write_text('{"a":"right"}')

    done = operate(
        "mend-dead-letter", "--queue=deliveries", "--id", message_id, "--body", str(file)
    )

    assert (done.exit_code, accesses()) == (0, [])
    assert run_worker(queues.DELIVERIES).bodies == ('{"a":"right"}',)


def test_puts_all_back_on_their_own_queues_with_their_trace() -> None:
    bury(queues.PAYMENTS, *(json.dumps({"n": number}) for number in range(12)))
    aws.client("sqs").send_message(
        QueueUrl=queues.url(queues.DELIVERIES + DEAD_LETTER_SUFFIX),
        MessageBody="{}",
        MessageAttributes={"trace": {"DataType": "String", "StringValue": TRACE}},
    )

    done = operate("replay-dead-letters", "--all")

    assert (done.exit_code, "13 put back on their queue." in done.stderr) == (0, True)
    assert (waiting_on(queues.PAYMENTS), waiting_on(queues.DELIVERIES)) == (12, 1)
    assert (dead_on(queues.PAYMENTS), dead_on(queues.DELIVERIES)) == (0, 0)
    (message,) = aws.client("sqs").receive_message(
        QueueUrl=queues.url(queues.DELIVERIES), MessageAttributeNames=["All"]
    )["Messages"]
    assert message["MessageAttributes"]["trace"]["StringValue"] == TRACE


def test_puts_back_one_by_its_id() -> None:
    first, _ = bury(queues.PAYMENTS, "1", "2")

    done = operate("replay-dead-letters", "--queue=payments", "--id", first)
    again = operate("replay-dead-letters", "--queue=payments", "--id", first)

    assert (done.exit_code, again.exit_code) == (0, 1)
    assert "Refused: there is no such dead letter." in again.stderr
    assert run_worker(queues.PAYMENTS).bodies == ("1",)
    assert dead_on(queues.PAYMENTS) == 1


def test_puts_back_those_sent_in_a_span() -> None:
    bury(queues.PAYMENTS, "1", "2")
    tomorrow = datetime.now(UTC) + timedelta(days=1)  # SQS keeps the machine's time.
    later, earlier = f"{tomorrow:%Y-%m-%d}", f"{tomorrow - timedelta(days=3):%Y-%m-%d}"

    before = operate("replay-dead-letters", "--queue=payments", f"--until={earlier}")
    after = operate("replay-dead-letters", "--queue=payments", f"--since={later}")
    within = operate(
        "replay-dead-letters", "--queue=payments", f"--since={earlier}", f"--until={later}"
    )

    assert (before.exit_code, after.exit_code, within.exit_code) == (1, 1, 0)
    assert (waiting_on(queues.PAYMENTS), dead_on(queues.PAYMENTS)) == (2, 0)


def test_a_replay_that_cannot_send_loses_nothing() -> None:
    bury(queues.PAYMENTS, "1", "2")
    aws.client("sqs").delete_queue(QueueUrl=queues.url(queues.PAYMENTS))

    with pytest.raises(TryAgain):
        list(dead_letters.replay(queues.PAYMENTS, Wanted()))

    assert (dead_on(queues.PAYMENTS), held()) == (2, 0)


def test_a_look_that_is_left_gives_everything_back() -> None:
    bury(queues.PAYMENTS, "1", "2", "3")
    letters = dead_letters.look(queues.PAYMENTS)

    next(letters)
    letters.close()

    assert (dead_on(queues.PAYMENTS), held()) == (3, 0)


def test_says_plainly_what_cannot_be_done() -> None:
    done = [
        operate("replay-dead-letters", "--queue=payments"),
        operate("replay-dead-letters", "--id=nobody"),
        operate("list-dead-letters", "--queue=unheard"),
        operate("show-dead-letter", "--queue=payments", "--id=nobody", WHY),
        operate("replay-dead-letters", "--queue=payments", "--all"),
    ]

    assert [one.exit_code for one in done] == [2, 2, 1, 1, 0]
    assert "the queues are payments, receipts, gather, deliveries" in done[2].stderr
    assert "the queue has no dead letter of that id" in done[3].stderr
    assert [one.exception for one in done[:4] if not isinstance(one.exception, SystemExit)] == []
