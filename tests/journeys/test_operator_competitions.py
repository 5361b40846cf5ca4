"""The operator's terminal: competitions are listed, drawn once for a reason, and drawn again."""

import pytest

from chalicelib.offers.competitions import store
from chalicelib.offers.competitions.drawing import draw_winners
from chalicelib.privacy import access_log
from chalicelib.runtime import clock, rows
from infra.cli import terminal
from tests.makers.competitions import ENDS_AT, HAMPER, KNOWN_AT, SEED, enter, entry_id, run
from tests.makers.offers import join, open_town
from tests.makers.operating import WHY, operate

pytestmark = [pytest.mark.stores, pytest.mark.requirement("OFR-08")]
OF = f"--competition={HAMPER}"


@pytest.fixture(autouse=True)
def over(embedded_aws: None) -> None:
    """Four have entered a competition that can be drawn now."""
    open_town()
    run()
    for number in range(1, 5):
        enter(join(f"member-{number}", number), number)
    clock.use(lambda: KNOWN_AT)


def test_an_operator_draws_once_and_says_why() -> None:
    drawn = operate("draw-competition", OF, f"--seed={SEED}", WHY)
    again = operate("draw-competition", OF, f"--seed={SEED}", WHY)
    other = operate("draw-competition", OF, "--seed=1 2 3", WHY)

    winners = draw_winners(SEED, map(entry_id, range(1, 5)), 3)
    assert drawn.exit_code == 0
    assert drawn.stdout.split() == [
        word for place, entry in enumerate(winners, start=1) for word in (str(place), entry)
    ]
    assert "Drawn of 4 entries with the seed “3 11 19 24 41 52”." in drawn.stderr
    assert (again.exit_code, again.stdout) == (0, drawn.stdout)
    assert other.exit_code == terminal.EXIT_REFUSED
    assert "Refused: it was drawn with another seed." in other.stderr
    found = store.find_competition(HAMPER, now=KNOWN_AT)
    assert found is not None
    assert found.draw is not None
    noted = access_log.list_accesses(KNOWN_AT.date(), now=KNOWN_AT)
    assert {(one.command, one.subject) for one in noted} == {("draw-competition", HAMPER)}
    assert found.draw.drawn_by == noted[0].reader


def test_no_draw_without_a_reason() -> None:
    refused = operate("draw-competition", OF, f"--seed={SEED}")

    assert refused.exit_code == terminal.EXIT_REFUSED
    assert [one.draw for one in store.list_competitions(None, now=KNOWN_AT)] == [None]


def test_anybody_who_may_read_draws_again_and_sees_what_differs() -> None:
    before = operate("verify-draw", OF)
    operate("draw-competition", OF, f"--seed={SEED}", WHY)
    same = operate("verify-draw", OF)
    rows.put(store.PooledRow(f"pool#{HAMPER}#03", "slipped-in").keep_from(ENDS_AT))
    differs = operate("verify-draw", OF)

    assert (before.exit_code, same.exit_code) == (terminal.EXIT_REFUSED, 0)
    assert "Refused: the competition was not drawn." in before.stderr
    assert "Drawn again, it is the same draw." in same.stderr
    assert differs.exit_code == terminal.EXIT_REFUSED
    assert "The entries would be 5; recorded is 4." in differs.stderr


def test_lists_what_can_be_drawn() -> None:
    listed = operate("list-competitions")

    assert listed.stdout.split() == [
        HAMPER,
        "ended",
        "2026-12-18T00:00:00Z",
        "2026-12-19T21:00:00Z",
        "4",
        "3",
    ]
