"""How quick: a webhook, an import of each Lambda, pairs weighed in a second, a what-if.

Times are judged against something measured in the same run on the same machine: a webhook against
one raw botocore call, an import against PynamoDB's own. So they hold on any machine.
"""

import contextlib
import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from botocore.awsrequest import AWSResponse

from chalicelib.runtime import aws, clock, queues
from infra.bench import backtests, baskets, stage
from infra.simulation.attempts import response

CALLS = 400
IMPORTS = 9
PAIRS = 60_000
COLD_STARTS = {
    "app, asked for a hook": "from app import app; app.reach('/hooks/{hook}')",
    "app, asked for a receipt": "from app import app; app.reach('/v1/receipts/{reference}')",
    "app, all of it": "from app import app; app.reach('/health')",
    "chalicelib.workers.payments": "import chalicelib.workers.payments",
    "chalicelib.workers.receipts": "import chalicelib.workers.receipts",
    "chalicelib.workers.deliveries": "import chalicelib.workers.deliveries",
    "chalicelib.workers.waiting": "import chalicelib.workers.waiting",
    "chalicelib.workers.rewards": "import chalicelib.workers.rewards",
}
_PYNAMODB = (
    "from pynamodb.models import Model; from pynamodb.connection import Connection; "
    "Connection(region='eu-west-2').client"
)


def measure(*, back_tested: int) -> dict[str, Any]:
    """Every figure, with what it is judged against, and how busy the machine was.

    `back_tested` is on how many purchases a back-test is timed.
    """
    return {
        "webhook": _webhook(),
        "imports": _imports(),
        "pairs_per_second": _pairs_per_second(),
        "what_if": baskets.measure(),
        "back_test": backtests.measure(back_tested),
        "load": os.getloadavg()[0],
    }


def _webhook() -> dict[str, float]:
    """Processor milliseconds of a signed webhook and of one call that sends one message."""
    from app import app
    from infra.bench.shift import sales_of
    from infra.bench.town import build_town, lambda_context, payment_webhook

    random = Random(1)
    with stage.empty_stage() as outside:
        town = build_town(
            random, stores=1, member_count=1, within_seconds=30, bank_url=outside.bank.url
        )
        sale = next(s for s in sales_of(random, count=99, stores=1, members=1) if s.member == 0)
        at = sale.paid_at + timedelta(seconds=2)
        clock.use(lambda: at)
        event = payment_webhook(town, sale, kind="authorised", at=at)
        url, context = queues.url(queues.PAYMENTS), lambda_context("api_handler")
        answer = app(event, context)  # What a process does once is not a webhook's.
        if answer["statusCode"] != 200:
            raise RuntimeError(f"the webhook was answered {answer}")
        events = aws.client("sqs").meta.events
        events.register_first("before-send.sqs", _sent)
        try:
            entry = {"Id": "0", "MessageBody": "x" * 700}
            one_call = _milliseconds(
                lambda: aws.client("sqs").send_message_batch(QueueUrl=url, Entries=[entry])
            )
            with contextlib.redirect_stdout(io.StringIO()):
                acknowledged = _milliseconds(lambda: app(event, context))
        finally:
            events.unregister("before-send.sqs", _sent)
            clock.use(None)
    return {"webhook_ms": acknowledged, "raw_call_ms": one_call, "times": acknowledged / one_call}


def _sent(request: Any, **_: Any) -> AWSResponse:
    return response(request.url, lambda: {"Successful": [{"Id": "0", "MessageId": "m"}]})


def _milliseconds(call: Callable[[], Any]) -> float:
    """The median processor time of `call` in this thread."""
    taken = []
    for _ in range(CALLS):
        began = time.thread_time()
        call()
        taken.append(time.thread_time() - began)
    return statistics.median(taken) * 1000


def _imports() -> dict[str, Any]:
    """Seconds of a fresh interpreter for each Lambda, turn by turn with PynamoDB's own.

    The least of several: whatever else the machine does only adds.
    """
    codes = {"bare": "pass", "pynamodb": _PYNAMODB, **COLD_STARTS}
    taken: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(IMPORTS):
        for name, times in taken.items():
            times.append(_seconds(codes[name]))
    least = {name: min(times) for name, times in taken.items()}
    own = least["pynamodb"]
    return {
        "seconds": least,
        "times_pynamodb": {name: least[name] / own for name in COLD_STARTS},
    }


def _seconds(code: str) -> float:
    began = time.perf_counter()
    environment = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "counterfoil-bench"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    return time.perf_counter() - began


def _pairs_per_second() -> float:
    """Pairs of a payment and a receipt's part that the matcher weighs in a second of one core."""
    from chalicelib.matching.kept_clocks import KeptClocks
    from chalicelib.matching.rates import BELIEVED
    from chalicelib.matching.scene import charge_of, scene_of
    from chalicelib.matching.weighing import Scales
    from infra.bench.candidates import payments_and_receipts

    payments, receipts = payments_and_receipts(Random(3))
    scene = scene_of(receipts)
    scales = Scales(scene.shelf, scene.said, KeptClocks({}), BELIEVED)
    charges = [charge_of(payment) for payment in payments]
    weighed = 0
    began = time.thread_time()
    while weighed < PAIRS:
        weighed += sum(len(scales.weigh(charge)) for charge in charges)
    return weighed / (time.thread_time() - began)
