"""Topics and queues that are told: of launches and terminations, and of instances that wait for a hook."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import ACCOUNT
from tests.services.autoscaling.groups import Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}
KINDS = [f"autoscaling:EC2_INSTANCE_{kind}" for kind in ("LAUNCH", "LAUNCH_ERROR", "TERMINATE")]


class Heard:
    """A queue, and a topic that it is subscribed to."""

    def __init__(self, scaling: Scaling) -> None:
        self.jar = scaling.jar
        self.sns, self.sqs = scaling.jar.client("sns"), scaling.jar.client("sqs")
        self.topic = str(self.sns.create_topic(Name="told")["TopicArn"])
        self.url = str(self.sqs.create_queue(QueueName="heard")["QueueUrl"])
        self.queue = f"arn:aws:sqs:eu-west-3:{ACCOUNT}:heard"
        statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                     "Resource": self.queue}  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self.queue)

    def all(self) -> list[dict[str, Any]]:
        """What has arrived since it was last asked."""
        self.jar.settle()
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return found


def test_topics_are_told_of_launches_and_terminations(scaling: Scaling) -> None:
    heard = Heard(scaling)
    scaling.make(desired=0)
    put, asked = scaling.api.put_notification_configuration, {**GROUP, "TopicARN": heard.topic}
    code, words = refused(put, **GROUP, TopicARN=heard.topic + "x", NotificationTypes=KINDS)
    assert (code, words.partition(heard.topic)[0]) == (
        "ValidationError", "Unable to publish test notification message to topic ",
    )  # fmt: skip
    assert refused(put, **asked, NotificationTypes=["autoscaling:ANY"])[0] == "ValidationError"
    put(**asked, NotificationTypes=KINDS)
    (wrapped,) = heard.all()
    test = json.loads(wrapped["Message"])
    assert wrapped["Subject"] == 'Auto Scaling: test notification for group "asg"'
    assert (test["Event"], test["AutoScalingGroupName"]) == ("autoscaling:TEST_NOTIFICATION", "asg")
    shown = scaling.api.describe_notification_configurations(AutoScalingGroupNames=["asg"])
    assert shown["NotificationConfigurations"] == [{**asked, "NotificationType": kind} for kind in KINDS]
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=1)
    scaling.jar.settle()
    (instance,) = scaling.instances()
    (wrapped,) = heard.all()
    launch = json.loads(wrapped["Message"])
    assert wrapped["Subject"] == 'Auto Scaling: launch for group "asg"'
    assert (launch["Event"], launch["EC2InstanceId"], launch["Service"]) == (KINDS[0], instance, "AWS Auto Scaling")
    assert (launch["Details"]["Availability Zone"], launch["StatusCode"]) == ("eu-west-3a", "InProgress")
    put(**asked, NotificationTypes=KINDS[2:])
    assert len(heard.all()) == 1  # tried again
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=0)
    scaling.jar.settle()
    (ended,) = (json.loads(one["Message"]) for one in heard.all())
    assert (ended["Event"], ended["EC2InstanceId"]) == (KINDS[2], instance)
    scaling.api.delete_notification_configuration(**asked)
    assert refused(scaling.api.delete_notification_configuration, **asked)[0] == "ValidationError"
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=1)
    scaling.jar.settle()
    assert heard.all() == []


def role(scaling: Scaling, principal: str, action: str, resource: str) -> str:
    """A role that a service may take."""
    iam = scaling.jar.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": action, "Resource": resource}
    name = f"tell-{principal.partition('.')[0]}"
    made = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    iam.put_role_policy(RoleName=name, PolicyName="tell",
                        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]}))  # fmt: skip
    return str(made["Role"]["Arn"])


def test_a_hooks_target_is_told_of_each_instance_that_waits(scaling: Scaling) -> None:
    heard = Heard(scaling)
    scaling.make(desired=0)
    strange = role(scaling, "ec2.amazonaws.com", "sqs:SendMessage", heard.queue)
    mine = role(scaling, "autoscaling.amazonaws.com", "sqs:SendMessage", heard.queue)
    asked = {**GROUP, "LifecycleHookName": "prepare", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
             "NotificationTargetARN": heard.queue, "NotificationMetadata": "hello"}  # fmt: skip
    put = scaling.api.put_lifecycle_hook
    for who in (strange, mine[:-3] + "xxx"):
        code, words = refused(put, **asked, RoleARN=who)
        assert (code, words.partition(" to notification")[0]) == ("ValidationError", "Unable to publish test message")
    put(**asked, RoleARN=mine)
    (test,) = heard.all()
    assert test["Event"] == "autoscaling:TEST_NOTIFICATION"
    (shown,) = scaling.api.describe_lifecycle_hooks(**GROUP)["LifecycleHooks"]
    assert (shown["NotificationTargetARN"], shown["RoleARN"]) == (heard.queue, mine)
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=1)
    scaling.jar.settle()
    (instance,) = scaling.instances()
    (told,) = heard.all()
    assert (told["EC2InstanceId"], told["LifecycleHookName"], told["NotificationMetadata"]) == (
        instance, "prepare", "hello",
    )  # fmt: skip
    assert (told["Origin"], told["Destination"], told["Service"]) == ("EC2", "AutoScalingGroup", "AWS Auto Scaling")
    scaling.api.complete_lifecycle_action(
        **GROUP, LifecycleHookName="prepare", LifecycleActionResult="CONTINUE",
        LifecycleActionToken=told["LifecycleActionToken"],
    )  # fmt: skip
    scaling.jar.settle()
    assert scaling.instances() == {instance: "InService"}
    put(**GROUP, LifecycleHookName="prepare", NotificationTargetARN="")
    (shown,) = scaling.api.describe_lifecycle_hooks(**GROUP)["LifecycleHooks"]
    assert "NotificationTargetARN" not in shown


def test_a_group_tells_ten_topics_at_most(scaling: Scaling) -> None:
    scaling.make(desired=0)
    sns, put = scaling.jar.client("sns"), scaling.api.put_notification_configuration
    topics = [sns.create_topic(Name=f"t{n}")["TopicArn"] for n in range(11)]
    for topic in topics[:10]:
        put(**GROUP, TopicARN=topic, NotificationTypes=KINDS)
    assert refused(put, **GROUP, TopicARN=topics[10], NotificationTypes=KINDS)[0] == "LimitExceeded"
