"""What services tell is on the default bus by itself; calls are when a trail records them."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.events.conftest import Bus, events_in, role_for
from tests.services.events.test_delivery import metric
from tests.services.sqs.conftest import Box


def instance(jar: TestJar) -> str:
    ec2 = jar.client("ec2")
    images = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"]
    made = ec2.run_instances(ImageId=images[0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1)
    jar.settle()
    return str(made["Instances"][0]["InstanceId"])


def trail(jar: TestJar, **more: Any) -> None:
    """A trail that logs."""
    s3, cloudtrail = jar.client("s3"), jar.client("cloudtrail")
    s3.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    statements = [
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:GetBucketAcl",
         "Resource": "arn:aws:s3:::trail"},
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject",
         "Resource": "arn:aws:s3:::trail/*"},
    ]  # fmt: skip
    s3.put_bucket_policy(Bucket="trail", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    cloudtrail.create_trail(Name="law", S3BucketName="trail", **more)
    cloudtrail.start_logging(Name="law")
    jar.settle()


def test_states_of_an_instance(jar: TestJar, bus: Bus) -> None:
    bus.rule(pattern={"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]})
    box = bus.queue()
    vm = instance(jar)
    jar.client("ec2").terminate_instances(InstanceIds=[vm])
    jar.settle()
    found = events_in(box)
    assert [event["detail"]["state"] for event in found] == ["pending", "running", "shutting-down", "terminated"]
    assert {event["detail"]["instance-id"] for event in found} == {vm}
    assert found[0]["resources"] == [f"arn:aws:ec2:eu-west-3:{ACCOUNT}:instance/{vm}"]
    assert metric(jar, "MatchedEvents") == 4


def test_objects_of_a_bucket(jar: TestJar, bus: Bus) -> None:
    s3 = jar.client("s3")
    s3.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    s3.put_bucket_notification_configuration(
        Bucket="photos", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    wanted = {"bucket": {"name": ["photos"]}, "object": {"key": [{"suffix": ".png"}]}}
    bus.rule(pattern={"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": wanted})
    box = bus.queue()
    s3.put_object(Bucket="photos", Key="a.txt", Body=b"1")
    s3.put_object(Bucket="photos", Key="a.png", Body=b"12")
    jar.settle()
    [event] = events_in(box)
    assert event["detail"]["object"]["key"] == "a.png"
    assert event["detail"]["object"]["size"] == 2
    assert event["resources"] == ["arn:aws:s3:::photos"]


def test_calls_are_events_when_a_trail_records_them(jar: TestJar, bus: Bus) -> None:
    bus.rule(pattern={"source": ["aws.sqs"], "detail-type": ["AWS API Call via CloudTrail"]})
    box = bus.queue()
    sqs = jar.client("sqs")
    sqs.create_queue(QueueName="before")
    jar.settle()
    assert box.bodies() == []
    trail(jar)
    sqs.create_queue(QueueName="after")
    sqs.list_queues()
    jar.settle()
    [event] = events_in(box)
    assert event["detail"]["eventName"] == "CreateQueue"
    assert event["detail"]["requestParameters"]["queueName"] == "after"
    assert event["detail"]["recipientAccountId"] == ACCOUNT
    assert event["resources"] == []


def test_reads_are_only_for_those_who_ask_for_them(jar: TestJar, bus: Bus) -> None:
    trail(jar)
    pattern = {"source": ["aws.kms"], "detail": {"eventName": ["ListKeys", "DisableKey"]}}
    bus.rule("some", pattern)
    bus.rule("all", pattern, State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    some, every = bus.queue("some", "some"), bus.queue("all", "all")
    kms = jar.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.list_keys()
    kms.disable_key(KeyId=key)
    jar.settle()
    assert [event["detail"]["eventName"] for event in events_in(some)] == ["DisableKey"]
    assert sorted(event["detail"]["eventName"] for event in events_in(every)) == ["DisableKey", "ListKeys"]


def test_an_action_in_ec2(jar: TestJar, bus: Bus) -> None:
    vm = instance(jar)
    bus.rule(pattern={"source": ["my.app"]})
    role = role_for(jar, "ec2:StopInstances")
    bus.target(f"arn:aws:events:eu-west-3:{ACCOUNT}:target/stop-instance", RoleArn=role, Input=json.dumps(vm))
    bus.put()
    found = jar.client("ec2").describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "stopped"
    assert jar.host.look(vm) != "up"


def test_a_command_on_instances(jar: TestJar, bus: Bus) -> None:
    bus.rule(pattern={"source": ["my.app"]})
    document = "arn:aws:ssm:eu-west-3::document/AWS-RunShellScript"
    chosen = {"RunCommandTargets": [{"Key": "tag:role", "Values": ["web"]}]}
    role = role_for(jar, "ssm:SendCommand")
    bus.target(document, RoleArn=role, RunCommandParameters=chosen, Input=json.dumps({"commands": ["true"]}))
    bus.put()
    [command] = jar.client("ssm").list_commands()["Commands"]
    assert command["DocumentName"] == "AWS-RunShellScript"
    assert command["Parameters"]["commands"] == ["true"]
    assert command["Targets"] == chosen["RunCommandTargets"]


def test_a_rule_for_everything_does_not_go_round_in_circles(jar: TestJar, bus: Bus) -> None:
    """Assuming the target's role is itself a call that a trail records."""
    trail(jar)
    box = Box(jar, jar.client("sqs"), "all")
    bus.rule(pattern={"source": [{"prefix": ""}]})
    bus.target(box.arn, RoleArn=role_for(jar, "sqs:SendMessage"))
    logs, group = jar.client("logs"), f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:/aws/events/all"
    logs.create_log_group(logGroupName="/aws/events/all")
    bus.target(group, Id="log", RoleArn=role_for(jar, "logs:*", name="log"))
    bus.put()
    assert len(logs.describe_log_streams(logGroupName="/aws/events/all")["logStreams"]) == 1
    names = [event["detail"].get("eventName", event["detail-type"]) for event in events_in(box)]
    assert names.count("thing") == 1
    assert names.count("AssumeRole") <= 1
