"""Groups and streams: named, listed a page at a time, tagged, protected, and who may do what with them."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, refused
from tests.services.iam.people import allow, policy, user
from tests.services.iam.people import refused as refusal
from tests.services.logs.conftest import Log

ARN = f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group"


def names(logs: Any, **more: Any) -> list[str]:
    pages = logs.get_paginator("describe_log_groups").paginate(**more)
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


def test_groups_are_named_once_and_found_by_their_names(logs: Any) -> None:
    for name in ("/aws/lambda/x", "/app/web", "/app/db"):
        logs.create_log_group(logGroupName=name, tags={"who": "me"})
    assert refused(logs.create_log_group, logGroupName="/app/db") == (
        "ResourceAlreadyExistsException", "The specified log group already exists",
    )  # fmt: skip
    assert names(logs, PaginationConfig={"PageSize": 1}) == ["/app/db", "/app/web", "/aws/lambda/x"]
    assert names(logs, logGroupNamePrefix="/app/") == ["/app/db", "/app/web"]
    assert names(logs, logGroupNamePattern="WEB") == ["/app/web"]
    [group] = logs.describe_log_groups(logGroupNamePrefix="/app/db")["logGroups"]
    assert (group["arn"], group["logGroupArn"]) == (f"{ARN}:/app/db:*", f"{ARN}:/app/db")
    assert (group["storedBytes"], group["metricFilterCount"], group["logGroupClass"]) == (0, 0, "STANDARD")
    assert "retentionInDays" not in group
    listed = logs.list_log_groups(logGroupNamePattern="^/aws/lam|web")["logGroups"]
    assert [one["logGroupName"] for one in listed] == ["/app/web", "/aws/lambda/x"]
    assert code(logs.create_log_group, logGroupName="aws/x") == "InvalidParameterException"
    assert refused(logs.delete_log_group, logGroupName="none") == (
        "ResourceNotFoundException", "The specified log group does not exist.",
    )  # fmt: skip


def test_retention_has_its_numbers(logs: Any, log: Log) -> None:
    logs.put_retention_policy(logGroupName=log.group, retentionInDays=14)
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 14
    wrong, said = refused(logs.put_retention_policy, logGroupName=log.group, retentionInDays=2)
    assert (wrong, "enum value set: [1, 3, 5, 7," in said) == ("InvalidParameterException", True)
    logs.delete_retention_policy(logGroupName=log.group)
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


def test_streams_by_name_and_by_their_last_event(logs: Any, log: Log) -> None:
    for name in ("two", "three"):
        logs.create_log_stream(logGroupName=log.group, logStreamName=name)
    log.put("x", ago=100, stream="three")
    log.put("y")

    def streams(**more: Any) -> list[str]:
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName=log.group, PaginationConfig={"PageSize": 1}, **more
        )
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    assert streams() == ["one", "three", "two"]
    assert streams(descending=True) == ["two", "three", "one"]
    assert streams(logStreamNamePrefix="t") == ["three", "two"]
    assert streams(orderBy="LastEventTime", descending=True) == ["one", "three", "two"]
    assert code(streams, orderBy="LastEventTime", logStreamNamePrefix="t") == "InvalidParameterException"
    [one] = logs.describe_log_streams(logGroupName=log.group, logStreamNamePrefix="one")["logStreams"]
    assert one["lastEventTimestamp"] == one["firstEventTimestamp"] == log.now
    assert one["arn"] == f"{ARN}:/app:log-stream:one"
    assert refused(logs.create_log_stream, logGroupName=log.group, logStreamName="one") == (
        "ResourceAlreadyExistsException", "The specified log stream already exists",
    )  # fmt: skip
    assert refused(logs.delete_log_stream, logGroupName=log.group, logStreamName="four") == (
        "ResourceNotFoundException", "The specified log stream does not exist.",
    )  # fmt: skip


def test_what_is_protected_stays(logs: Any, log: Log) -> None:
    logs.put_log_group_deletion_protection(logGroupIdentifier=log.group, deletionProtectionEnabled=True)
    assert code(logs.delete_log_group, logGroupName=log.group) == "ValidationException"
    assert code(logs.delete_log_stream, logGroupName=log.group, logStreamName=log.stream) == "ValidationException"
    logs.put_log_group_deletion_protection(logGroupIdentifier=f"{ARN}:/app", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName=log.group)
    assert names(logs) == []


def test_tags_in_both_forms(logs: Any, log: Log) -> None:
    arn = f"{ARN}:/app"
    logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    logs.tag_log_group(logGroupName="/app", tags={"c": "3"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2", "c": "3"}
    logs.untag_log_group(logGroupName="/app", tags=["c"])
    assert logs.list_tags_log_group(logGroupName="/app")["tags"] == {"b": "2"}
    many = {str(i): "" for i in range(50)}
    assert code(logs.tag_resource, resourceArn=arn, tags=many) == "TooManyTagsException"
    assert code(logs.tag_resource, resourceArn=f"{ARN}:none", tags={"a": "1"}) == "ResourceNotFoundException"


def test_infrequent_access_has_less(logs: Any) -> None:
    logs.create_log_group(logGroupName="ia", logGroupClass="INFREQUENT_ACCESS")
    logs.create_log_stream(logGroupName="ia", logStreamName="s")
    assert code(logs.get_log_events, logGroupName="ia", logStreamName="s") == "InvalidOperationException"
    assert code(logs.filter_log_events, logGroupName="ia") == "InvalidOperationException"


def test_policies_speak_of_groups_and_their_streams(jar: TestJar, log: Log) -> None:
    log.put("x")
    reader = user(jar, "reader", allow("logs:GetLogEvents", on=f"{ARN}:/app:log-stream:one"))
    assert reader.client("logs").get_log_events(logGroupName="/app", logStreamName="one")["events"]
    with refusal("AccessDeniedException", f"{ARN}:/app:log-stream:two"):
        reader.client("logs").get_log_events(logGroupName="/app", logStreamName="two")
    bare = user(jar, "bare", allow("logs:DescribeLogStreams", on=f"{ARN}:/app"))
    with refusal("AccessDeniedException", f"{ARN}:/app:log-stream:"):
        bare.client("logs").describe_log_streams(logGroupName="/app")
    star = user(jar, "star", allow("logs:*", on=f"{ARN}:/app:*"))
    assert star.client("logs").describe_log_streams(logGroupName="/app")["logStreams"]
    log.client.tag_log_group(logGroupName="/app", tags={"team": "red"})
    red = {"StringEquals": {"aws:ResourceTag/team": "red"}}
    tagged = user(jar, "tagged", {**allow("logs:GetLogEvents"), "Condition": red})
    assert tagged.client("logs").get_log_events(logGroupName="/app", logStreamName="one")["events"]


def test_resource_policies_are_kept_and_have_an_effect(jar: TestJar, logs: Any, log: Log) -> None:
    ann = user(jar, "ann")
    says = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "logs:GetLogEvents", "Resource": "*"}
    made = logs.put_resource_policy(policyName="p", policyDocument=policy(says))["resourcePolicy"]
    assert (made["policyName"], made["policyScope"]) == ("p", "ACCOUNT")
    assert ann.client("logs").get_log_events(logGroupName="/app", logStreamName="one")["events"] == []
    assert [p["policyName"] for p in logs.describe_resource_policies()["resourcePolicies"]] == ["p"]
    logs.delete_resource_policy(policyName="p")
    assert code(logs.delete_resource_policy, policyName="p") == "ResourceNotFoundException"
    with refusal("AccessDeniedException"):
        ann.client("logs").get_log_events(logGroupName="/app", logStreamName="one")
    own = logs.put_resource_policy(resourceArn=f"{ARN}:/app", policyDocument=policy(says))
    assert ann.client("logs").get_log_events(logGroupName="/app", logStreamName="one")["events"] == []
    gone = {"resourceArn": f"{ARN}:/app", "expectedRevisionId": "other"}
    assert code(logs.delete_resource_policy, **gone) == "OperationAbortedException"
    logs.delete_resource_policy(resourceArn=f"{ARN}:/app", expectedRevisionId=own["revisionId"])
    assert code(logs.put_resource_policy, policyName="p", policyDocument="{}") == "InvalidParameterException"


def test_a_key_must_let_the_service_in(jar: TestJar, logs: Any, log: Log) -> None:
    kms = jar.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    wrong, said = refused(logs.associate_kms_key, logGroupName="/app", kmsKeyId=key)
    assert (wrong, said) == (
        "InvalidParameterException",
        f"The specified KMS Key Id does not exist or is not allowed to be used with Arn '{ARN}:/app'",
    )
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    service = {
        **own,
        "Principal": {"Service": "logs.eu-west-3.amazonaws.com"},
        "Condition": {"StringEquals": {"kms:EncryptionContext:aws:logs:arn": f"{ARN}:/app"}},
    }
    kms.put_key_policy(KeyId=key, Policy=policy(own, service))
    log.put("plain", ago=10)
    logs.associate_kms_key(logGroupName="/app", kmsKeyId=key)
    assert logs.describe_log_groups()["logGroups"][0]["kmsKeyId"] == key
    log.put("sealed")
    assert log.messages() == log.search() == ["plain", "sealed"]
    kept = jar.jar.database.query("SELECT message FROM logs_event ORDER BY number")
    assert [b"plain" in kept[0][0], b"sealed" in kept[1][0]] == [True, False]
    kms.disable_key(KeyId=key)
    assert code(log.get) == "AccessDeniedException"
    assert code(log.client.put_log_events, logGroupName="/app", logStreamName="one",
                logEvents=[{"timestamp": log.now, "message": "x"}]) == "AccessDeniedException"  # fmt: skip
    kms.enable_key(KeyId=key)
    logs.disassociate_kms_key(logGroupName="/app")
    log.put("open")
    assert log.messages() == ["plain", "sealed", "open"]
