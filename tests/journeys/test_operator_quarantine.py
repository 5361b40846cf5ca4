"""Quarantine at the operator's terminal: chosen by span, area and code; shown only for a reason."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.kernel.refusals import Malformed, NotAllowed
from chalicelib.network.model import Provider
from chalicelib.runtime import clock, quarantine, queues
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt
from tests.makers.network import BAKERY
from tests.makers.operating import WHY, accesses, editor, look_at, operate
from tests.makers.outside import run_worker, waiting_on

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))


def bad_entry() -> quarantine.Quarantined:
    """One of two receipts has a wrong total and is set aside."""
    send_receipts([till_receipt(PAYER), till_receipt(PAYER, "R-2", total_minor=1)])
    (kept,) = quarantine.list_day(NOON.date(), now=NOON)
    return kept


def keep(area: str, body: str, *, days_ago: int = 0, code: str = "shape") -> str:
    refusal = NotAllowed("it breaks a rule", code=code)
    return quarantine.keep(
        area, body, refusal, sender="somebody", now=NOON - timedelta(days=days_ago)
    )


@pytest.mark.requirement("SEC-06")
def test_shows_what_was_sent_only_after_the_access_is_written_down() -> None:
    kept = bad_entry()

    done = operate("show-quarantine", "--id", kept.quarantine_id, WHY)

    assert (done.exit_code, json.loads(done.stdout)["reference"]) == (0, "R-2")
    assert accesses() == [
        ("show-quarantine", kept.quarantine_id, "ticket 4711, the totals are wrong")
    ]


@pytest.mark.requirement("SEC-06")
@pytest.mark.parametrize("reason", [(), ("--reason=x",), ("--reason=        ",)])
@pytest.mark.parametrize("command", ["show-quarantine", "mend-quarantine"])
def test_shows_nothing_without_a_reason(command: str, reason: tuple[str, ...]) -> None:
    kept = bad_entry()

    done = operate(command, "--id", kept.quarantine_id, *reason)

    assert (done.exit_code, done.stdout) == (1, "")
    assert "it takes a reason of at least 8 characters, such as a ticket" in done.stderr
    assert accesses() == []


@pytest.mark.requirement("SEC-06")
def test_lists_bodies_only_for_a_reason() -> None:
    bad_entry()

    refused = operate("list-quarantine", "--bodies")
    shown = operate("list-quarantine", "--bodies", WHY)

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert (shown.exit_code, "Rye loaf" in shown.stdout) == (0, True)
    (access,) = accesses()
    assert access[:2] == ("list-quarantine", "1 of quarantine, any area, any code")


@pytest.mark.requirement("SEC-06")
def test_says_who_saw_what_on_a_day() -> None:
    kept = bad_entry()
    operate("show-quarantine", "--id", kept.quarantine_id, WHY)

    day = operate("list-access", "--day=2026-11-20")
    before = operate("list-access", "--day=2026-11-19")

    who = "arn:aws:sts::123456789012:user/moto"
    said = f"12:00:00  {who}  show-quarantine  {kept.quarantine_id}  ticket 4711"
    assert day.stdout.startswith(said)
    assert (before.stdout, before.exit_code) == ("", 0)


def test_mends_in_an_editor_and_puts_back(tmp_path: Path) -> None:
    kept = bad_entry()
    run_worker(queues.RECEIPTS)

    with editor(tmp_path, old='minor": 1,', new=f'minor": {PAYER.minor},') as seen:
        done = operate("mend-quarantine", "--id", kept.quarantine_id, WHY)

    assert (done.exit_code, "1 replayed, 0 refused." in done.stderr) == (0, True)
    assert json.loads(seen.read_text())["reference"] == "R-2"
    (message,) = run_worker(queues.RECEIPTS).bodies
    assert json.loads(message)["receipts"][0]["total_minor"] == PAYER.minor
    assert quarantine.list_day(NOON.date(), now=NOON) == []
    assert [command for command, *_ in accesses()] == ["mend-quarantine"]


def test_an_editor_that_changes_nothing_sends_nothing(tmp_path: Path) -> None:
    kept = bad_entry()
    run_worker(queues.RECEIPTS)

    with editor(tmp_path, old="no such text", new=""):
        done = operate("mend-quarantine", "--id", kept.quarantine_id, WHY)

    assert (done.exit_code, waiting_on(queues.RECEIPTS)) == (1, 0)
    assert "Nothing was changed, so nothing was sent." in done.stderr
    assert quarantine.list_day(NOON.date(), now=NOON) == [kept]


def test_a_mended_file_needs_no_reason_and_one_that_is_still_wrong_stays(tmp_path: Path) -> None:
    kept = bad_entry()
    file = tmp_path / "mended.json"
    file.write_text(kept.body.replace('"total_minor": 1,', '"total_minor": 2,'))

    done = operate("mend-quarantine", "--id", kept.quarantine_id, "--body", str(file))

    assert (done.exit_code, accesses()) == (1, [])
    assert f"{kept.quarantine_id}: total_mismatch (total_minor)" in done.stderr
    assert quarantine.list_day(NOON.date(), now=NOON) == [kept]


def test_fits_a_terminal_of_eighty_columns_and_cuts_no_id() -> None:
    kept = bad_entry()

    done = look_at("list-quarantine")

    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in done.stdout.splitlines()]
    assert max(len(line) for line in lines) <= 80
    assert lines[1].split() == ["id", "area", "reason", "field", "sender", "name"]
    assert lines[3].split()[:2] == [kept.quarantine_id, "tills"]


def test_replays_by_span_area_and_code() -> None:
    ids = {
        "today": keep("deliveries", '{"a": 1}'),
        "older": keep("deliveries", '{"a": 2}', days_ago=3),
        "oldest": keep("deliveries", '{"a": 3}', days_ago=9),
        "other": keep("payments", '{"a": 4}', days_ago=3),
        "gone": keep("deliveries", '{"a": 5}', days_ago=3, code="endpoint_gone"),
    }

    done = operate(
        *("replay-quarantine", "--since=2026-11-15", "--until=2026-11-19"),
        *("--area=deliveries", "--reason-code=shape"),
    )

    assert (done.exit_code, "1 replayed, 0 refused." in done.stderr) == (0, True)
    assert run_worker(queues.DELIVERIES).bodies == ('{"a": 2}',)
    left = operate("list-quarantine").stdout
    assert [name for name, one in ids.items() if one in left] == [
        "today",
        "oldest",
        "other",
        "gone",
    ]


def test_replays_everything_however_much_there_is() -> None:
    for number in range(3):
        keep("deliveries", f'{{"a": {number}}}', days_ago=number * 14)

    nothing_said = operate("replay-quarantine")
    done = operate("replay-quarantine", "--all")
    again = operate("replay-quarantine", "--all")

    assert (nothing_said.exit_code, done.exit_code, again.exit_code) == (2, 0, 1)
    assert "3 replayed, 0 refused." in done.stderr
    assert "Refused: nothing like that is in quarantine." in again.stderr
    assert waiting_on(queues.DELIVERIES) == 3


def test_pages_through_a_day_in_one_area() -> None:
    for number in range(5):
        keep("deliveries", f"{number}")
        keep("hooks", f"{number}")
    first = quarantine.list_day(NOON.date(), area="deliveries", now=NOON)

    rest = quarantine.list_day(NOON.date(), area="deliveries", after=first[1], now=NOON)
    of_all = quarantine.list_day(NOON.date(), after=first[4], now=NOON)

    assert (len(first), rest) == (5, first[2:])
    assert [one.area for one in of_all] == ["hooks"] * 5


def test_says_plainly_what_is_not_there() -> None:
    unknown = operate("show-quarantine", "--id=nobody", WHY)
    both = operate("list-quarantine", "--day=2026-11-20", "--since=2026-11-19")

    assert (unknown.exit_code, both.exit_code) == (1, 2)
    assert unknown.stderr == "Refused: nothing of that id is in quarantine.\n"
    assert accesses() == []


def test_masks_a_card_number_in_a_reason() -> None:
    kept = bad_entry()

    operate(
        "show-quarantine", "--id", kept.quarantine_id, "--reason=card 4111 1111 1111 1111 of Ada"
    )

    assert [why for *_, why in accesses()] == ["card [card number removed] of Ada"]


def test_a_replayed_entry_of_another_area_is_refused_as_it_stands() -> None:
    clock.use(lambda: NOON)
    keep("elsewhere", "{}")
    quarantine.keep("hooks", "[", Malformed("x"), sender="standard", now=NOON)

    done = operate("replay-quarantine", "--all")

    assert (done.exit_code, "0 replayed, 2 refused." in done.stderr) == (1, True)
    assert BAKERY not in done.stdout
