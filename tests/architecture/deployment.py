"""What would be deployed, as data: every route, and every Lambda with what wakes and limits it."""

import json
from dataclasses import replace
from typing import Any

from chalice import Chalice
from chalice.app import ScheduledEventConfig, ScheduleExpression, SQSEventConfig
from chalice.config import Config

from chalicelib.runtime import settings
from infra.template.assembling import make_template
from infra.template.functions import function_ids
from infra.template.roles import exact_policy
from infra.template.stages import Stage, read_stage
from tests.architecture.sources import ROOT

STAGE = "prod"
API_HANDLER = "api_handler"  # Chalice's own name for the Lambda behind the API.


def lambdas(app: Chalice) -> dict[str, Any]:
    """The registered event source of each Lambda by name; None for the API's."""
    by_name: dict[str, Any] = {API_HANDLER: None}
    for source in app.event_sources:
        by_name[source.name] = source
    return by_name


def snapshot(app: Chalice) -> dict[str, Any]:
    """Routes and Lambdas as the template deploys them, with production's settings."""
    template = make_template(production())
    return {
        "routes": sorted(
            f"{method} {path}" for path, methods in app.routes.items() for method in methods
        ),
        "routes_of_the_hooks_api": sorted(
            resource["Properties"]["RouteKey"]
            for resource in template["Resources"].values()
            if resource["Type"] == "AWS::ApiGatewayV2::Route"
        ),
        "lambdas": {
            name: _lambda(name, source, app) | _deployed(name, template)
            for name, source in sorted(lambdas(app).items())
        },
    }


def production() -> Stage:
    """Production's settings under the name of the tests' stage, of which the app is imported."""
    return replace(read_stage("prod"), name="test")


def _deployed(name: str, template: dict[str, Any]) -> dict[str, Any]:
    """What the template adds to a Lambda: limits, environment, and what its role may do."""
    properties = template["Resources"][function_ids(template)[name]]["Properties"]
    events = properties.get("Events", {}).values()
    concurrency = [
        event["Properties"]["ScalingConfig"]["MaximumConcurrency"]
        for event in events
        if event["Type"] == "SQS"
    ]
    return {
        "concurrency_max": max(concurrency, default=None),
        "reserved": properties.get("ReservedConcurrentExecutions"),
        "environment": sorted(properties["Environment"]["Variables"]),
        "tracing": properties["Tracing"],
        "may": {
            statement["Sid"]: {
                "actions": statement["Action"],
                "resources": [_short(resource) for resource in _listed(statement["Resource"])],
            }
            for statement in exact_policy(production(), name)["Statement"]
        },
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _short(resource: Any) -> str:
    """A resource without what is the same of all."""
    text: str = resource if isinstance(resource, str) else resource["Fn::Sub"]
    return text.rpartition("${AWS::AccountId}:")[2].replace("counterfoil-test", "{stage}")


def config_of(name: str, app: Chalice) -> Config:
    """Chalice's own reading of the configuration for the Lambda called `name`."""
    on_disk = json.loads((ROOT / ".chalice" / "config.json").read_text())
    return Config(
        chalice_stage=STAGE,
        function_name=name,
        user_provided_params={"chalice_app": app, "project_dir": str(ROOT)},
        config_from_disk=on_disk,
    )


def _lambda(name: str, source: Any, app: Chalice) -> dict[str, Any]:
    config = config_of(name, app)
    return {
        "handler": source.handler_string if source else "app.app",
        **_waking(source),
        "timeout_seconds": config.lambda_timeout,
        "memory_mb": config.lambda_memory_size,
        "policy": config.iam_policy_file,
        "policy_is_generated": config.autogen_policy,
        "environment": sorted(config.environment_variables),
    }


def _waking(source: Any) -> dict[str, Any]:
    if isinstance(source, SQSEventConfig):
        return {
            "queue": source.queue.replace(f"-{settings.stage()}-", "-{stage}-"),
            "batch_size": source.batch_size,
            "window_seconds": source.maximum_batching_window_in_seconds,
            "concurrency_max": source.maximum_concurrency,
        }
    if isinstance(source, ScheduledEventConfig):
        expression = source.schedule_expression
        is_made = isinstance(expression, ScheduleExpression)
        return {"schedule": expression.to_string() if is_made else expression}
    return {} if source is None else {"kind": type(source).__name__}
