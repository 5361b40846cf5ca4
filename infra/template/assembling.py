"""The whole template of a stage: what is laid over Chalice's own, and both together."""

from infra.template import chalice_template
from infra.template.encryption import make_key
from infra.template.functions import function_ids, lay_over_functions
from infra.template.gateways import HOOKS_API, make_gateways, urls
from infra.template.naming import Part, sub
from infra.template.queues import make_queues
from infra.template.roles import make_role_policies
from infra.template.stages import Stage
from infra.template.tables import make_tables
from infra.template.watching import make_watch


def make_additions(stage: Stage, template: Part) -> Part:
    """What `chalice package --merge-template` lays over Chalice's `template` for `stage`."""
    resources: dict[str, Part] = {
        **make_key(stage),
        **make_tables(stage),
        **make_queues(stage),
        **lay_over_functions(stage, template, urls(stage, template)),
        **make_gateways(stage, template),
        **make_watch(stage, template),
    }
    for function in function_ids(template):
        resources |= make_role_policies(stage, function)
    return {
        "Description": f"Counterfoil, stage {stage.name}",
        "Parameters": _parameters(),
        "Conditions": {"AlarmsByEmail": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]}},
        "Rules": _rules(stage),
        "Resources": resources,
        "Outputs": _outputs(stage, template),
    }


def make_template(stage: Stage) -> Part:
    """The template as `make package` leaves it, with a name where the zip's address will stand."""
    chalices = chalice_template.make_chalice_template(stage.name)
    return chalice_template.merge(make_additions(stage, chalices), chalices)


def _parameters() -> Part:
    return {
        "AlarmEmail": {
            "Type": "String",
            "Default": "",
            "Description": "Who is told of alarms by e-mail; empty for nobody.",
        }
    }


def _rules(stage: Stage) -> Part:
    """CloudFormation checks these before it touches anything."""
    return {
        "RegionIsAllowed": {
            "Assertions": [
                {
                    "Assert": {
                        "Fn::Contains": [list(stage.regions_allowed), {"Ref": "AWS::Region"}]
                    },
                    "AssertDescription": (
                        "The stage's settings do not allow this region (regions_allowed)."
                    ),
                }
            ]
        }
    }


def _outputs(stage: Stage, template: Part) -> Part:
    at = urls(stage, template)
    return {
        "PublicUrl": {
            "Description": "The base of every route but those below.",
            "Value": at["COUNTERFOIL_PUBLIC_URL"],
        },
        "HooksUrl": {
            "Description": "The base of hooks and of receipts that tills send.",
            "Value": at["COUNTERFOIL_HOOKS_URL"],
        },
        "HooksApiId": {"Value": sub(f"${{{HOOKS_API}}}")},
        "StageKeyArn": {"Value": {"Fn::GetAtt": ["StageKey", "Arn"]}},
        "AlarmTopicArn": {"Value": {"Ref": "AlarmTopic"}},
    }
