"""Trails: names, Regions, tags, and who may see and change them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.cloudtrail.trails import BUCKET, Scene
from tests.services.iam.people import allow, user

ARN = f"arn:aws:cloudtrail:eu-west-3:{ACCOUNT}:trail/main"


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """The code and words with which a call is refused."""
    with pytest.raises(ClientError) as error:
        call(**params)
    told = error.value.response["Error"]
    return told["Code"], told["Message"]


def test_a_trail_is_what_it_was_made_to_be(jar: TestJar) -> None:
    scene = Scene(jar)
    made = scene.trail.create_trail(
        Name="main", S3BucketName=BUCKET, TagsList=[{"Key": "team", "Value": "audit"}], EnableLogFileValidation=True
    )
    del made["ResponseMetadata"]
    assert made == {
        "Name": "main", "S3BucketName": BUCKET, "IncludeGlobalServiceEvents": True, "IsMultiRegionTrail": False,
        "TrailARN": ARN, "LogFileValidationEnabled": True, "IsOrganizationTrail": False, "RecursiveLogging": True,
    }  # fmt: skip
    shown = {**made, "HomeRegion": "eu-west-3", "HasCustomEventSelectors": False, "HasInsightSelectors": False}
    assert scene.trail.get_trail(Name="main")["Trail"] == shown
    assert scene.trail.get_trail(Name=ARN)["Trail"] == shown
    assert scene.trail.describe_trails()["trailList"] == [shown]
    assert scene.trail.get_trail_status(Name=ARN)["IsLogging"] is False
    assert scene.trail.list_trails()["Trails"] == [{"TrailARN": ARN, "Name": "main", "HomeRegion": "eu-west-3"}]
    scene.trail.add_tags(ResourceId=ARN, TagsList=[{"Key": "stage", "Value": "test"}])
    scene.trail.remove_tags(ResourceId=ARN, TagsList=[{"Key": "team"}])
    assert scene.trail.list_tags(ResourceIdList=[ARN])["ResourceTagList"] == [
        {"ResourceId": ARN, "TagsList": [{"Key": "stage", "Value": "test"}]}
    ]
    changed = scene.trail.update_trail(Name=ARN, EnableLogFileValidation=False, IsMultiRegionTrail=True)
    assert (changed["LogFileValidationEnabled"], changed["IsMultiRegionTrail"]) == (False, True)
    scene.trail.delete_trail(Name="main")
    assert scene.trail.describe_trails()["trailList"] == []


NAMES = {
    "ab": "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters.",
    "a" * 129: "Trail name too long. Maximum allowed length: 128 characters. Specified name length: 129 characters.",
    "-abc": "Trail name must starts with a letter or number.",
    "abc-": "Trail name must ends with a letter or number.",
    "a bc": "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens "
            "(-), and underscores (_).",
    "a--b": "Trail name cannot have adjacent periods, underscores, or dashes.",
    "192.168.5.4": "Trail name must not be in IP address format.",
}  # fmt: skip


def test_names_that_cannot_be(steady_jar: TestJar) -> None:
    trail = steady_jar.client("cloudtrail")
    for name, said in NAMES.items():
        told = refused(trail.create_trail, Name=name, S3BucketName=BUCKET)
        assert told == ("InvalidTrailNameException", said)


def test_what_is_refused(jar: TestJar) -> None:
    scene = Scene(jar)
    create = scene.trail.create_trail
    assert refused(create, Name="main", S3BucketName="nowhere-at-all") == (
        "S3BucketDoesNotExistException", "S3 bucket nowhere-at-all does not exist!",
    )  # fmt: skip
    scene.s3.create_bucket(Bucket="closed")
    assert refused(create, Name="main", S3BucketName="closed") == (
        "InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected for bucket: closed",
    )  # fmt: skip
    assert refused(create, Name="main", S3BucketName=BUCKET, S3KeyPrefix="elsewhere")[0] == (
        "InsufficientS3BucketPolicyException"
    )
    assert refused(create, Name="main", S3BucketName=BUCKET, S3KeyPrefix="x" * 201)[0] == "InvalidS3PrefixException"
    assert refused(
        create, Name="main", S3BucketName=BUCKET, IsMultiRegionTrail=True, IncludeGlobalServiceEvents=False
    ) == ("InvalidParameterCombinationException", "Multi-Region trail must include global service events.")
    assert refused(create, Name="main", S3BucketName=BUCKET, SnsTopicName="none") == (
        "InsufficientSnsTopicPolicyException", "SNS Topic does not exist or the topic policy is incorrect!",
    )  # fmt: skip
    assert refused(create, Name="main", S3BucketName=BUCKET, KmsKeyId="alias/none")[0] == "KmsKeyNotFoundException"
    group = f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:trails:*"
    assert refused(create, Name="main", S3BucketName=BUCKET, CloudWatchLogsLogGroupArn=group) == (
        "InvalidCloudWatchLogsRoleArnException", "You must specify a role ARN as well as a log group.",
    )  # fmt: skip
    assert refused(create, Name="main", S3BucketName=BUCKET, IsOrganizationTrail=True)[0] == (
        "OrganizationsNotInUseException"
    )
    assert scene.keys("") == []
    assert refused(scene.trail.start_logging, Name="main") == (
        "TrailNotFoundException", f"Unknown trail: {ARN} for the user: {ACCOUNT}",
    )  # fmt: skip
    assert refused(scene.trail.get_trail, Name="arn:aws:s3:::x")[0] == "CloudTrailARNInvalidException"
    create(Name="main", S3BucketName=BUCKET)
    assert refused(create, Name="main", S3BucketName=BUCKET) == (
        "TrailAlreadyExistsException", f"Trail main already exists for customer: {ACCOUNT}",
    )  # fmt: skip
    assert refused(scene.trail.list_tags, ResourceIdList=[ARN.replace("main", "other")])[0] == (
        "ResourceNotFoundException"
    )


def test_five_trails_a_region(jar: TestJar) -> None:
    scene = Scene(jar)
    virginia = jar.client("cloudtrail", region="us-east-1")
    virginia.create_trail(Name="everywhere", S3BucketName=BUCKET, IsMultiRegionTrail=True)
    for number in range(4):
        scene.trail.create_trail(Name=f"trail{number}", S3BucketName=BUCKET)
    assert refused(scene.trail.create_trail, Name="sixth", S3BucketName=BUCKET) == (
        "MaximumNumberOfTrailsExceededException", f"User: {ACCOUNT} already has 5 trails in eu-west-3.",
    )  # fmt: skip
    assert refused(virginia.create_trail, Name="sixth", S3BucketName=BUCKET, IsMultiRegionTrail=True)[0] == (
        "MaximumNumberOfTrailsExceededException"
    )
    virginia.create_trail(Name="second", S3BucketName=BUCKET)


def test_a_trail_of_all_regions_has_shadows(jar: TestJar) -> None:
    scene = Scene(jar)
    virginia = jar.client("cloudtrail", region="us-east-1")
    arn = scene.logging(IsMultiRegionTrail=True)
    [shadow] = virginia.describe_trails()["trailList"]
    assert (shadow["TrailARN"], shadow["HomeRegion"]) == (arn, "eu-west-3")
    assert virginia.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert virginia.describe_trails(trailNameList=["main"])["trailList"] == []
    assert virginia.describe_trails(trailNameList=[arn])["trailList"] == [shadow]
    assert refused(virginia.get_trail, Name="main") == (
        "TrailNotFoundException",
        f"Unknown trail: {arn.replace('eu-west-3', 'us-east-1')} for the user: {ACCOUNT}",
    )
    assert refused(virginia.stop_logging, Name=arn)[0] == "InvalidHomeRegionException"
    jar.client("sqs", region="us-east-1").create_queue(QueueName="q")
    jar.client("iam").create_user(UserName="ann")
    jar.advance(minutes=5)
    assert {"CreateQueue", "CreateUser", "StopLogging"} <= set(scene.names("/us-east-1/"))
    assert "StartLogging" in scene.names("/eu-west-3/")
    there = virginia.get_trail_status(Name=arn)
    assert there["LatestDeliveryTime"] == scene.trail.get_trail_status(Name=arn)["LatestDeliveryTime"]
    # A trail of one Region gets what happened there; global services are recorded in Northern Virginia.
    scene.trail.update_trail(Name="main", IsMultiRegionTrail=False)
    assert virginia.describe_trails()["trailList"] == []
    jar.client("iam").create_user(UserName="bob")
    jar.client("sqs").create_queue(QueueName="q")
    jar.advance(minutes=5)
    assert scene.names("/us-east-1/").count("CreateUser") == 1
    assert "CreateQueue" in scene.names("/eu-west-3/")


def test_global_events_can_be_left_out(jar: TestJar) -> None:
    scene = Scene(jar)
    virginia = jar.client("cloudtrail", region="us-east-1")
    virginia.create_trail(Name="main", S3BucketName=BUCKET, IncludeGlobalServiceEvents=False)
    virginia.start_logging(Name="main")
    jar.client("iam").create_user(UserName="ann")
    jar.client("sqs", region="us-east-1").create_queue(QueueName="q")
    jar.advance(minutes=5)
    assert "CreateQueue" in scene.names()
    assert "CreateUser" not in scene.names()


def test_others_see_nothing_of_a_trail(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging()
    stranger = jar.client("cloudtrail", key="111111111111")
    assert refused(stranger.get_trail, Name=ARN)[0] == "AccessDeniedException"
    assert stranger.describe_trails()["trailList"] == []
    jar.client("sqs", key="111111111111").create_queue(QueueName="theirs")
    jar.advance(minutes=5)
    assert "CreateQueue" not in scene.names()


def test_a_permission_is_on_one_trail_by_whatever_it_is_called(jar: TestJar) -> None:
    scene = Scene(jar)
    for name in ("main", "other"):
        scene.logging(name)
    ann = user(jar, "ann", allow("cloudtrail:StopLogging", "cloudtrail:GetTrailStatus", on=ARN))
    trail = ann.client("cloudtrail")
    trail.stop_logging(Name="main")
    trail.stop_logging(Name=ARN)
    assert trail.get_trail_status(Name=ARN)["IsLogging"] is False
    for text in ("other", ARN.replace("main", "other")):
        code, said = refused(trail.stop_logging, Name=text)
        assert (code, ARN.replace("main", "other") in said) == ("AccessDeniedException", True)
    assert scene.trail.get_trail_status(Name="other")["IsLogging"] is True
