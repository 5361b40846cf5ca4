"""The template under test: production's settings under the name of the tests' stage."""

import copy
from dataclasses import replace
from functools import cache
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from infra.template.assembling import make_template
from infra.template.stages import Domain, Stage, read_stage

RETAILER = "acme"
RETAILERS_PRINCIPAL = "arn:aws:iam::210987654321:role/tills"
CERTIFICATE = "arn:aws:acm:eu-west-2:123456789012:certificate/1b2c3d4e-0000-4000-8000-000000000000"


def production() -> Stage:
    """Production's settings, with everything that an operator may add to them."""
    return replace(
        read_stage("prod"),
        name="test",
        silent_hours_max=6,
        direct_retailers={RETAILER: (RETAILERS_PRINCIPAL,)},
    )


def with_domains() -> Stage:
    """The same under names of the operator's own."""
    return replace(
        production(),
        public=Domain("api.counterfoil.test", CERTIFICATE),
        hooks=Domain("hooks.counterfoil.test", CERTIFICATE),
    )


@cache
def template(stage_of: Any = production) -> dict[str, Any]:
    """The template as `make package` writes it. Shared: copy before changing."""
    return make_template(stage_of())


@cache
def expanded(stage_of: Any = production) -> dict[str, Any]:
    """The template as CloudFormation runs it, after AWS's own SAM translator. Shared."""
    packaged = copy.deepcopy(template(stage_of))
    for resource in packaged["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artefacts/deployment.zip"
    session = boto3.session.Session(region_name="eu-west-2")
    translated: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(
        packaged, {"AlarmEmail": ""}
    )
    return translated


def resources_of(kind: str, stage_of: Any = production) -> dict[str, Any]:
    """Properties of every resource of a type in the expanded template, by logical id."""
    return {
        logical_id: resource.get("Properties", {})
        for logical_id, resource in expanded(stage_of)["Resources"].items()
        if resource["Type"] == kind
    }
