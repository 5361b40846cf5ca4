"""What a Lambda imports before it can answer: no more than what it is asked for."""

import json
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from app import AREAS, app

ROOT = Path(__file__).parents[2]
IN_LAMBDA = {
    "COUNTERFOIL_STAGE": "test",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "COUNTERFOIL_PUBLIC_URL": "https://counterfoil.example",
    "AWS_LAMBDA_FUNCTION_NAME": "counterfoil-test",
    "PYTHONPATH": str(ROOT),
}
AREAS_BY_PATH: dict[str, set[str]] = defaultdict(set)
for path, methods in app.routes.items():
    AREAS_BY_PATH[path] |= {
        entry.view_function.__module__.rpartition(".")[2] for entry in methods.values()
    }


def said_in_lambda(program: str) -> dict[str, object]:
    """What `program` prints last, run alone, where Lambda's own variables are set."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=IN_LAMBDA,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def packages_after(program: str) -> set[str]:
    """The packages of ours, and the large ones of others, that `program` has imported."""
    said = said_in_lambda(
        f"import json, sys\n{program}\n"
        "ours = {n.split('.')[1] for n in sys.modules if n.startswith('chalicelib.')}\n"
        "others = {n for n in sys.modules if n in ('joserfc', 'jinja2', 'dateutil.rrule')}\n"
        "print(json.dumps({'found': sorted(ours | others)}))"
    )
    found = said["found"]
    assert isinstance(found, list)
    return set(found)


def test_serves_each_path_from_one_area() -> None:
    assert {path: areas for path, areas in AREAS_BY_PATH.items() if len(areas) != 1} == {}


def test_names_every_area_that_has_routes_once() -> None:
    assert sorted(AREAS) == sorted({area for areas in AREAS_BY_PATH.values() for area in areas})


def test_answers_the_first_request_of_a_cold_start_whatever_it_is() -> None:
    event = {
        "httpMethod": "GET",
        "headers": {},
        "multiValueHeaders": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "body": None,
        "isBase64Encoded": False,
        "stageVariables": None,
    }
    said = said_in_lambda(
        "import json\nfrom app import app\n"
        f"event = {event!r}\n"
        "answers = {}\n"
        "for path in ('/no/such', '/health', '/openapi.json'):\n"
        "    event['requestContext'] = {'resourcePath': path, 'httpMethod': 'GET'}\n"
        "    event['path'] = path\n"
        "    answer = app(event, None)\n"
        "    answers[path] = [answer['statusCode'], len(json.loads(answer['body'])"
        ".get('paths', ()))]\n"
        "print(json.dumps(answers))"
    )

    assert said == {"/no/such": [405, 0], "/health": [200, 0], "/openapi.json": [200, 74]}


def test_learns_all_routes_when_the_last_area_is_asked_for() -> None:
    said = said_in_lambda(
        "import json\nfrom app import app\n"
        "app.reach('/health')\n"
        "print(json.dumps({'routes': sorted(app.routes), 'workers': len(app.event_sources)}))"
    )

    assert said == {"routes": sorted(app.routes), "workers": 0}


def test_imports_one_area_more_at_a_time() -> None:
    paths = [next(p for p, areas in AREAS_BY_PATH.items() if areas == {area}) for area in AREAS]

    said = said_in_lambda(
        "import json, sys\nfrom app import app, AREAS\n"
        f"counts = []\nfor path in {paths!r}:\n"
        "    app.reach(path)\n"
        "    counts.append(sum(f'chalicelib.api.{a}' in sys.modules for a in AREAS))\n"
        "print(json.dumps({'counts': counts}))"
    )

    counts = said["counts"]
    assert isinstance(counts, list)
    assert counts == list(range(1, len(AREAS) + 1))
    assert all(after == before + 1 for before, after in pairwise(counts))


@pytest.mark.parametrize(
    "program",
    [
        "from app import app; app.reach('/hooks/{hook}')",
        "import chalicelib.workers.payments",
        "import chalicelib.workers.receipts",
        "import chalicelib.workers.waiting",
    ],
)
def test_joins_payments_and_receipts_without_knowing_of_rewards(program: str) -> None:
    unasked = {"loyalty", "offers", "budgets", "ledger", "payouts", "rewards", "joserfc", "jinja2"}

    assert packages_after(program) & unasked == set()
