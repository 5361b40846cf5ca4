"""True requests, spoilt and sent with true credentials and true signatures.

Made-up bodies seldom get past the shape. These begin as what a bank or a till really sends, so they
reach matching, purchases and deliveries. Every answer is held against `/openapi.json`, and the
workers must come to rest without a bug and without a dead message.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from jsonschema import Draft202012Validator

from infra.fuzzing.mutating import broken, mutated
from infra.fuzzing.sending import Sending
from infra.fuzzing.world import World
from infra.local.calling import Answered, call

LOGGER = "counterfoil-platform"
DRAIN_SECONDS_MAX = 300.0


@dataclass(slots=True)
class Sent:
    """How many requests were sent, how they were answered by operation and status, and findings."""

    cases: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    worked: int = 0
    dead: int = 0


def fuzz(world: World, *, seed: int, count: int) -> Sent:
    """Send `count` requests made from `seed`, then let the workers come to rest."""
    from infra.fuzzing.sendings import sendings  # It knows row types, which need the stage.

    document = call("GET", f"{world.base_url}/openapi.json").json()
    random, sent, bugs = Random(seed), Sent(), _Bugs()
    true_ones = list(sendings(world))
    logging.getLogger(LOGGER).addHandler(bugs)
    try:
        for number in range(count):
            _send(true_ones[number % len(true_ones)], document, random, sent)
        sent.worked = world.stack.pump.drain(seconds_max=DRAIN_SECONDS_MAX)
    finally:
        logging.getLogger(LOGGER).removeHandler(bugs)
    sent.dead = world.stack.pump.dead_lettered()
    sent.findings += [*bugs.found, *_crashes(world)]
    sent.findings += [f"{sent.dead} messages are dead"] if sent.dead else []
    return sent


def _send(true_one: Sending, document: Mapping[str, Any], random: Random, sent: Sent) -> None:
    spoil = mutated if true_one.is_json else broken
    body = spoil(true_one.body, random)
    method = true_one.operation.partition(" ")[0]
    answer = call(method, true_one.url, body=body, headers=true_one.headers(body))
    sent.cases += 1
    answered = f"{true_one.operation} {answer.status}"
    sent.answers[answered] = sent.answers.get(answered, 0) + 1
    for wrong in complaints(document, true_one.operation, answer):
        sent.findings.append(f"{true_one.operation} {wrong}, sent {body[:500]!r}")


def complaints(document: Mapping[str, Any], operation: str, answer: Answered) -> Iterator[str]:
    """How `answer` is not what `document` (OpenAPI 3.1) says of `operation`, and any 5xx."""
    method, _, path = operation.partition(" ")
    responses = document["paths"][path][method.lower()]["responses"]
    described = responses.get(str(answer.status))
    if answer.status >= 500 or answer.status == 0 or described is None:
        yield f"answered {answer.status}: {answer.body[:300]!r}"
        return
    kinds = described.get("content", {})
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kinds and kind not in kinds:
        yield f"answered {answer.status} as {kind!r}"
    elif "json" in kind and kinds:
        schema = {**kinds[kind]["schema"], "components": document["components"]}
        for error in Draft202012Validator(schema).iter_errors(answer.json()):
            yield f"answered {answer.status} with {error.json_path}: {error.message[:200]}"


def _crashes(world: World) -> Iterator[str]:
    for (name, outcome), count in world.stack.pump.counts.items():
        if outcome == "crashed" and count:
            yield f"{name} crashed {count} times"


class _Bugs(logging.Handler):
    """Hears of failures that nobody expected."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        shown = logging.Formatter().format(record)
        self.found.append(f"a bug was logged: {shown[-1_500:]}")
