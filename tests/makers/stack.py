"""The stack of the template, made by moto's CloudFormation as far as it reaches.

moto knows no resource of the types in `LEFT_TO_US`; those are made here by the API that
CloudFormation would call, from the same properties. API Gateway's deployment of an imported body is
beyond moto; what the body says is tested on the template.
"""

import copy
import io
import json
import os
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto import mock_aws

from chalicelib.runtime import clock
from infra import master_keys
from tests.makers import template

NAME = "counterfoil-test"
LEFT_OUT = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Stage",
    "AWS::SNS::TopicPolicy",
}
LEFT_TO_US = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::SQS::QueuePolicy",
}


@dataclass(frozen=True)
class Stack:
    """What was made: physical ids by logical id, and the stack's outputs."""

    made: Mapping[str, str]
    outputs: Mapping[str, str]


@contextmanager
def created_stack() -> Iterator[Stack]:
    """An AWS with nothing in it but the stack and its ring of master keys."""
    with mock_aws():
        _put_code()
        resources = template.expanded()["Resources"]
        cloudformation = boto3.client("cloudformation")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # A type that moto does not know is a warning.
            cloudformation.create_stack(
                StackName=NAME,
                TemplateBody=json.dumps(_without(template.expanded())),
                Capabilities=["CAPABILITY_IAM"],
            )
        (described,) = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=NAME)
        made = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        }
        made |= _make_the_rest(resources, made)
        _stop_polling()
        master_keys.set_up(os.urandom, now=clock.now())
        yield Stack(made, {o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]})


def _stop_polling() -> None:
    """moto would run the Lambdas in Docker; tests run their handlers themselves."""
    lambdas = boto3.client("lambda")
    for source in lambdas.list_event_source_mappings()["EventSourceMappings"]:
        lambdas.update_event_source_mapping(UUID=source["UUID"], Enabled=False)


def _put_code() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as code:
        code.writestr("app.py", "")
    s3 = boto3.client("s3")
    s3.create_bucket(
        Bucket="artefacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
    )
    s3.put_object(Bucket="artefacts", Key="deployment.zip", Body=packed.getvalue())


def _without(whole: dict[str, Any]) -> dict[str, Any]:
    """What moto can make. References to the rest are given a name that says so."""
    kept = copy.deepcopy(whole)
    left = LEFT_OUT | LEFT_TO_US
    gone = {name for name, r in whole["Resources"].items() if r["Type"] in left}
    for name in gone:
        del kept["Resources"][name]
    kept["Resources"]["RestAPI"].pop("DependsOn")  # The role that moto does not know.
    text = re.sub(r"\$\{(HooksApi)\}", r"\1", json.dumps(kept))
    known: dict[str, Any] = json.loads(text)
    for name, resource in list(known["Resources"].items()):
        if resource["Type"] == "AWS::Lambda::Permission" and "HooksApi" in name:
            del known["Resources"][name]
    return known


def _make_the_rest(resources: Mapping[str, Any], made: Mapping[str, str]) -> dict[str, str]:
    """Make what moto's CloudFormation cannot, by the service's own API."""
    known = {**made, "AWS::Partition": "aws", "AWS::Region": "eu-west-2"}
    known |= {"AWS::AccountId": "123456789012", "AWS::URLSuffix": "amazonaws.com"}
    api = boto3.client("apigatewayv2")
    known["HooksApi"] = api.create_api(**_api_properties(resources, "HooksApi", known))["ApiId"]
    known["HooksIntegration"] = api.create_integration(
        **_api_properties(resources, "HooksIntegration", known)
    )["IntegrationId"]
    cloudwatch, sqs = boto3.client("cloudwatch"), boto3.client("sqs")
    left = {name: one for name, one in resources.items() if one["Type"] in LEFT_TO_US}
    for name, resource in left.items():
        properties = resolve(resource.get("Properties", {}), known)
        match resource["Type"]:
            case "AWS::ApiGatewayV2::Route":
                known[name] = api.create_route(**properties)["RouteId"]
            case "AWS::ApiGatewayV2::Stage":
                api.create_stage(**properties)
            case "AWS::CloudWatch::Alarm":
                cloudwatch.put_metric_alarm(**properties)
            case "AWS::SQS::QueuePolicy":
                policy = json.dumps(properties["PolicyDocument"])
                for url in properties["Queues"]:
                    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return known


def _api_properties(
    resources: Mapping[str, Any], name: str, known: Mapping[str, str]
) -> dict[str, Any]:
    properties: dict[str, Any] = resolve(resources[name]["Properties"], known)
    return properties


def resolve(value: Any, known: Mapping[str, str]) -> Any:
    """`value` with CloudFormation's `Ref`, `Fn::Sub` and `Fn::GetAtt` filled in."""
    if isinstance(value, list):
        return [resolve(one, known) for one in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name}:
            return known[name]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:]+)\}", lambda found: known[found[1]], text)
        case {"Fn::GetAtt": [name, "Arn"]}:
            arn = f"arn:aws:lambda:eu-west-2:123456789012:function:{known[name]}"
            return known[name] if known[name].startswith("arn:") else arn
    return {key: resolve(one, known) for key, one in value.items()}
