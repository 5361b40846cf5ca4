"""What the template lays over each Lambda that Chalice makes: its name, log, environment, limits.

One name everywhere: the function's in Python is the Lambda's, its log group's, its role's policy
file's and its runbook's.
"""

from typing import Any

from chalicelib.runtime import queues as names
from infra.template import queues
from infra.template.naming import APP, KEY, Part, arn, attribute, logical, physical
from infra.template.stages import Stage

API_HANDLER = "api_handler"
API_HANDLER_ID = "APIHandler"  # Chalice's own spelling.
LOG_FORMAT = {"LogFormat": "Text"}  # The app writes JSON lines itself; wrapping doubles the bytes.


def function_ids(template: Part) -> dict[str, str]:
    """The logical id of each Lambda of Chalice's `template` by the Lambda's name."""
    ids: dict[str, str] = {}
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            name = resource["Properties"]["Handler"].rpartition(".")[2]
            ids[API_HANDLER if logical_id == API_HANDLER_ID else name] = logical_id
    return ids


def lay_over_functions(stage: Stage, template: Part, urls: Part) -> dict[str, Part]:
    """The changes to every Lambda of Chalice's `template`, and to its log group."""
    made: dict[str, Part] = {}
    for name, logical_id in function_ids(template).items():
        made[logical_id] = _function(stage, name, template["Resources"][logical_id], urls)
        made[logical(name, "log-group")] = _log_group(stage, name)
    return made


def _function(stage: Stage, name: str, chalices: Part, urls: Part) -> Part:
    sources, polled = _events(stage, chalices["Properties"].get("Events", {}))
    properties: Part = {
        "FunctionName": physical(stage.name, name),
        "Environment": {"Variables": urls},
        "Tracing": "Active" if stage.tracing else "PassThrough",
        "LoggingConfig": LOG_FORMAT | {"LogGroup": f"/aws/lambda/{physical(stage.name, name)}"},
    }
    if sources:
        properties["Events"] = sources
    if name in stage.reserved:
        properties["ReservedConcurrentExecutions"] = stage.reserved[name]
    return {
        # An event source is refused while its queue is not there, and names it without a reference.
        "DependsOn": [logical(name, "log-group"), *(logical(queue, "queue") for queue in polled)],
        "Properties": properties,
    }


def _log_group(stage: Stage, name: str) -> Part:
    """Made before the Lambda, whose role may not make one: a log group without an end is kept."""
    return {
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            # Chalice's own is an Fn::Sub; what is laid over it must be one too.
            "LogGroupName": {
                "Fn::Sub": ["/aws/lambda/${Name}", {"Name": physical(stage.name, name)}]
            },
            "RetentionInDays": stage.log_days,
            "KmsKeyId": attribute(KEY),
        },
    }


def _events(stage: Stage, chalices: Part) -> tuple[dict[str, Part], list[str]]:
    """Changes to Chalice's queue events, one more per direct retailer, and all their queues."""
    made: dict[str, Part] = {}
    polled: list[str] = []
    for event_id, event in chalices.items():
        if event["Type"] != "SQS":
            continue
        queue = _queue_name(stage, event)
        made[event_id] = {"Properties": _polling(stage, queue)}
        direct = queues.direct_queues(stage) if queue == names.RECEIPTS else ()
        for own in direct:
            made[logical(own, "event-source")] = {
                "Type": "SQS",
                "Properties": {
                    "Queue": queues.arn_of(stage, own),
                    "BatchSize": event["Properties"]["BatchSize"],
                    **_polling(stage, queue),
                },
            }
        polled += [queue, *direct]
    return made, polled


def _polling(stage: Stage, queue: str) -> dict[str, Any]:
    return {
        # Only what failed comes back; without this one bad message repeats its whole batch.
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": stage.concurrency[queue]},
    }


def _queue_name(stage: Stage, event: Part) -> str:
    """The queue of one of Chalice's SQS events, without the stage."""
    written: str = event["Properties"]["Queue"]["Fn::Sub"]
    return written.rpartition(":")[2].removeprefix(f"{APP}-{stage.name}-")


def function_arn(stage: Stage, name: str) -> Part:
    """The ARN of a Lambda by its name, and so without a dependency on it."""
    return arn("lambda", f"function:{physical(stage.name, name)}")
