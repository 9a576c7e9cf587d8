"""Schedules and groups: what may be, and what is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT
from tests.services.events.conftest import role_for
from tests.services.scheduler.conftest import Plans


def refused(call: Any, **asked: Any) -> tuple[str, str, int]:
    """The code, words and status of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**asked)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_a_schedule_is_shown_as_it_was_made(plans: Plans) -> None:
    end = datetime(2036, 1, 1, tzinfo=UTC)
    arn = plans.make("cron(0 9 ? * MON *)", ScheduleExpressionTimezone="Europe/Paris", Description="d", EndDate=end,
                     FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15})  # fmt: skip
    assert arn == f"arn:aws:scheduler:eu-west-3:{ACCOUNT}:schedule/default/s"
    shown = plans.client.get_schedule(Name="s")
    assert (shown["Arn"], shown["GroupName"], shown["State"]) == (arn, "default", "ENABLED")
    assert (shown["ScheduleExpression"], shown["ScheduleExpressionTimezone"]) == ("cron(0 9 ? * MON *)", "Europe/Paris")
    assert shown["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert (shown["EndDate"], shown["ActionAfterCompletion"]) == (end, "NONE")
    assert shown["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    plans.client.update_schedule(**plans.asked("rate(1 day)", State="DISABLED"))
    changed = plans.client.get_schedule(Name="s")
    assert (changed["State"], changed["ScheduleExpressionTimezone"]) == ("DISABLED", "UTC")
    assert not {"Description", "EndDate"} & set(changed)
    assert changed["CreationDate"] == shown["CreationDate"]
    plans.client.delete_schedule(Name="s")
    assert refused(plans.client.get_schedule, Name="s") == (
        "ResourceNotFoundException", "Schedule s does not exist.", 404)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ScheduleExpression": "rate(5 seconds)"}, "Invalid Schedule Expression rate(5 seconds)."),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "Invalid ScheduleExpressionTimezone Mars/Olympus."),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes must be provided"),
        ({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, "must not be provided"),
        ({"StartDate": datetime(2030, 1, 2, tzinfo=UTC), "EndDate": datetime(2030, 1, 1, tzinfo=UTC)}, "after"),
        ({"Arn": "arn:aws:s3:::bucket"}, "s3 is not a supported service for a target."),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:nothing:doIt"}, "nothing is not a supported service for a target."),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:getQueueUrl"}, "getQueueUrl is not a supported api"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:flyAway"}, "flyAway is not a supported api"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": "no"}, "Invalid RequestJson"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": '{"Queue": 1}'}, "unknown member"),
        ({"Arn": f"arn:aws:sqs:eu-west-3:{ACCOUNT}:q.fifo"}, "MessageGroupId must be provided"),
        ({"Arn": f"arn:aws:kinesis:eu-west-3:{ACCOUNT}:stream/s"}, "KinesisParameters must be provided"),
        ({"SqsParameters": {"MessageGroupId": "g"}, "Arn": f"arn:aws:sns:eu-west-3:{ACCOUNT}:t"}, "not supported"),
        ({"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/none"}, "The execution role you provide must allow AWS EventBridge"),
    ],
)
def test_what_is_refused(plans: Plans, change: dict[str, Any], words: str) -> None:
    asked = plans.asked("rate(1 day)")
    for name, value in change.items():
        (asked["Target"] if name in ("Arn", "Input", "RoleArn", "SqsParameters") else asked)[name] = value
    code, said, status = refused(plans.client.create_schedule, **asked)
    assert (code, status) == ("ValidationException", 400)
    assert words in said


def test_a_role_that_trusts_another_service_is_none(plans: Plans) -> None:
    other = role_for(plans.jar, "*", name="other", service="events")
    code, said, _ = refused(plans.client.create_schedule, **plans.asked("rate(1 day)", Target={"RoleArn": other}))
    words = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
    assert (code, said) == ("ValidationException", words)


def test_names_are_one_in_a_group(plans: Plans) -> None:
    plans.client.create_schedule_group(Name="night")
    plans.make("rate(1 day)")
    plans.make("rate(1 day)", GroupName="night")
    assert refused(plans.client.create_schedule, **plans.asked("rate(1 day)")) == (
        "ConflictException", "Schedule s already exists.", 409)  # fmt: skip
    assert refused(plans.client.create_schedule, **plans.asked("rate(1 day)", GroupName="none"))[:2] == (
        "ResourceNotFoundException", "Schedule group none does not exist.")  # fmt: skip
    assert refused(plans.client.create_schedule_group, Name="night")[0] == "ConflictException"
    assert [one["GroupName"] for one in plans.client.list_schedules()["Schedules"]] == ["default", "night"]
    (only,) = plans.client.list_schedules(GroupName="night", NamePrefix="s", State="ENABLED")["Schedules"]
    assert only["Target"] == {"Arn": plans.box.arn}
    assert plans.client.list_schedules(State="DISABLED")["Schedules"] == []


def test_a_group_goes_with_its_schedules(plans: Plans) -> None:
    arn = plans.client.create_schedule_group(Name="night", Tags=[{"Key": "a", "Value": "1"}])["ScheduleGroupArn"]
    plans.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    plans.client.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert plans.client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert plans.client.get_schedule_group(Name="night")["State"] == "ACTIVE"
    plans.make("rate(1 minute)", GroupName="night")
    plans.client.delete_schedule_group(Name="night")
    plans.jar.settle()
    assert refused(plans.client.get_schedule_group, Name="night")[0] == "ResourceNotFoundException"
    assert plans.client.list_schedules()["Schedules"] == []
    assert [one["Name"] for one in plans.client.list_schedule_groups()["ScheduleGroups"]] == ["default"]
    assert refused(plans.client.delete_schedule_group, Name="default")[0] == "ValidationException"


def test_who_makes_a_schedule_must_be_allowed_to_pass_the_role(plans: Plans) -> None:
    iam = plans.jar.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "scheduler:*", "Resource": "*"}]}'
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy)
    ann = plans.jar.client("scheduler", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    code, said, _ = refused(ann.create_schedule, **plans.asked("rate(1 day)"))
    assert code == "AccessDeniedException"
    assert "iam:PassRole" in said
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy.replace("scheduler:*", "*"))
    assert ann.create_schedule(**plans.asked("at(2040-01-01T00:00:00)"))["ScheduleArn"].endswith("default/s")


def test_keys_of_customers_are_not_built(plans: Plans) -> None:
    asked = plans.asked("rate(1 day)", KmsKeyArn=f"arn:aws:kms:eu-west-3:{ACCOUNT}:key/k")
    assert refused(plans.client.create_schedule, **asked)[2] == 501
