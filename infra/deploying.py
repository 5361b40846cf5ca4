"""`make deploy STAGE=…`: package, upload, show what would change, and change it when told to.

It speaks to CloudFormation itself and not through the AWS CLI, because between the upload and the
update stands a question: what will change? The answer is CloudFormation's own change set; nothing
is touched before somebody has seen it (docs/decisions/0028-a-deployer-of-our-own.md).
"""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from chalicelib.runtime import aws, settings
from infra import artefacts
from infra.changes import Change
from infra.packaging import Package, PackagingFailed, enter, make_package
from infra.template.chalice_template import ROOT
from infra.template.naming import APP
from infra.template.stages import InvalidStage, Stage, read_stage

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")  # Roles, and AWS's SAM transform.
CHANGE_SET_SECONDS_MAX = 300
POLL_SECONDS = 3
READ_TIMEOUT_SECONDS = 60  # CloudFormation takes its time, and its calls are made once.
POLLS_MAX = 600  # Half an hour: tables and certificates take minutes.
STAGE_OF_CARE = "prod"
# How CloudFormation says, in a sentence, that a change set is empty.
_NOTHING = ("didn't contain changes", "No updates are to be performed")


class DeploymentRefused(RuntimeError):
    """The deployment does not start; the message says what to do first."""


class DeploymentFailed(RuntimeError):
    """CloudFormation did not do it; the message has its reasons. The stack is as it was before."""


PROBLEMS = (
    BotoCoreError,
    ClientError,
    DeploymentFailed,
    DeploymentRefused,
    InvalidStage,
    PackagingFailed,
    artefacts.BucketIsNotOurs,
)


def _client(service: str) -> Any:
    return aws.client(service, read_timeout_seconds=READ_TIMEOUT_SECONDS)


def stack_name(stage: Stage) -> str:
    """The one stack of a stage."""
    return f"{APP}-{stage.name}"


def refuse_unready_tree(stage: Stage, *, root: Path = ROOT) -> str:
    """The commit that is deployed, with `-dirty` where files differ from it.

    :raises DeploymentRefused: they do, and the stage is production.
    """
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    if not _git(root, "status", "--porcelain"):
        return commit
    if stage.name == STAGE_OF_CARE:
        raise DeploymentRefused("commit or stash your changes: production is deployed from commits")
    return f"{commit}-dirty"


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise DeploymentRefused("the code is in no git repository; clone it and deploy") from error
    return done.stdout.strip()


class Deployer:
    """Deploys packages of one stage to the account of the caller's AWS credentials."""

    def __init__(self, stage: Stage, *, pause: Callable[[float], None]) -> None:
        """`pause` sleeps between two looks. The process must have entered the stage.

        :raises DeploymentRefused: it works in another region.
        """
        if settings.region() != stage.region:
            raise DeploymentRefused(f"the stage stands in {stage.region}: use no other region")
        self._stage = stage
        self._stack = stack_name(stage)
        self._pause = pause
        self._s3 = _client("s3")
        self._cloudformation = _client("cloudformation")
        self.account: str = _client("sts").get_caller_identity()["Account"]

    def upload(self, package: Package, *, bucket: str) -> str:
        """Put zip and template into `bucket`; returns the template's address."""
        code = package.deployment.read_bytes()
        key = artefacts.put_once(self._s3, bucket, code, suffix="zip")
        template = json.loads(package.template.read_text())
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = f"s3://{bucket}/{key}"
        body = json.dumps(template, separators=(",", ":"), sort_keys=True).encode()
        name = artefacts.put_once(self._s3, bucket, body, suffix="json")
        return f"https://{bucket}.s3.{self._stage.region}.amazonaws.com/{name}"

    def prepare(self) -> str:
        """Have the stage's bucket ready; returns its name.

        :raises BucketIsNotOurs: the name is taken.
        """
        bucket = artefacts.bucket_name(self._stage, self.account)
        artefacts.prepare_bucket(self._s3, bucket, region=self._stage.region)
        return bucket

    def propose(self, template_url: str, *, version: str) -> tuple[str, tuple[Change, ...]] | None:
        """Make a change set: its ARN and what it changes; None where nothing would change.

        :raises DeploymentFailed: CloudFormation takes the template for wrong.
        """
        digest = hashlib.sha256(f"{template_url}{time.time_ns()}".encode()).hexdigest()
        try:
            made = self._cloudformation.create_change_set(
                StackName=self._stack,
                ChangeSetName=f"deploy-{digest[:16]}",
                ChangeSetType="UPDATE" if self._exists() else "CREATE",
                Description=f"commit {version}",
                TemplateURL=template_url,
                Parameters=[
                    {"ParameterKey": "AlarmEmail", "ParameterValue": self._stage.alarm_email}
                ],
                Capabilities=list(CAPABILITIES),
                Tags=[{"Key": "app", "Value": APP}, {"Key": "commit", "Value": version}],
            )
        except ClientError as error:
            raise DeploymentFailed(error.response["Error"]["Message"]) from error
        arn: str = made["Id"]
        described = self._described(arn)
        if described["Status"] == "FAILED":
            self._cloudformation.delete_change_set(ChangeSetName=arn)
            reason = described.get("StatusReason", "")
            if any(said in reason for said in _NOTHING):
                return None
            raise DeploymentFailed(reason)
        return arn, tuple(self._changes(arn))

    def carry_out(self, change_set: str) -> Mapping[str, str]:
        """Execute a change set and wait for its end; returns the stack's outputs by name.

        :raises DeploymentFailed: CloudFormation gave up and put everything back.
        """
        is_new = self._status() == "REVIEW_IN_PROGRESS"
        try:
            self._cloudformation.execute_change_set(ChangeSetName=change_set)
        except ClientError as error:
            raise DeploymentFailed(error.response["Error"]["Message"]) from error
        waiter = self._cloudformation.get_waiter(
            "stack_create_complete" if is_new else "stack_update_complete"
        )
        try:
            waiter.wait(
                StackName=self._stack,
                WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": POLLS_MAX},
            )
        except WaiterError as error:
            raise DeploymentFailed("\n".join(self._reasons())) from error
        (stack,) = self._cloudformation.describe_stacks(StackName=self._stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}

    def protect(self) -> None:
        """Let nobody delete the stack by mistake."""
        self._cloudformation.update_termination_protection(
            StackName=self._stack, EnableTerminationProtection=True
        )

    def discard(self, change_set: str) -> None:
        """Delete a change set that nobody wants."""
        self._cloudformation.delete_change_set(ChangeSetName=change_set)

    def _status(self) -> str | None:
        try:
            stacks = self._cloudformation.describe_stacks(StackName=self._stack)["Stacks"]
        except ClientError:  # CloudFormation's only way to say that there is none.
            return None
        return str(stacks[0]["StackStatus"])

    def _exists(self) -> bool:
        return self._status() not in (None, "REVIEW_IN_PROGRESS")

    def _described(self, arn: str) -> Mapping[str, Any]:
        """The change set, once CloudFormation has looked through it."""
        for _ in range(CHANGE_SET_SECONDS_MAX // POLL_SECONDS):
            described: Mapping[str, Any] = self._cloudformation.describe_change_set(
                ChangeSetName=arn
            )
            if described["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return described
            self._pause(POLL_SECONDS)
        raise DeploymentFailed("CloudFormation did not look through the change set in time")

    def _changes(self, arn: str) -> Iterator[Change]:
        pages = self._cloudformation.get_paginator("describe_change_set")
        for page in pages.paginate(ChangeSetName=arn):
            for entry in page["Changes"]:
                change = entry["ResourceChange"]
                yield Change(
                    action=change["Action"],
                    kind=change["ResourceType"],
                    logical_id=change["LogicalResourceId"],
                    replaces=change.get("Replacement", "False") != "False",
                )

    def _reasons(self) -> Iterator[str]:
        pages = self._cloudformation.get_paginator("describe_stack_events")
        for page in pages.paginate(StackName=self._stack, PaginationConfig={"MaxItems": 200}):
            for event in page["StackEvents"]:
                if event["ResourceStatus"].endswith("FAILED"):
                    reason = event.get("ResourceStatusReason", "no reason given")
                    yield f"{event['LogicalResourceId']}: {reason}"


def deploy(
    stage: Stage,
    deployer: Deployer,
    template_url: str,
    *,
    version: str,
    agrees: Callable[[tuple[Change, ...]], bool],
) -> Mapping[str, str] | None:
    """Deploy an uploaded template; the stack's outputs, or None where nothing was to change or
    nobody agreed.

    :raises DeploymentFailed: CloudFormation did not do it.
    """
    proposed = deployer.propose(template_url, version=version)
    if proposed is None:
        print(f"{stack_name(stage)} is as the template says")
        return None
    change_set, changes = proposed
    if not agrees(changes):
        deployer.discard(change_set)
        print("nothing was changed")
        return None
    return deployer.carry_out(change_set)


def _asked(changes: tuple[Change, ...]) -> bool:
    """Show what would change and ask whether to go on."""
    for change in changes:
        print(change)
    return input(f"{len(changes)} changes. Type `yes` to go on: ").strip() == "yes"


def _shown(changes: tuple[Change, ...]) -> bool:
    """Show what changes and go on, but never where something would be lost."""
    for change in changes:
        print(change)
    return not any(change.is_grave for change in changes)


def _package_and_deploy(name: str, *, asks: bool) -> None:
    stage = read_stage(name)
    version = refuse_unready_tree(stage)
    enter(stage)
    deployer = Deployer(stage, pause=time.sleep)
    print(f"{stack_name(stage)} in {stage.region}, account {deployer.account}, {version}")
    template_url = deployer.upload(make_package(stage), bucket=deployer.prepare())
    agrees = _asked if asks else _shown
    outputs = deploy(stage, deployer, template_url, version=version, agrees=agrees)
    if outputs is not None:
        deployer.protect()
    for output, value in sorted((outputs or {}).items()):
        print(f"{output:16} {value}")


def main(arguments: list[str]) -> int:
    """Deploy the stage of the first argument; `--yes` after it asks nothing."""
    if not arguments or arguments[0].startswith("-"):
        print("say which stage: make deploy STAGE=test", file=sys.stderr)
        return 1
    try:
        _package_and_deploy(arguments[0], asks="--yes" not in arguments[1:])
    except PROBLEMS as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
