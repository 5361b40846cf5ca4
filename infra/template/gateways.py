"""The two APIs before the one Lambda that answers HTTP.

Chalice makes a REST API with every route. The routes that carry nearly all requests, payments and
receipts coming in, stand a second time on an HTTP API, which costs $1.00 a million where a REST API
costs $3.50 (docs/decisions/0026-an-http-api-for-what-comes-in.md). Paths are the same on both.
"""

from typing import Any

from infra.template.functions import API_HANDLER, API_HANDLER_ID, function_arn
from infra.template.naming import APP, KEY, Part, attribute, logical, physical, ref, sub
from infra.template.stages import Domain, Stage

HOOKS_API = "HooksApi"
REST_API = "RestAPI"
HOOK_ROUTES = (
    ("POST", "/hooks/{hook}"),
    ("POST", "/hooks/payouts/{connection}"),
    ("POST", "/bank"),
    ("POST", "/webhooks/v2/bank"),
    ("POST", "/merchant"),
    ("POST", "/v1/receipts"),
    ("PUT", "/v1/receipts/{reference}"),
)
PAYLOAD_FORMAT = "1.0"  # The one a REST API sends too, and Chalice reads.
TIMEOUT_MILLISECONDS = (
    29_000  # Longer than the Lambda's own, so that it is the Lambda that answers.
)
TLS = "TLS_1_2"
# Whom a request is from, and of which member or payment it speaks, is not logged: the route is the
# pattern (`/v1/members/{user}`), and there is no address and no query.
_LOGGED = (
    "requestId",
    "requestTimeEpoch",
    "httpMethod",
    "status",
    "responseLength",
    "responseLatency",
    "integrationLatency",
)


def access_log_format(route: str) -> str:
    """One JSON line per request; `route` is the gateway's variable for the pattern of the path."""
    pairs = [f'"{name}":"$context.{name}"' for name in (*_LOGGED, route)]
    return "{" + ",".join(pairs) + "}"


def make_gateways(stage: Stage, template: Part) -> dict[str, Part]:
    """What is laid over Chalice's REST API, and the whole HTTP API."""
    logs = {
        logical(api, "access-log"): _log_group(stage, api) for api in ("public-api", "hooks-api")
    }
    made: dict[str, Part] = {
        REST_API: _rest_api(stage, template["Resources"][REST_API]),
        **_http_api(stage, template),
        **logs,
        **_gateway_role(stage),
    }
    for kind, domain in (("public", stage.public), ("hooks", stage.hooks)):
        if domain is not None:
            made |= _domain(kind, domain)
    return made


def urls(stage: Stage, template: Part) -> Part:
    """The environment that says where each API is reached from outside."""
    path = template["Resources"][REST_API]["Properties"]["StageName"]
    host = "execute-api.${AWS::Region}.${AWS::URLSuffix}"
    return {
        "COUNTERFOIL_STAGE": stage.name,
        "COUNTERFOIL_PUBLIC_URL": _url(stage.public, f"${{{REST_API}}}.{host}/{path}"),
        "COUNTERFOIL_HOOKS_URL": _url(stage.hooks, f"${{{HOOKS_API}}}.{host}"),
    }


def _url(own: Domain | None, given: str) -> str | Part:
    return sub(f"https://{given}") if own is None else f"https://{own.name}"


def _rest_api(stage: Stage, chalices: Part) -> Part:
    document = chalices["Properties"]["DefinitionBody"]
    # By name, not by reference: the Lambda's environment refers to this API, and CloudFormation
    # refuses a circle. API Gateway does not ask whether the Lambda is there.
    target = sub(
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
        f"{function_arn(stage, API_HANDLER)['Fn::Sub']}/invocations"
    )
    integration = {"x-amazon-apigateway-integration": {"uri": target}}
    return {
        # API Gateway refuses a REST stage that logs while the account has no role for it.
        "DependsOn": ["GatewayAccount"] if stage.keeps_gateway_role else [],
        "Properties": {
            "DefinitionBody": {
                "x-amazon-apigateway-security-policy": TLS,
                "paths": {
                    path: dict.fromkeys(operations, integration)
                    for path, operations in document["paths"].items()
                },
            },
            "Name": physical(stage.name, "public"),
            "TracingEnabled": stage.tracing,
            "DisableExecuteApiEndpoint": stage.public is not None,
            "AccessLogSetting": {
                "DestinationArn": attribute(logical("public-api", "access-log")),
                "Format": access_log_format("resourcePath"),
            },
            "MethodSettings": [
                {
                    "ResourcePath": "/*",
                    "HttpMethod": "*",
                    "ThrottlingRateLimit": stage.requests.per_second,
                    "ThrottlingBurstLimit": stage.requests.burst,
                    "LoggingLevel": "OFF",
                    "DataTraceEnabled": False,  # It would log bodies.
                    "MetricsEnabled": False,  # Per route: $0.30 a month each.
                }
            ],
        },
    }


def _http_api(stage: Stage, template: Part) -> dict[str, Part]:
    refuse_unknown_routes(template)
    made: dict[str, Part] = {
        HOOKS_API: {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": physical(stage.name, "hooks"),
                "ProtocolType": "HTTP",
                "DisableExecuteApiEndpoint": stage.hooks is not None,
            },
        },
        "HooksIntegration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": ref(HOOKS_API),
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": attribute(API_HANDLER_ID),
                "PayloadFormatVersion": PAYLOAD_FORMAT,
                "TimeoutInMillis": TIMEOUT_MILLISECONDS,
            },
        },
        "HooksStage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": _http_stage(stage)},
        "HooksInvokePermission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": ref(API_HANDLER_ID),
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": sub(
                    "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
                    f"${{{HOOKS_API}}}/*"
                ),
            },
        },
    }
    return made | {_route_id(method, path): _route(method, path) for method, path in HOOK_ROUTES}


def _route(method: str, path: str) -> Part:
    return {
        "Type": "AWS::ApiGatewayV2::Route",
        "Properties": {
            "ApiId": ref(HOOKS_API),
            "RouteKey": f"{method} {path}",
            "AuthorizationType": "NONE",  # Signatures and tokens are checked by the app.
            "Target": sub("integrations/${HooksIntegration}"),
        },
    }


def refuse_unknown_routes(template: Part) -> None:
    """:raises ValueError: a route of the HTTP API is none of the app's."""
    paths = template["Resources"][REST_API]["Properties"]["DefinitionBody"]["paths"]
    for method, path in HOOK_ROUTES:
        if method.lower() not in paths.get(path, {}):
            raise ValueError(f"the app has no route {method} {path}")


def _http_stage(stage: Stage) -> Part:
    return {
        "ApiId": ref(HOOKS_API),
        "StageName": "$default",
        "AutoDeploy": True,
        "AccessLogSettings": {
            "DestinationArn": attribute(logical("hooks-api", "access-log")),
            "Format": access_log_format("routeKey"),
        },
        "DefaultRouteSettings": {
            "ThrottlingRateLimit": stage.requests.per_second,
            "ThrottlingBurstLimit": stage.requests.burst,
        },
    }


def _route_id(method: str, path: str) -> str:
    words = "".join(letter if letter.isalnum() else "-" for letter in path).strip("-")
    return logical("hooks-route", method.lower(), *(word for word in words.split("-") if word))


def _log_group(stage: Stage, api: str) -> Part:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "LogGroupName": f"/aws/apigateway/{physical(stage.name, api)}",
            "RetentionInDays": stage.log_days,
            "KmsKeyId": attribute(KEY),
        },
    }


def _gateway_role(stage: Stage) -> dict[str, Part]:
    """The role with which API Gateway writes a REST API's access log: one per account and region.

    Where another stack of the account keeps it already, `keeps_gateway_role = false`.
    """
    if not stage.keeps_gateway_role:
        return {}
    trust: dict[str, Any] = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "apigateway.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": sub("${AWS::AccountId}")}},
            }
        ],
    }
    managed = "arn:${AWS::Partition}:iam::aws:policy/service-role/"
    return {
        "GatewayLogRole": {
            "Type": "AWS::IAM::Role",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "AssumeRolePolicyDocument": trust,
                "ManagedPolicyArns": [sub(f"{managed}AmazonAPIGatewayPushToCloudWatchLogs")],
            },
        },
        "GatewayAccount": {
            "Type": "AWS::ApiGateway::Account",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"CloudWatchRoleArn": attribute("GatewayLogRole")},
        },
    }


def _domain(kind: str, domain: Domain) -> dict[str, Part]:
    """A name of the operator's own; the API's other address is closed where there is one."""
    is_rest = kind == "public"
    return {
        logical(kind, "domain"): {
            "Type": "AWS::ApiGatewayV2::DomainName",
            "Properties": {
                "DomainName": domain.name,
                "DomainNameConfigurations": [
                    {
                        "CertificateArn": domain.certificate_arn,
                        "EndpointType": "REGIONAL",
                        "SecurityPolicy": TLS,
                    }
                ],
                "Tags": {"app": APP},
            },
        },
        logical(kind, "domain-mapping"): {
            "Type": "AWS::ApiGatewayV2::ApiMapping",
            "Properties": {
                "DomainName": ref(logical(kind, "domain")),
                "ApiId": ref(REST_API if is_rest else HOOKS_API),
                "Stage": ref("RestAPI.Stage" if is_rest else "HooksStage"),
            },
        },
    }
