"""Pipes: what may be, what is kept, and through which states they go."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT
from tests.services.pipes.conftest import Pipes, refused


def test_a_pipe_is_shown_as_it_was_made(pipes: Pipes) -> None:
    given = {"FilterCriteria": {"Filters": [{"Pattern": '{"body": {"n": [1]}}'}]}}
    made = pipes.client.create_pipe(**pipes.asked(SourceParameters=given, Description="d", Tags={"team": "a"}))
    assert made["Arn"] == f"arn:aws:pipes:eu-west-3:{ACCOUNT}:pipe/p"
    assert (made["DesiredState"], made["CurrentState"]) == ("RUNNING", "CREATING")
    pipes.jar.advance(minutes=1)
    shown = pipes.client.describe_pipe(Name="p")
    assert (shown["CurrentState"], shown["Description"], shown["Tags"]) == ("RUNNING", "d", {"team": "a"})
    assert shown["SourceParameters"] == {
        **given,
        "SqsQueueParameters": {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0},
    }
    assert (shown["Source"], shown["Target"]) == (pipes.source.arn, pipes.target.arn)
    assert shown["RoleArn"] == pipes.role
    assert refused(pipes.client.create_pipe, **pipes.asked()) == (
        "ConflictException", "Pipe p already exists.", 409)  # fmt: skip
    assert refused(pipes.client.describe_pipe, Name="q") == ("NotFoundException", "Pipe q does not exist.", 404)


def test_states(pipes: Pipes) -> None:
    pipes.make(DesiredState="STOPPED")
    assert pipes.state() == ("STOPPED", "STOPPED")
    pipes.source.send("{}")
    assert pipes.told() == []
    assert pipes.client.start_pipe(Name="p")["CurrentState"] == "STARTING"
    assert refused(pipes.client.stop_pipe, Name="p")[0] == "ConflictException"
    pipes.jar.advance(minutes=1)
    assert pipes.state() == ("RUNNING", "RUNNING")
    assert len(pipes.told()) == 1
    assert refused(pipes.client.start_pipe, Name="p")[0] == "ConflictException"
    assert pipes.client.stop_pipe(Name="p")["CurrentState"] == "STOPPING"
    pipes.jar.advance(minutes=1)
    pipes.source.send("{}")
    assert pipes.told() == []
    assert refused(pipes.client.stop_pipe, Name="p")[0] == "ConflictException"
    gone = pipes.client.delete_pipe(Name="p")
    assert (gone["DesiredState"], gone["CurrentState"]) == ("DELETED", "DELETING")
    pipes.jar.advance(minutes=1)
    assert refused(pipes.client.describe_pipe, Name="p")[0] == "NotFoundException"
    assert pipes.source.depth() == (1, 0, 0)


def test_what_is_not_said_in_an_update_stays(pipes: Pipes) -> None:
    given = {"FilterCriteria": {"Filters": [{"Pattern": '{"body": ["yes"]}'}]}, "SqsQueueParameters": {"BatchSize": 3}}
    pipes.make(SourceParameters=given, Description="d", TargetParameters={"InputTemplate": '{"b": <$.body>}'})
    pipes.client.update_pipe(Name="p", RoleArn=pipes.role, DesiredState="STOPPED")
    assert pipes.state() == ("STOPPED", "UPDATING")
    assert refused(pipes.client.delete_pipe, Name="p")[0] == "ConflictException"
    pipes.jar.advance(minutes=1)
    shown = pipes.client.describe_pipe(Name="p")
    assert (shown["CurrentState"], shown["Description"]) == ("STOPPED", "d")
    assert shown["TargetParameters"] == {"InputTemplate": '{"b": <$.body>}'}
    assert shown["SourceParameters"]["SqsQueueParameters"]["BatchSize"] == 3
    assert shown["SourceParameters"]["FilterCriteria"] == given["FilterCriteria"]
    pipes.client.update_pipe(Name="p", RoleArn=pipes.role, DesiredState="RUNNING", TargetParameters={},
                             SourceParameters={"FilterCriteria": {"Filters": []}})  # fmt: skip
    pipes.jar.advance(minutes=1)
    shown = pipes.client.describe_pipe(Name="p")
    assert (shown["CurrentState"], shown["TargetParameters"]) == ("RUNNING", {})
    assert "FilterCriteria" not in shown["SourceParameters"]


def test_a_role_that_does_not_trust_or_may_not_read(pipes: Pipes) -> None:
    iam = pipes.jar.client("iam")
    nobody = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    pipes.make("a", RoleArn=nobody)
    assert pipes.state("a") == ("RUNNING", "CREATE_FAILED")
    assert "AccessDenied" in pipes.client.describe_pipe(Name="a")["StateReason"]
    iam.delete_role_policy(RoleName="target", PolicyName="p")
    pipes.make("b")
    assert pipes.state("b") == ("RUNNING", "CREATE_FAILED")
    assert "sqs:getqueueattributes" in pipes.client.describe_pipe(Name="b")["StateReason"].lower()
    pipes.client.update_pipe(Name="b", RoleArn=nobody)
    pipes.jar.advance(minutes=1)
    assert pipes.state("b") == ("RUNNING", "UPDATE_FAILED")
    pipes.client.start_pipe(Name="b")
    pipes.jar.advance(minutes=1)
    assert pipes.state("b") == ("RUNNING", "START_FAILED")
    pipes.client.delete_pipe(Name="b")
    pipes.jar.advance(minutes=1)
    assert [one["Name"] for one in pipes.client.list_pipes()["Pipes"]] == ["a"]


def test_lists_and_tags(pipes: Pipes) -> None:
    arn = pipes.make("ab", DesiredState="STOPPED")
    pipes.make("ac")
    pipes.make("b", Source=pipes.target.arn, Target=pipes.source.arn, DesiredState="STOPPED")

    def names(**asked: str) -> list[str]:
        return [one["Name"] for one in pipes.client.list_pipes(**asked)["Pipes"]]

    assert names() == ["ab", "ac", "b"]
    assert names(NamePrefix="a") == ["ab", "ac"]
    assert names(CurrentState="STOPPED") == ["ab", "b"]
    assert names(DesiredState="RUNNING") == ["ac"]
    assert names(SourcePrefix=pipes.target.arn) == ["b"]
    assert names(TargetPrefix=pipes.target.arn) == ["ab", "ac"]
    pipes.client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    pipes.client.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert pipes.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    assert refused(pipes.client.list_tags_for_resource, resourceArn=arn + "x")[0] == "NotFoundException"
    assert refused(pipes.client.tag_resource, resourceArn=arn, tags={"aws:x": "1"})[0] == "ValidationException"


def test_what_may_not_be(pipes: Pipes) -> None:
    create = pipes.client.create_pipe

    def code(**more: Any) -> str:
        return refused(create, **pipes.asked(**more))[0]

    queue = {"SqsQueueParameters": {"BatchSize": 11}}
    assert code(Source="arn:aws:s3:::bucket") == "ValidationException"
    assert code(Source=f"arn:aws:sqs:us-east-1:{ACCOUNT}:q") == "ValidationException"
    assert code(SourceParameters=queue) == "ValidationException"
    queue["SqsQueueParameters"]["MaximumBatchingWindowInSeconds"] = 1
    assert "less than or equal to 10 for target" in refused(create, **pipes.asked(SourceParameters=queue))[1]
    assert code(SourceParameters={"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}) == "ValidationException"
    assert code(SourceParameters={"KinesisStreamParameters": {"StartingPosition": "LATEST"}}) == "ValidationException"
    assert code(Target=f"arn:aws:s3:eu-west-3:{ACCOUNT}:b") == "ValidationException"
    assert code(Target=pipes.target.arn + ".fifo") == "ValidationException"
    assert code(Target=f"arn:aws:kinesis:eu-west-3:{ACCOUNT}:stream/s") == "ValidationException"
    assert code(TargetParameters={"KinesisStreamParameters": {"PartitionKey": "x"}}) == "ValidationException"
    assert code(TargetParameters={"InputTemplate": '{"a": <$.a}'}) == "ValidationException"
    assert code(Tags={"aws:a": "b"}) == "ValidationException"
    assert pipes.client.list_pipes()["Pipes"] == []


@pytest.mark.parametrize("more", [
    {"Source": f"arn:aws:dynamodb:eu-west-3:{ACCOUNT}:table/t/stream/2026-01-01T00:00:00.000"},
    {"Source": "smk://broker.example.com:9092"},
    {"Source": f"arn:aws:mq:eu-west-3:{ACCOUNT}:broker:b:b-1"},
    {"Target": f"arn:aws:lambda:eu-west-3:{ACCOUNT}:function:f"},
    {"Enrichment": f"arn:aws:lambda:eu-west-3:{ACCOUNT}:function:f"},
    {"KmsKeyIdentifier": "alias/k"},
    {"LogConfiguration": {"Level": "ERROR", "CloudwatchLogsLogDestination": {
        "LogGroupArn": f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:g"}}},
])  # fmt: skip
def test_what_is_not_built_says_so(pipes: Pipes, more: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        pipes.client.create_pipe(**pipes.asked(**more))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert pipes.client.list_pipes()["Pipes"] == []


def test_the_role_must_be_passed(pipes: Pipes) -> None:
    iam = pipes.jar.client("iam")
    iam.create_user(UserName="maker")
    key = iam.create_access_key(UserName="maker")["AccessKey"]
    maker = pipes.jar.client("pipes", key=key["AccessKeyId"], secret=key["SecretAccessKey"])

    def may(*actions: str) -> None:
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName="maker", PolicyName="p", PolicyDocument=document)

    may("pipes:*")
    assert "iam:PassRole" in refused(maker.create_pipe, **pipes.asked())[1]
    may("pipes:*", "iam:PassRole")
    assert maker.create_pipe(**pipes.asked())["CurrentState"] == "CREATING"


def test_the_trust_may_ask_for_the_pipe(pipes: Pipes) -> None:
    source = {"aws:SourceArn": f"arn:aws:pipes:eu-west-3:{ACCOUNT}:pipe/mine", "aws:SourceAccount": ACCOUNT}
    trust = {"Effect": "Allow", "Principal": {"Service": "pipes.amazonaws.com"}, "Action": "sts:AssumeRole",
             "Condition": {"StringEquals": source}}  # fmt: skip
    pipes.jar.client("iam").update_assume_role_policy(
        RoleName="target", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    pipes.make("mine")
    pipes.make("other")
    assert pipes.state("mine") == ("RUNNING", "RUNNING")
    assert pipes.state("other") == ("RUNNING", "CREATE_FAILED")
