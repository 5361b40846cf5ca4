"""Each Lambda as it is deployed: one name, its queue, its limits, its address outside."""

import pytest

from infra.template import gateways
from tests.makers import template
from tests.makers.template import resources_of

QUEUE_OF = {
    "record_payment": ("payments", 100),
    "record_receipts": ("receipts", 100),
    "gather_receipts": ("gather", 10),
    "deliver_receipt": ("deliveries", 20),
    "settle_rewards": ("rewards", 50),
    "send_notices": ("notices", 20),
    "send_payouts": ("payouts", 5),
}
SCHEDULES = (
    "close_day",
    "end_waiting",
    "finish_departures",
    "look_again",
    "look_at_cases",
    "tell_expiring",
    "look_up_payouts",
    "sweep_retention",
    "tend_campaigns",
)


def test_calls_each_lambda_its_log_and_its_policy_by_one_name() -> None:
    functions = resources_of("AWS::Lambda::Function")
    groups = {
        tuple(group["LogGroupName"]["Fn::Sub"][1].values())
        for group in resources_of("AWS::Logs::LogGroup").values()
        if isinstance(group["LogGroupName"], dict)
    }

    names = {function["FunctionName"] for function in functions.values()}
    assert names == {f"counterfoil-test-{name}" for name in (*QUEUE_OF, *SCHEDULES, "api_handler")}
    assert groups == {(name,) for name in names}
    for function in functions.values():
        assert function["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{function['FunctionName']}"
        assert function["Handler"].rpartition(".")[2] in (
            function["FunctionName"].removeprefix("counterfoil-test-"),
            "app",
        )


def test_tells_every_queue_which_messages_failed_and_bounds_its_workers() -> None:
    sources = resources_of("AWS::Lambda::EventSourceMapping").values()

    polled = {
        source["EventSourceArn"]["Fn::Sub"].rpartition("-test-")[2]: (
            source["FunctionName"]["Ref"],
            source["FunctionResponseTypes"],
            source["ScalingConfig"]["MaximumConcurrency"],
        )
        for source in sources
    }
    reports = ["ReportBatchItemFailures"]
    assert polled == {
        "payments": ("RecordPayment", reports, 100),
        "receipts": ("RecordReceipts", reports, 100),
        "receipts-from-acme": ("RecordReceipts", reports, 100),
        "gather": ("GatherReceipts", reports, 10),
        "deliveries": ("DeliverReceipt", reports, 20),
        "rewards": ("SettleRewards", reports, 50),
        "notices": ("SendNotices", reports, 20),
        "payouts": ("SendPayouts", reports, 5),
    }


@pytest.mark.parametrize("name", SCHEDULES)
def test_never_runs_a_schedule_twice_at_once(name: str) -> None:
    functions = {f["FunctionName"]: f for f in resources_of("AWS::Lambda::Function").values()}

    assert functions[f"counterfoil-test-{name}"]["ReservedConcurrentExecutions"] == 1


def test_tells_each_lambda_where_it_is_reached_without_a_setting() -> None:
    for function in resources_of("AWS::Lambda::Function").values():
        host = "execute-api.${AWS::Region}.${AWS::URLSuffix}"
        assert function["Environment"]["Variables"] == {
            "COUNTERFOIL_STAGE": "test",
            "COUNTERFOIL_PUBLIC_URL": {"Fn::Sub": f"https://${{RestAPI}}.{host}/test"},
            "COUNTERFOIL_HOOKS_URL": {"Fn::Sub": f"https://${{HooksApi}}.{host}"},
        }


def test_tells_each_lambda_the_operators_own_names_where_there_are_some() -> None:
    for function in resources_of("AWS::Lambda::Function", template.with_domains).values():
        assert function["Environment"]["Variables"] == {
            "COUNTERFOIL_STAGE": "test",
            "COUNTERFOIL_PUBLIC_URL": "https://api.counterfoil.test",
            "COUNTERFOIL_HOOKS_URL": "https://hooks.counterfoil.test",
        }


def test_needs_no_lambda_for_the_rest_api_so_that_the_lambda_may_know_its_address() -> None:
    (api,) = resources_of("AWS::ApiGateway::RestApi").values()

    uris = {
        operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        for operations in api["Body"]["paths"].values()
        for operation in operations.values()
    }
    (uri,) = uris
    assert uri.endswith(
        "functions/arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:"
        "function:counterfoil-test-api_handler/invocations"
    )


def test_gives_the_http_api_the_routes_of_payments_and_receipts_and_no_other() -> None:
    routes = resources_of("AWS::ApiGatewayV2::Route").values()
    (integration,) = resources_of("AWS::ApiGatewayV2::Integration").values()

    assert sorted(route["RouteKey"] for route in routes) == [
        "POST /bank",
        "POST /hooks/payouts/{connection}",
        "POST /hooks/{hook}",
        "POST /merchant",
        "POST /v1/receipts",
        "POST /webhooks/v2/bank",
        "PUT /v1/receipts/{reference}",
    ]
    assert integration["PayloadFormatVersion"] == "1.0"


def test_refuses_a_route_on_the_http_api_that_the_app_does_not_have() -> None:
    without = {"Resources": {"RestAPI": {"Properties": {"DefinitionBody": {"paths": {}}}}}}

    with pytest.raises(ValueError, match=r"the app has no route POST /hooks/\{hook\}"):
        gateways.refuse_unknown_routes(without)
