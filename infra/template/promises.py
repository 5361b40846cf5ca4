"""The alarms, as data: what is promised, what shows it broken, the bound and its reason.

An alarm that nobody has to act on teaches people to ignore alarms, so each names the runbook that
says what to do. Measures of ours are described in docs/metrics.md.
"""

from collections.abc import Iterable, Mapping

from chalicelib.network.model import Provider
from chalicelib.runtime import queues as names
from infra import resources
from infra.resources import DEAD_LETTER_SUFFIX
from infra.template import queues
from infra.template.alarms import ALARMS_MD, HOUR, MINUTES_15, OURS, SECONDS, Alarm, Metric, Query
from infra.template.naming import Part, physical, sub
from infra.template.platform_alarms import PLATFORM
from infra.template.stages import Stage

WAITS_SECONDS_MAX = {
    names.PAYMENTS: 3_600,
    names.RECEIPTS: 3_600,
    names.GATHER: 3_600,
    names.DELIVERIES: 86_400,
    names.PAYOUTS: 2 * 86_400,
    names.NOTICES: 86_400,
    names.REWARDS: 7_200,
}
# How long a schedule may be silent: some runs, because one that is lost is made up by the next.
SILENT_HOURS_MAX = {
    "look_again": 1,
    "finish_departures": 1,
    "sweep_retention": 3,
    "look_at_cases": 3,
    "tell_expiring": 3,
    "tend_campaigns": 1,
    "end_waiting": 26,
    "close_day": 20,
    "look_up_payouts": 1,
}


def alarms_of(stage: Stage, functions: Iterable[str]) -> tuple[Alarm, ...]:
    """Every alarm of `stage`, whose Lambdas are `functions`."""
    lambdas = sorted(functions)
    return (
        *_of_queues(stage),
        *(alarm for name in lambdas for alarm in _of_lambda(stage, name)),
        *_of_apis(stage),
        *(_of_table(stage, name) for name in resources.TABLES),
        *(_of_schedule(job, hours) for job, hours in SILENT_HOURS_MAX.items()),
        *_of_telling(stage),
        *PLATFORM,
        *_of_silence(stage),
    )


def _of_queues(stage: Stage) -> Iterable[Alarm]:
    for queue in queues.queues_of(stage):
        common = names.RECEIPTS if queue.name.startswith(names.DIRECT_RECEIPTS) else queue.name
        worker = WORKER_OF[common]
        own_name = physical(stage.name, queue.name)
        yield Alarm(
            name=f"{queue.name}-has-dead-letters",
            measure=_sqs("ApproximateNumberOfMessagesVisible", own_name + DEAD_LETTER_SUFFIX),
            threshold=1,
            says=f"Messages of {queue.name} failed {queue.receives_max} times and were set aside.",
            because="No message may be lost, so the first one counts.",
            runbook=f"docs/runbooks/{worker}.md#what-its-dead-letters-mean",
        )
        yield Alarm(
            name=f"{queue.name}-waits-too-long",
            measure=_sqs("ApproximateAgeOfOldestMessage", own_name),
            threshold=WAITS_SECONDS_MAX[common],
            says=f"A message waits on {queue.name} longer than back-off explains.",
            because=(
                "Telling a bank is tried for a day and a half: after a day the bank is away."
                if common in (names.DELIVERIES, names.NOTICES)
                else "An obstacle that passes is over within an hour, by back-off's own times."
            ),
            runbook=f"{ALARMS_MD}#a-queue-waits-too-long",
        )


WORKER_OF = {
    names.PAYMENTS: "record_payment",
    names.RECEIPTS: "record_receipts",
    names.GATHER: "gather_receipts",
    names.DELIVERIES: "deliver_receipt",
    names.REWARDS: "settle_rewards",
    names.PAYOUTS: "send_payouts",
    names.NOTICES: "send_notices",
}


def _sqs(name: str, queue: str) -> Metric:
    return Metric("AWS/SQS", (name,), {"QueueName": queue}, "Maximum")


def _of_lambda(stage: Stage, name: str) -> Iterable[Alarm]:
    where = {"FunctionName": physical(stage.name, name)}
    is_schedule = name in SILENT_HOURS_MAX
    yield Alarm(
        name=f"{name}-fails",
        measure=Metric("AWS/Lambda", ("Errors",), where, "Sum"),
        threshold=2 if is_schedule else 3,
        seconds=HOUR if is_schedule else SECONDS,
        says=f"{name} crashes: out of time or memory, or its code does not start.",
        because=(
            "Lambda repeats a failed run by itself; a second failure is ours."
            if is_schedule
            else "A worker catches what goes wrong in one message, so an error is a crash. "
            "One may be AWS's own, three in five minutes are not."
        ),
        runbook=f"{ALARMS_MD}#a-lambda-fails",
    )
    yield Alarm(
        name=f"{name}-is-throttled",
        measure=Metric("AWS/Lambda", ("Throttles",), where, "Sum"),
        threshold=1,
        periods=3,
        times=3,
        says=f"{name} is refused by Lambda for want of concurrency.",
        because="A peak passes within minutes; a quarter of an hour is a limit set too low.",
        runbook=f"{ALARMS_MD}#a-lambda-is-throttled",
    )


def _of_apis(stage: Stage) -> Iterable[Alarm]:
    apis: tuple[tuple[str, str, Mapping[str, str | Part]], ...] = (
        ("public-api", "5XXError", {"ApiName": physical(stage.name, "public")}),
        ("hooks-api", "5xx", {"ApiId": sub("${HooksApi}")}),
    )
    for api, name, dimensions in apis:
        yield Alarm(
            name=f"{api}-answers-5xx",
            measure=Metric("AWS/ApiGateway", (name,), dimensions, "Sum"),
            threshold=5,
            says=f"The {api} answers 5xx.",
            because="One may be a throttled write that its sender repeats; five are a fault.",
            runbook=f"{ALARMS_MD}#an-api-answers-5xx",
        )
        yield Alarm(
            name=f"{api}-is-slow",
            measure=Metric("AWS/ApiGateway", ("Latency",), dimensions, "p99"),
            threshold=5_000,
            periods=3,
            times=3,
            says=f"One in a hundred answers of the {api} takes more than five seconds.",
            because="Fidel gives up after ten seconds, and others do not say when: half of that.",
            runbook=f"{ALARMS_MD}#an-api-is-slow",
        )


def _of_table(stage: Stage, name: str) -> Alarm:
    return Alarm(
        name=f"{name}-table-is-throttled",
        measure=Metric(
            "AWS/DynamoDB",
            ("ReadThrottleEvents", "WriteThrottleEvents"),
            {"TableName": physical(stage.name, name)},
            "Sum",
        ),
        threshold=10,
        periods=3,
        times=3,
        says=f"DynamoDB refuses reads or writes of the table {name}.",
        because="An on-demand table grows within minutes; what is refused longer is a hot key.",
        runbook=f"{ALARMS_MD}#a-table-is-throttled",
    )


def _of_schedule(job: str, hours: int) -> Alarm:
    return Alarm(
        name=f"{job}-did-not-run",
        measure=Metric(OURS, ("schedules_done",), {"job": job}, "Sum"),
        threshold=1,
        is_floor=True,
        missing_breaches=True,
        seconds=HOUR,
        periods=hours,
        times=hours,
        says=f"The schedule {job} has not come to its end for {hours} h.",
        because="One run that is lost is made up by the next; this many are not chance.",
        runbook=f"{ALARMS_MD}#schedules_done",
    )


def _of_telling(stage: Stage) -> Iterable[Alarm]:
    for provider in Provider:
        yield Alarm(
            name=f"delivery-lags-{provider.value.replace('_', '-')}",
            measure=Metric(OURS, ("delivery_lag_seconds",), {"provider": provider.value}, "p50"),
            threshold=stage.delivery_lag_seconds_max,
            seconds=MINUTES_15,
            periods=4,
            times=4,
            says=f"Half of {provider.value}'s receipts come later after the payment than promised.",
            because="The stage's delivery_lag_seconds_max, for an hour: one file makes a peak.",
            runbook=f"{ALARMS_MD}#delivery_lag_seconds",
        )
    yield Alarm(
        name="matches-lag",
        measure=Metric(OURS, ("match_lag_seconds",), {}, "p50"),
        threshold=stage.delivery_lag_seconds_max,
        seconds=MINUTES_15,
        periods=4,
        times=4,
        says="Half of the payments find their receipts later than banks are promised to be told.",
        because="The stage's delivery_lag_seconds_max, for an hour: one file makes a peak.",
        runbook=f"{ALARMS_MD}#match_lag_seconds",
    )


def _of_silence(stage: Stage) -> Iterable[Alarm]:
    if stage.silent_hours_max == 0:
        return
    yield Alarm(
        name="banks-are-silent",
        measure=Query("SUM", "payments_received"),
        threshold=1,
        is_floor=True,
        missing_breaches=True,
        seconds=HOUR,
        periods=stage.silent_hours_max,
        times=stage.silent_hours_max,
        says="No bank has told of any payment for hours.",
        because="The stage's silent_hours_max, longer than its quietest night.",
        runbook=f"{ALARMS_MD}#connection_events",
    )
