"""What Chalice itself would deploy: its SAM template of our app, made in this process.

Chalice builds the deployment zip while it makes a template. Here a name stands in for the zip, so
the template is there within a second and without a network; `make package` lets Chalice do both.
"""

from pathlib import Path
from typing import Any

from chalice.cli.factory import CLIFactory
from chalice.deploy.appgraph import ApplicationGraphBuilder, DependencyBuilder
from chalice.deploy.deployer import (
    BaseDeployStep,
    BuildStage,
    InjectDefaults,
    LambdaEventSourcePolicyInjector,
    PolicyGenerator,
    SwaggerBuilder,
)
from chalice.deploy.models import DeploymentPackage
from chalice.deploy.swagger import CFNSwaggerGenerator
from chalice.package import (
    PackageOptions,
    ResourceBuilder,
    SAMTemplateGenerator,
    TemplateDeepMerger,
)
from chalice.policy import AppPolicyGenerator
from chalice.utils import OSUtils

from chalicelib.runtime import settings

ROOT = Path(__file__).parent.parent.parent
ZIP = "./deployment.zip"


class _NameTheZip(BaseDeployStep):
    """Stands where Chalice builds the zip."""

    def handle(self, config: Any, resource: Any) -> None:  # noqa: ARG002 - the base's names
        if isinstance(resource, DeploymentPackage):
            resource.filename = ZIP


def make_chalice_template(stage: str) -> dict[str, Any]:
    """Chalice's template of `stage`, as `chalice package` writes it without anything merged in.

    The stage and the region must be in the environment, because names of queues are made of them
    when the app is imported.
    """
    if settings.stage() != stage:
        raise ValueError("COUNTERFOIL_STAGE must name the stage before the app is imported")
    factory = CLIFactory(str(ROOT), environ={})
    config = factory.create_config_obj(stage)
    osutils = OSUtils()
    build = BuildStage(
        steps=[
            InjectDefaults(),
            _NameTheZip(),
            PolicyGenerator(policy_gen=AppPolicyGenerator(osutils=osutils), osutils=osutils),
            SwaggerBuilder(swagger_generator=CFNSwaggerGenerator()),
            LambdaEventSourcePolicyInjector(),
        ]
    )
    builder = ResourceBuilder(ApplicationGraphBuilder(), DependencyBuilder(), build)
    options: PackageOptions = factory.create_package_options()
    template: dict[str, Any] = SAMTemplateGenerator(config, options).generate(
        builder.construct_resources(config, stage)
    )
    return template


def merge(ours: dict[str, Any], chalices: dict[str, Any]) -> dict[str, Any]:
    """`ours` laid over `chalices`, exactly as `chalice package --merge-template` does it."""
    merged: dict[str, Any] = TemplateDeepMerger().merge(ours, chalices)
    return merged
