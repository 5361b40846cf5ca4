"""`make deploy` against moto: the bucket, the uploads, the change set, and what is refused."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.runtime import aws
from infra import artefacts, deploying
from infra.changes import Change
from infra.deploying import Deployer, DeploymentFailed, DeploymentRefused, deploy
from infra.packaging import Package
from infra.template.stages import Stage, read_stage

BUCKET = "counterfoil-test-artefacts-123456789012-eu-west-2"


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    with mock_aws():
        yield


def stage() -> Stage:
    """The tests' stage, with somebody to tell of alarms."""
    return replace(read_stage("test"), alarm_email="duty@counterfoil.test")


def package(folder: Path, *queues: str) -> Package:
    """A package whose template has `queues`, which moto can make, and an e-mail to be told at."""
    made = {name: {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}} for name in queues}
    document = {
        "Parameters": {"AlarmEmail": {"Type": "String", "Default": ""}},
        "Resources": made,
    }
    template, code = folder / "template.json", folder / "deployment.zip"
    template.write_text(json.dumps(document))
    code.write_bytes(b"code")
    return Package(template, code, zip_bytes=4, unzipped_bytes=4)


def run(made: Package, *, agrees: bool = True) -> tuple[Any, list[tuple[Change, ...]]]:
    """Deploy `made`; the outputs, and what was shown before."""
    shown: list[tuple[Change, ...]] = []

    def hear(changes: tuple[Change, ...]) -> bool:
        shown.append(changes)
        return agrees

    deployer = Deployer(stage(), pause=lambda _seconds: None)
    url = deployer.upload(made, bucket=bucket_without_policy())
    return deploy(stage(), deployer, url, version="abc123", agrees=hear), shown


def bucket_without_policy() -> str:
    """The stage's bucket before it is prepared: moto reads a policy without its conditions."""
    where: Any = {"LocationConstraint": "eu-west-2"}
    s3 = boto3.client("s3")
    if not s3.list_buckets()["Buckets"]:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return BUCKET


@pytest.mark.requirement("SEC-07")
def test_makes_the_stack_after_showing_what_it_adds(tmp_path: Path) -> None:
    outputs, shown = run(package(tmp_path, "Payments"))

    assert outputs is not None
    assert shown == [(Change("Add", "AWS::SQS::Queue", "Payments", replaces=False),)]
    (stack,) = aws.client("cloudformation").describe_stacks(StackName="counterfoil-test")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Parameters"] == [
        {"ParameterKey": "AlarmEmail", "ParameterValue": "duty@counterfoil.test"}
    ]
    assert {tag["Key"]: tag["Value"] for tag in stack["Tags"]}["commit"] == "abc123"


def test_updates_the_stack_by_what_has_changed(tmp_path: Path) -> None:
    run(package(tmp_path, "Payments"))

    _, shown = run(package(tmp_path, "Payments", "Receipts"))

    (changes,) = shown
    assert [str(c).split() for c in changes if c.action == "Add"] == [
        ["Add", "AWS::SQS::Queue", "Receipts"]
    ]
    names = {url.rpartition("/")[2] for url in boto3.client("sqs").list_queues()["QueueUrls"]}
    assert names == {"Payments", "Receipts"}


def test_changes_nothing_when_nobody_agrees(tmp_path: Path) -> None:
    outputs, shown = run(package(tmp_path, "Payments"), agrees=False)

    assert (outputs, len(shown)) == (None, 1)
    assert "QueueUrls" not in boto3.client("sqs").list_queues()
    found = boto3.client("cloudformation").list_change_sets(StackName="counterfoil-test")
    assert found["Summaries"] == []


@pytest.mark.requirement("SEC-01")
@pytest.mark.requirement("SEC-11")
def test_keeps_artefacts_encrypted_closed_and_versioned() -> None:
    prepared = Deployer(stage(), pause=lambda _seconds: None).prepare()

    s3 = boto3.client("s3")
    blocked = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert prepared == BUCKET
    assert list(blocked.values()) == [True] * 4
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_uploads_the_same_code_once(tmp_path: Path) -> None:
    run(package(tmp_path, "Payments"))
    run(package(tmp_path, "Payments", "Receipts"))

    versions = boto3.client("s3").list_object_versions(Bucket=BUCKET)["Versions"]
    assert sorted(v["Key"].rpartition(".")[2] for v in versions) == ["json", "json", "zip"]


def test_names_the_code_where_the_template_has_a_lambda(tmp_path: Path) -> None:
    made = package(tmp_path)
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "./deployment.zip"}}
    made.template.write_text(json.dumps({"Resources": {"RecordPayment": function}}))

    deployer = Deployer(stage(), pause=lambda _seconds: None)
    url = deployer.upload(made, bucket=bucket_without_policy())

    key = url.rpartition("/")[2]
    stored = json.loads(boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
    uri = stored["Resources"]["RecordPayment"]["Properties"]["CodeUri"]
    bucket, _, name = uri.removeprefix("s3://").partition("/")
    assert boto3.client("s3").get_object(Bucket=bucket, Key=name)["Body"].read() == b"code"


def test_refuses_a_bucket_that_is_somebody_elses() -> None:
    class Taken:
        def head_bucket(self, **_: Any) -> None:
            raise aws.client("s3").exceptions.ClientError({"Error": {"Code": "403"}}, "HeadBucket")

    with pytest.raises(artefacts.BucketIsNotOurs):
        artefacts.prepare_bucket(Taken(), BUCKET, region="eu-west-2")


@pytest.mark.requirement("SEC-09")
def test_refuses_another_region_than_the_stages() -> None:
    elsewhere = replace(stage(), region="eu-central-1")

    with pytest.raises(DeploymentRefused, match="the stage stands in eu-central-1"):
        Deployer(elsewhere, pause=lambda _seconds: None)


def test_says_what_cloudformation_finds_wrong(tmp_path: Path) -> None:
    made = package(tmp_path, "Payments")
    made.template.write_text('{"Resources": {}, "Parameters": {"Other": {"Type": "String"}}}')

    with pytest.raises(DeploymentFailed):
        run(made)


def test_deploys_production_only_from_a_commit(tmp_path: Path) -> None:
    production = replace(stage(), name="prod")
    git = ("git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.test")
    for command in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "Begin")):
        subprocess.run([*git, *command], check=True)
    clean = deploying.refuse_unready_tree(production, root=tmp_path)
    (tmp_path / "changed.py").write_text("")

    assert len(clean) == 12
    with pytest.raises(DeploymentRefused, match="production is deployed from commits"):
        deploying.refuse_unready_tree(production, root=tmp_path)
    assert deploying.refuse_unready_tree(stage(), root=tmp_path) == f"{clean}-dirty"


def test_refuses_code_that_is_in_no_repository(tmp_path: Path) -> None:
    with pytest.raises(DeploymentRefused, match="in no git repository"):
        deploying.refuse_unready_tree(stage(), root=tmp_path)


def test_refuses_the_laptops_stage_before_anything(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploying.main(["local"]) == 1
    assert capsys.readouterr().err == "`local` is the stage of laptops; it is never deployed\n"
    assert boto3.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("change", "is_grave"),
    [
        (Change("Add", "AWS::DynamoDB::Table", "TillsTable", replaces=False), False),
        (Change("Modify", "AWS::DynamoDB::Table", "TillsTable", replaces=False), False),
        (Change("Modify", "AWS::DynamoDB::Table", "TillsTable", replaces=True), True),
        (Change("Remove", "AWS::SQS::Queue", "PaymentsQueue", replaces=False), True),
        (Change("Remove", "AWS::KMS::Key", "StageKey", replaces=False), True),
        (Change("Modify", "AWS::Lambda::Function", "RecordPayment", replaces=True), False),
    ],
)
def test_marks_what_would_take_rows_messages_or_keys_away(change: Change, is_grave: bool) -> None:
    assert change.is_grave is is_grave
    assert ("must not be lost" in str(change)) is is_grave
