"""Alarms, the topic that carries them, and the dashboard, as resources of the template."""

from infra.template.alarms import Alarm, Metric, Query
from infra.template.dashboard import make_dashboard
from infra.template.functions import function_ids
from infra.template.naming import KEY, Part, attribute, logical, physical, ref, sub
from infra.template.plain_http import over_tls_only
from infra.template.promises import alarms_of
from infra.template.stages import Stage

TOPIC = "AlarmTopic"


def make_watch(stage: Stage, template: Part) -> dict[str, Part]:
    """Everything with which a person watches the stage."""
    functions = sorted(function_ids(template))
    alarms = {
        logical(alarm.name, "alarm"): _alarm(stage, alarm) for alarm in alarms_of(stage, functions)
    }
    return {**_topic(stage), **alarms, "Dashboard": make_dashboard(stage, functions)}


def _topic(stage: Stage) -> dict[str, Part]:
    return {
        TOPIC: {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "TopicName": physical(stage.name, "alarms"),
                "KmsMasterKeyId": attribute(KEY),
            },
        },
        "AlarmTopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [ref(TOPIC)],
                "PolicyDocument": _publishers(),
            },
        },
        "AlarmSubscription": {
            "Type": "AWS::SNS::Subscription",
            "Condition": "AlarmsByEmail",
            "Properties": {
                "TopicArn": ref(TOPIC),
                "Protocol": "email",
                "Endpoint": ref("AlarmEmail"),
            },
        },
    }


def _publishers() -> Part:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AlarmsOfThisStage",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": ref(TOPIC),
                "Condition": {"StringEquals": {"aws:SourceAccount": sub("${AWS::AccountId}")}},
            },
            over_tls_only("sns:Publish", ref(TOPIC)),
        ],
    }


def _alarm(stage: Stage, alarm: Alarm) -> Part:
    comparison = "LessThanThreshold" if alarm.is_floor else "GreaterThanOrEqualToThreshold"
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": physical(stage.name, alarm.name),
            "AlarmDescription": f"{alarm.says} {alarm.because} Runbook: {alarm.runbook}",
            "ComparisonOperator": comparison,
            "Threshold": alarm.threshold,
            "EvaluationPeriods": alarm.periods,
            "DatapointsToAlarm": alarm.times,
            "TreatMissingData": "breaching" if alarm.missing_breaches else "notBreaching",
            "AlarmActions": [ref(TOPIC)],
            "OKActions": [ref(TOPIC)],
            **_measured(alarm),
        },
    }


def _measured(alarm: Alarm) -> Part:
    match alarm.measure:
        case Query() as query:
            asked = {"Id": "q", "Expression": query.text, "Period": alarm.seconds}
            return {"Metrics": [asked | {"ReturnData": True}]}
        case Metric(names=(name,)) as metric:
            return _metric(metric, name) | {"Period": alarm.seconds} | _statistic(metric.statistic)
        case Metric() as metric:
            return {"Metrics": _sum(metric, alarm.seconds)}


def _metric(metric: Metric, name: str) -> Part:
    dimensions = [{"Name": key, "Value": value} for key, value in metric.dimensions.items()]
    return {"Namespace": metric.namespace, "MetricName": name, "Dimensions": dimensions}


def _statistic(statistic: str) -> Part:
    is_percentile = statistic.startswith("p")
    return {"ExtendedStatistic" if is_percentile else "Statistic": statistic}


def _sum(metric: Metric, seconds: int) -> list[Part]:
    ids = [f"m{index}" for index, _ in enumerate(metric.names)]
    parts: list[Part] = [
        {
            "Id": own_id,
            "ReturnData": False,
            "MetricStat": {
                "Metric": _metric(metric, name),
                "Period": seconds,
                "Stat": metric.statistic,
            },
        }
        for own_id, name in zip(ids, metric.names, strict=True)
    ]
    # A metric without a datapoint would leave the sum without one.
    terms = "+".join(f"FILL({own_id},0)" for own_id in ids)
    return [*parts, {"Id": "sum", "Expression": terms, "ReturnData": True}]
