"""What guards the stage: encryption, recovery, TLS, throttling, the region, the key's policy."""

import json

import pytest

from infra import resources
from infra.template import queues
from infra.template.encryption import USE
from infra.template.gateways import access_log_format
from tests.makers import template
from tests.makers.template import resources_of

KEY_ARN = {"Fn::GetAtt": ["StageKey", "Arn"]}
OVER_TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}
ACCOUNT = {"Fn::Sub": "${AWS::AccountId}"}


@pytest.mark.requirement("SEC-01")
@pytest.mark.requirement("SEC-11")
def test_encrypts_every_table_and_keeps_it_recoverable_and_hard_to_delete() -> None:
    tables = resources_of("AWS::DynamoDB::Table")

    assert {table["TableName"] for table in tables.values()} == {
        f"counterfoil-test-{name}" for name in resources.TABLES
    }
    for logical_id, table in tables.items():
        assert table["SSESpecification"] == {
            "SSEEnabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": KEY_ARN,
        }
        assert table["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": True,
            "RecoveryPeriodInDays": 7,
        }
        assert table["DeletionProtectionEnabled"] is True
        assert table["TimeToLiveSpecification"] == {"Enabled": True, "AttributeName": "expires_at"}
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        resource = template.expanded()["Resources"][logical_id]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.requirement("SEC-11")
def test_refuses_whatever_comes_without_tls_to_a_table_or_a_queue() -> None:
    documents = [
        table["ResourcePolicy"]["PolicyDocument"]
        for table in resources_of("AWS::DynamoDB::Table").values()
    ]
    policies = resources_of("AWS::SQS::QueuePolicy").values()
    documents += [policy["PolicyDocument"] for policy in policies]

    for document in documents:
        refusals = [s for s in document["Statement"] if s["Effect"] == "Deny"]
        assert [(s["Principal"], s["Condition"]) for s in refusals] == [("*", OVER_TLS_ONLY)]
    covered = {reference["Ref"] for policy in policies for reference in policy["Queues"]}
    assert covered == set(resources_of("AWS::SQS::Queue"))


@pytest.mark.requirement("SEC-01")
def test_encrypts_every_queue_and_gives_each_its_own_dead_letters() -> None:
    by_name = {queue["QueueName"]: queue for queue in resources_of("AWS::SQS::Queue").values()}
    stage = template.production()

    assert {queue["KmsMasterKeyId"] == KEY_ARN for queue in by_name.values()} == {True}
    assert len(by_name) == 2 * len(queues.queues_of(stage)) == 16
    for queue in queues.queues_of(stage):
        made = by_name[f"counterfoil-test-{queue.name}"]
        dead = by_name[f"counterfoil-test-{queue.name}-dead"]
        assert made["RedrivePolicy"]["maxReceiveCount"] == queue.receives_max
        assert made["VisibilityTimeout"] == queue.visibility_seconds
        assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600
        assert dead["RedriveAllowPolicy"] == {
            "redrivePermission": "byQueue",
            "sourceQueueArns": [queues.arn_of(stage, queue.name)],
        }


@pytest.mark.requirement("SEC-11")
def test_lets_nobody_use_the_key_but_through_the_services_that_keep_our_things() -> None:
    (key,) = resources_of("AWS::KMS::Key").values()

    by_sid = {statement["Sid"]: statement for statement in key["KeyPolicy"]["Statement"]}
    assert key["EnableKeyRotation"] is True
    administration = by_sid["AdministratorsCareForTheKey"]["Action"]
    assert [action for action in administration if action in USE] == ["kms:DescribeKey"]
    assert [action for action in administration if "*" in action] == []
    used = by_sid["UseThroughServicesOfThisAccount"]["Condition"]["StringEquals"]
    assert used["kms:CallerAccount"] == ACCOUNT
    assert used["kms:ViaService"] == [
        {"Fn::Sub": f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}"}
        for service in ("dynamodb", "secretsmanager", "sqs")
    ]
    for sid, statement in by_sid.items():
        assert "Condition" in statement or sid == "AdministratorsCareForTheKey", sid


def test_lets_only_the_retailer_write_to_its_queue_and_use_the_key_for_it() -> None:
    policy = resources_of("AWS::SQS::QueuePolicy")["ReceiptsFromAcmeQueuePolicy"]
    (key,) = resources_of("AWS::KMS::Key").values()
    arn = queues.arn_of(template.production(), "receipts-from-acme")

    (allowed,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert allowed["Principal"] == {"AWS": [template.RETAILERS_PRINCIPAL]}
    assert allowed["Action"] == ["sqs:GetQueueUrl", "sqs:SendMessage"]
    assert allowed["Resource"] == arn
    (using,) = [s for s in key["KeyPolicy"]["Statement"] if s["Sid"] == "MessagesOfAcme"]
    assert using["Principal"] == {"AWS": [template.RETAILERS_PRINCIPAL]}
    assert using["Condition"]["StringEquals"]["kms:EncryptionContext:aws:sqs:arn"] == arn
    writers = [
        logical_id
        for logical_id, other in resources_of("AWS::SQS::QueuePolicy").items()
        if any(s["Effect"] == "Allow" for s in other["PolicyDocument"]["Statement"])
    ]
    assert writers == ["ReceiptsFromAcmeQueuePolicy"]


@pytest.mark.requirement("SEC-12")
def test_answers_429_beyond_the_stages_rate_on_both_apis() -> None:
    (rest,) = resources_of("AWS::ApiGateway::Stage").values()
    (http,) = resources_of("AWS::ApiGatewayV2::Stage").values()

    (everything,) = rest["MethodSettings"]
    assert (everything["ResourcePath"], everything["HttpMethod"]) == ("/*", "*")
    for settings in (everything, http["DefaultRouteSettings"]):
        assert settings["ThrottlingRateLimit"] == 2_000
        assert settings["ThrottlingBurstLimit"] == 4_000
    assert everything["DataTraceEnabled"] is False


@pytest.mark.requirement("SEC-11")
def test_speaks_tls_1_2_or_newer_under_every_name() -> None:
    (rest,) = resources_of("AWS::ApiGateway::RestApi").values()
    domains = resources_of("AWS::ApiGatewayV2::DomainName", template.with_domains)
    (closed,) = resources_of("AWS::ApiGateway::RestApi", template.with_domains).values()
    (closed_too,) = resources_of("AWS::ApiGatewayV2::Api", template.with_domains).values()

    assert rest["Body"]["x-amazon-apigateway-security-policy"] == "TLS_1_2"
    configured = [c for d in domains.values() for c in d["DomainNameConfigurations"]]
    assert [c["SecurityPolicy"] for c in configured] == ["TLS_1_2", "TLS_1_2"]
    assert closed["Body"]["x-amazon-apigateway-endpoint-configuration"] == {
        "disableExecuteApiEndpoint": True
    }
    assert closed_too["DisableExecuteApiEndpoint"] is True


@pytest.mark.requirement("SEC-09")
def test_refuses_a_region_outside_europe_before_anything_is_made() -> None:
    (assertion,) = template.expanded()["Rules"]["RegionIsAllowed"]["Assertions"]

    regions, asked = assertion["Assert"]["Fn::Contains"]
    assert asked == {"Ref": "AWS::Region"}
    assert regions == [
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
    ]


def test_writes_an_access_log_without_people() -> None:
    logged = json.loads(access_log_format("routeKey"))

    assert logged == {
        name: f"$context.{name}"
        for name in (
            "requestId",
            "requestTimeEpoch",
            "httpMethod",
            "status",
            "responseLength",
            "responseLatency",
            "integrationLatency",
            "routeKey",
        )
    }


def test_encrypts_every_log_and_ends_it() -> None:
    groups = resources_of("AWS::Logs::LogGroup")

    assert len(groups) == 19
    for group in groups.values():
        assert (group["RetentionInDays"], group["KmsKeyId"]) == (90, KEY_ARN)
