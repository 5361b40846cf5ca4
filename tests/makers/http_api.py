"""Requests as an HTTP API hands them to a Lambda: payload format 1.0, to the field.

The shape is that of the API Gateway developer guide, “Lambda proxy integrations for HTTP APIs”,
version 1.0: `resource` is the pattern of the path and `resourceId` the route's key, header names
come in lower case, parameters decoded, the body in base64 where the gateway takes it for binary,
and neither a stage nor anything else stands before the path.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from app import app
from infra.template.gateways import HOOK_ROUTES
from tests.makers.api import Said
from tests.makers.outside import context, route_of


def http_api_event(
    method: str, url: str, headers: Mapping[str, str], body: bytes, *, in_base64: bool = False
) -> dict[str, Any]:
    """The event of one request; its route must be one that the HTTP API has."""
    parts = urlsplit(url)
    resource, parameters = route_of(method, parts.path)
    if (method, resource) not in HOOK_ROUTES:
        raise AssertionError(f"the HTTP API has no route {method} {resource}")
    pairs = (pair.partition("=") for pair in parts.query.split("&") if pair)
    query = {name: unquote(value) for name, _, value in pairs}
    sent = {"content-type": "application/json", **{n.lower(): v for n, v in headers.items()}}
    host = "a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com"
    return {
        "version": "1.0",
        "resource": resource,
        "path": parts.path,
        "httpMethod": method,
        "headers": {"host": host, **sent},
        "multiValueHeaders": {name: [value] for name, value in {"host": host, **sent}.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {n: [v] for n, v in query.items()} or None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": host,
            "domainPrefix": "a1b2c3d4e5",
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.7", "userAgent": None},
            "path": parts.path,
            "protocol": "HTTP/1.1",
            "requestId": "JKJaXmPLvHcESHA=",
            "requestTime": "20/Nov/2026:12:00:00 +0000",
            "requestTimeEpoch": 1795176000000,
            "resourceId": f"{method} {resource}",
            "resourcePath": resource,
            "stage": "$default",
        },
        "pathParameters": {n: unquote(v) for n, v in parameters.items()} or None,
        "stageVariables": None,
        "body": base64.b64encode(body).decode() if in_base64 else body.decode(),
        "isBase64Encoded": in_base64,
    }


def ask_http_api(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes,
    in_base64: bool = False,
) -> Said:
    """One request through the HTTP API."""
    event = http_api_event(method, url, headers, body, in_base64=in_base64)
    answer = app(event, context("api_handler"))
    text = answer["body"]
    decoded = json.loads(text) if text.startswith(("{", "[")) else text
    return Said(answer["statusCode"], answer["headers"], decoded)
