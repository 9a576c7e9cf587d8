"""What is called, when, and what becomes of what cannot be."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.jar import ACCOUNT
from tests.services.scheduler.conftest import Plans
from tests.services.sqs.conftest import Box
from tests.services.sqs.test_measures import requests


def test_a_rate_calls_at_once_and_then_regularly(plans: Plans) -> None:
    arn = plans.make("rate(5 minutes)")
    (first,) = plans.told()
    assert (first["source"], first["detail-type"], first["detail"]) == ("aws.scheduler", "Scheduled Event", "{}")
    assert (first["resources"], first["account"], first["region"]) == ([arn], ACCOUNT, "eu-west-3")
    plans.jar.advance(minutes=4)
    assert plans.told() == []
    plans.jar.advance(minutes=11)
    assert len(plans.told()) == 3
    plans.client.update_schedule(**plans.asked("rate(5 minutes)", State="DISABLED"))
    plans.jar.advance(hours=1)
    assert plans.told() == []


def test_a_single_time_comes_once_and_takes_its_schedule_along(plans: Plans) -> None:
    at = (plans.jar.clock.now() + timedelta(hours=2)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    given = '{"at": "<aws.scheduler.scheduled-time>", "of": "<aws.scheduler.schedule-arn>", ' \
            '"try": "<aws.scheduler.attempt-number>", "id": "<aws.scheduler.execution-id>"}'  # fmt: skip
    kept = plans.make(at, "kept", Target={"Input": given})
    plans.make(at, "gone", ActionAfterCompletion="DELETE")
    plans.jar.advance(hours=1)
    assert plans.told() == []
    plans.jar.advance(hours=5)
    mine, other = sorted(plans.told(), key=len)
    assert (mine["of"], mine["try"], mine["at"] + ")") == (kept, "1", at.removeprefix("at(").replace(")", "Z)"))
    assert other["source"] == "aws.scheduler"
    assert [one["Name"] for one in plans.client.list_schedules()["Schedules"]] == ["kept"]


def test_a_schedule_that_is_changed_begins_anew(plans: Plans) -> None:
    plans.make("rate(10 minutes)")
    plans.jar.advance(minutes=25)
    assert len(plans.told()) == 3
    plans.client.update_schedule(**plans.asked("rate(1 hour)"))
    plans.jar.settle()
    assert len(plans.told()) == 1
    plans.jar.advance(minutes=59)
    assert plans.told() == []
    plans.jar.advance(minutes=2)
    assert len(plans.told()) == 1
    plans.client.delete_schedule(Name="s")
    at = (plans.jar.clock.now() + timedelta(minutes=5)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    plans.make(at)
    plans.jar.advance(hours=2)
    (only,) = plans.told()
    assert only["time"] + ")" == at.removeprefix("at(").replace(")", "Z)")


def test_start_and_end(plans: Plans) -> None:
    now = plans.jar.clock.now()
    plans.make("rate(10 minutes)", StartDate=now + timedelta(hours=1), EndDate=now + timedelta(hours=1, minutes=25),
               ActionAfterCompletion="DELETE")  # fmt: skip
    plans.jar.advance(minutes=59)
    assert plans.told() == []
    plans.jar.advance(hours=2)
    assert len(plans.told()) == 3
    assert plans.client.list_schedules()["Schedules"] == []


def test_a_flexible_window(plans: Plans) -> None:
    plans.make("rate(1 day)", FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 30})
    plans.jar.advance(minutes=30)
    assert len(plans.told()) == 1


def test_targets_by_kind(plans: Plans) -> None:
    sns, events = plans.jar.client("sns"), plans.jar.client("events")
    topic = sns.create_topic(Name="t")["TopicArn"]
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": plans.box.arn}
    plans.box.set(Policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=plans.box.arn, Attributes={"RawMessageDelivery": "true"})
    plans.make("rate(1 day)", "topic", topic, Target={"Input": '{"by": "topic"}'})
    assert plans.told() == [{"by": "topic"}]
    events.put_rule(Name="r", EventPattern='{"source": ["my.plans"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": plans.box.arn}])
    bus = events.describe_event_bus()["Arn"]
    given = {"Input": '{"n": 1}', "EventBridgeParameters": {"Source": "my.plans", "DetailType": "Due"}}
    plans.make("rate(1 day)", "bus", bus, Target=given)
    (event,) = plans.told()
    assert (event["detail-type"], event["detail"]) == ("Due", {"n": 1})
    fifo = Box(plans.jar, plans.jar.client("sqs"), "in.fifo", ContentBasedDeduplication="true")
    plans.make("rate(1 day)", "fifo", fifo.arn, Target={"Input": "x", "SqsParameters": {"MessageGroupId": "g"}})
    assert fifo.bodies() == ["x"]


def test_any_operation_that_changes_something(plans: Plans) -> None:
    plans.make("rate(1 day)", "make", "arn:aws:scheduler:::aws-sdk:sqs:createQueue",
               Target={"Input": '{"QueueName": "made", "Attributes": {"DelaySeconds": "5"}}'})  # fmt: skip
    url = plans.jar.client("sqs").get_queue_url(QueueName="made")["QueueUrl"]
    assert url.endswith("/made")
    plans.make("rate(1 day)", "log", "arn:aws:scheduler:::aws-sdk:cloudwatchlogs:createLogGroup",
               Target={"Input": '{"LogGroupName": "by-plan"}'})  # fmt: skip
    (group,) = plans.jar.client("logs").describe_log_groups()["logGroups"]
    assert group["logGroupName"] == "by-plan"


def test_what_cannot_be_called_is_among_the_dead_letters(plans: Plans) -> None:
    dead = Box(plans.jar, plans.jar.client("sqs"), "dead")
    gone = f"arn:aws:sqs:eu-west-3:{ACCOUNT}:gone"
    arn = plans.make("rate(1 day)", "s", gone, Target={"Input": "hello", "DeadLetterConfig": {"Arn": dead.arn}})
    (letter,) = dead.receive()
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert letter["Body"] == "hello"
    assert (told["SCHEDULE_ARN"], told["TARGET_ARN"], told["RETRY_ATTEMPTS"]) == (arn, gone, "0")
    assert told["ERROR_CODE"]
    assert told["ERROR_MESSAGE"]
    assert (told["IS_PAYLOAD_TRUNCATED"], len(told["EXECUTION_ID"])) == ("false", 36)


def test_the_role_decides(plans: Plans) -> None:
    iam = plans.jar.client("iam")
    dead = Box(plans.jar, plans.jar.client("sqs"), "dead")
    policy = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead.arn}
    iam.put_role_policy(RoleName="target", PolicyName="p",
                        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [policy]}))  # fmt: skip
    plans.make("rate(1 day)", Target={"DeadLetterConfig": {"Arn": dead.arn}})
    (letter,) = dead.receive()
    assert "AccessDenied" in letter["MessageAttributes"]["ERROR_CODE"]["StringValue"]
    assert plans.told() == []


def test_a_session_of_the_role_lasts_until_something_of_iam_changes(plans: Plans) -> None:
    iam, trail = plans.jar.client("iam"), plans.jar.client("cloudtrail")
    plans.make("rate(10 minutes)", "s")
    plans.make("rate(10 minutes)", "t")
    plans.jar.advance(minutes=41)
    assert len(plans.told()) == 10
    asked = [{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}]
    called = [json.loads(one["CloudTrailEvent"]) for one in trail.lookup_events(LookupAttributes=asked)["Events"]]
    sessions = {one["requestParameters"]["roleSessionName"] for one in called} - {"validate"}
    assert len(sessions) == 1
    dead = Box(plans.jar, plans.jar.client("sqs"), "dead")
    plans.make("rate(10 minutes)", "u", Target={"DeadLetterConfig": {"Arn": dead.arn}})
    assert len(plans.told()) == 1
    nobody = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(
        RoleName="target", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [nobody]})
    )
    plans.jar.advance(minutes=10)
    assert plans.told() == []


def test_what_is_throttled_is_tried_again(plans: Plans) -> None:
    """A stream that is over its limit takes the record a moment later."""
    kinesis = plans.jar.client("kinesis")
    kinesis.create_stream(StreamName="st", ShardCount=1)
    plans.jar.advance(minutes=1)
    stream = kinesis.describe_stream_summary(StreamName="st")["StreamDescriptionSummary"]["StreamARN"]
    kinesis.put_records(StreamName="st", Records=[{"Data": b"x" * 1_000_000, "PartitionKey": "p"}])
    given = {"Input": "y" * 200_000, "KinesisParameters": {"PartitionKey": "p"}}
    plans.make("at(2040-01-01T00:00:00)", "later", stream, Target=given)
    plans.make("rate(1 day)", "s", stream, Target=given)
    plans.jar.advance(minutes=1)
    iterator = kinesis.get_shard_iterator(
        StreamName="st", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]  # fmt: skip
    assert [len(one["Data"]) for one in kinesis.get_records(ShardIterator=iterator)["Records"]] == [1_000_000, 200_000]


def test_metrics_and_the_bill(plans: Plans) -> None:
    plans.client.create_schedule_group(Name="night")
    plans.make("rate(10 minutes)", GroupName="night")
    plans.jar.advance(minutes=25)
    now = plans.jar.clock.now()
    found = plans.jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Scheduler", MetricName="InvocationAttemptCount", Period=3600, Statistics=["Sum"],
        Dimensions=[{"Name": "ScheduleGroup", "Value": "night"}], StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1))["Datapoints"]  # fmt: skip
    assert sum(point["Sum"] for point in found) == 3
    assert requests(plans.jar, "ScheduledInvocation") == 3


def test_an_alarm_hears_of_invocations(plans: Plans) -> None:
    watch = plans.jar.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="busy", Namespace="AWS/Scheduler", MetricName="InvocationAttemptCount", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=0.0, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
    )  # fmt: skip
    plans.jar.settle()
    start = (plans.jar.clock.now() + timedelta(hours=3)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    plans.make(start)

    def state() -> str:
        return str(watch.describe_alarms(AlarmNames=["busy"])["MetricAlarms"][0]["StateValue"])

    plans.jar.advance(hours=2)
    assert state() == "OK"
    plans.jar.advance(hours=1, minutes=2)
    changes = watch.describe_alarm_history(AlarmName="busy", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert any("to ALARM" in one["HistorySummary"] for one in changes)
    plans.jar.advance(minutes=10)
    assert state() == "OK"
