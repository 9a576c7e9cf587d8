"""Where else a trail delivers: a topic, a log group, an encrypted bucket; the files of a whole organization."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.cloudtrail.trails import BUCKET, Scene, bucket_policy

ARN = f"arn:aws:cloudtrail:eu-west-3:{ACCOUNT}:trail/main"
SERVICE = {"Service": "cloudtrail.amazonaws.com"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]})


def test_a_topic_hears_of_each_file(jar: TestJar) -> None:
    scene = Scene(jar)
    sns, sqs = jar.client("sns"), jar.client("sqs")
    topic = sns.create_topic(Name="files")["TopicArn"]
    with pytest.raises(ClientError, match="InsufficientSnsTopicPolicyException"):
        scene.trail.create_trail(Name="main", S3BucketName=BUCKET, SnsTopicName="files")
    opened = policy({"Principal": SERVICE, "Action": "SNS:Publish", "Resource": topic,
                     "Condition": {"StringEquals": {"aws:SourceArn": ARN}}})  # fmt: skip
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=opened)
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    queue_arn = f"arn:aws:sqs:eu-west-3:{ACCOUNT}:heard"
    by_sns = {"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    allowed = policy({**by_sns, "Resource": queue_arn})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": allowed})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    scene.logging(SnsTopicName="files")
    assert scene.trail.get_trail(Name="main")["Trail"]["SnsTopicARN"] == topic
    sqs.list_queues()
    jar.advance(minutes=5)
    jar.settle()
    heard = []
    for _ in range(4):
        heard += [m["Body"] for m in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])]
    assert sorted(set(heard)) == [
        "CloudTrail validation message.",
        json.dumps({"s3Bucket": BUCKET, "s3ObjectKey": scene.keys()}, separators=(",", ":")),
    ]
    status = scene.trail.get_trail_status(Name="main")
    assert status["LatestNotificationTime"].isoformat() == "2026-01-15T12:05:00+00:00"
    sns.delete_topic(TopicArn=topic)
    jar.advance(minutes=5)
    assert scene.trail.get_trail_status(Name="main")["LatestNotificationError"] != ""
    assert len(scene.keys()) == 2


def test_a_log_group_gets_every_event(jar: TestJar) -> None:
    scene = Scene(jar)
    iam, logs = jar.client("iam"), jar.client("logs")
    logs.create_log_group(logGroupName="trails")
    group = f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:trails:*"
    role = iam.create_role(
        RoleName="deliver", AssumeRolePolicyDocument=policy({"Principal": SERVICE, "Action": "sts:AssumeRole"})
    )["Role"]["Arn"]
    settings = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}
    with pytest.raises(ClientError, match=r"Access denied\. Check the permissions for your role\."):
        scene.trail.create_trail(Name="main", S3BucketName=BUCKET, **settings)
    stream = f"{ACCOUNT}_CloudTrail_eu-west-3"
    may = policy({"Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                  "Resource": f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:trails:log-stream:{stream}*"})  # fmt: skip
    iam.put_role_policy(RoleName="deliver", PolicyName="deliver", PolicyDocument=may)
    scene.logging(**settings)
    jar.client("sqs").create_queue(QueueName="q")
    jar.advance(minutes=5)
    found = logs.get_log_events(logGroupName="trails", logStreamName=stream, startFromHead=True)["events"]
    told = [json.loads(event["message"]) for event in found]
    assert [record["eventName"] for record in told] == scene.names()
    assert [record["eventID"] for record in told] == [record["eventID"] for record in scene.records()]
    assert "LatestCloudWatchLogsDeliveryTime" in scene.trail.get_trail_status(Name="main")
    before = len(scene.keys())
    jar.advance(minutes=30)
    assert len(scene.keys()) - before <= 2, "deliveries must not feed themselves"
    iam.delete_role_policy(RoleName="deliver", PolicyName="deliver")
    jar.client("sqs").list_queues()
    jar.advance(minutes=5)
    assert scene.trail.get_trail_status(Name="main")["LatestCloudWatchLogsDeliveryError"] == "AccessDeniedException"


def test_files_are_encrypted_with_the_trails_key(jar: TestJar) -> None:
    scene = Scene(jar)
    kms = jar.client("kms", region="us-east-1")
    virginia = jar.client("cloudtrail", region="us-east-1")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/trails", TargetKeyId=key)
    with pytest.raises(ClientError, match="InsufficientEncryptionPolicyException"):
        virginia.create_trail(Name="main", S3BucketName=BUCKET, KmsKeyId="alias/trails")
    arn = ARN.replace("eu-west-3", "us-east-1")
    opened = policy(
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"},
        {"Principal": SERVICE, "Action": "kms:DescribeKey", "Resource": "*"},
        {"Principal": SERVICE, "Action": "kms:GenerateDataKey*", "Resource": "*",
         "Condition": {"StringEquals": {"aws:SourceArn": arn, "kms:EncryptionContext:aws:cloudtrail:arn": arn}}},
    )  # fmt: skip
    kms.put_key_policy(KeyId=key, Policy=opened)
    made = virginia.create_trail(
        Name="main", S3BucketName=BUCKET, KmsKeyId="alias/trails", EnableLogFileValidation=True, RecursiveLogging=False
    )
    assert made["KmsKeyId"] == key
    virginia.start_logging(Name="main")
    jar.advance(hours=1)
    assert "StartLogging" in scene.names()
    for name in (scene.keys()[0], scene.keys("/CloudTrail-Digest/")[0]):
        head = scene.s3.head_object(Bucket=BUCKET, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_an_organizations_trail_has_all_its_accounts(jar: TestJar) -> None:
    org, member = jar.client("organizations"), "111122223333"
    organization = org.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    scene = Scene(jar, f"AWSLogs/{ACCOUNT}", f"AWSLogs/{organization}")
    with pytest.raises(ClientError, match="CloudTrailAccessNotEnabledException"):
        scene.trail.create_trail(Name="main", S3BucketName=BUCKET, IsOrganizationTrail=True)
    org.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    invited = org.invite_account_to_organization(Target={"Id": member, "Type": "ACCOUNT"})["Handshake"]["Id"]
    arn = scene.logging(IsOrganizationTrail=True)
    jar.client("sqs", key=member).create_queue(QueueName="outside")
    jar.client("organizations", key=member).accept_handshake(HandshakeId=invited)
    jar.client("sqs", key=member).create_queue(QueueName="inside")
    jar.client("sqs").create_queue(QueueName="own")
    jar.advance(minutes=5)
    [theirs] = [r for r in scene.records(f"/{member}/") if r["requestParameters"]["queueName"] == "inside"]
    assert theirs["recipientAccountId"] == member
    assert scene.keys(f"/{member}/")[0].startswith(f"AWSLogs/{organization}/{member}/CloudTrail/eu-west-3/")
    assert "own" in [(r["requestParameters"] or {}).get("queueName") for r in scene.records(f"/{ACCOUNT}/")]
    seen = jar.client("cloudtrail", key=member)
    assert [trail["TrailARN"] for trail in seen.describe_trails()["trailList"]] == [arn]
    assert seen.get_trail(Name=arn)["Trail"]["IsOrganizationTrail"] is True
    assert seen.get_trail_status(Name=arn)["IsLogging"] is True
    with pytest.raises(ClientError, match="AccessDeniedException"):
        seen.stop_logging(Name=arn)
    with pytest.raises(ClientError, match="NotOrganizationMasterAccountException"):
        seen.create_trail(Name="main", S3BucketName=BUCKET, IsOrganizationTrail=True)


def test_the_first_copy_is_free(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging()
    jar.advance(minutes=10)
    scene.logging("second")
    scene.s3.create_bucket(Bucket="watched")
    jar.advance(minutes=10)
    watched = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::watched/"]}
    scene.trail.update_trail(Name="second", IsMultiRegionTrail=True)
    scene.trail.put_event_selectors(TrailName="second", EventSelectors=[{"DataResources": [watched]}])
    scene.s3.put_object(Bucket="watched", Key="k", Body=b"x")
    jar.advance(minutes=10)
    counted: dict[tuple[str, str], int] = {}
    for row in jar.jar.quantities.rows(jar.clock.now().replace(day=1), jar.clock.now()):
        if row.tally.service == "AWSCloudTrail":
            place = (row.owner.resource, row.tally.usage_type)
            counted[place] = counted.get(place, 0) + row.amount
    copies = scene.records()
    twice = len(copies) - len({record["eventID"] for record in copies})
    assert counted == {("second", "PaidEventsRecorded"): twice, ("second", "DataEventsRecorded"): 1}


def test_files_go_where_the_bucket_is(jar: TestJar) -> None:
    scene = Scene(jar)
    paris = jar.client("s3")
    paris.create_bucket(Bucket="paris", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    opened = bucket_policy("paris", f"team/AWSLogs/{ACCOUNT}")
    paris.put_bucket_policy(Bucket="paris", Policy=json.dumps(opened))
    scene.logging()
    scene.trail.update_trail(Name="main", S3BucketName="paris", S3KeyPrefix="team")
    jar.advance(minutes=5)
    assert scene.keys() == []
    [key] = [item["Key"] for item in paris.list_objects_v2(Bucket="paris")["Contents"]]
    assert key.startswith(f"team/AWSLogs/{ACCOUNT}/CloudTrail/eu-west-3/")


def test_a_bucket_of_another_account_may_name_the_trail(jar: TestJar) -> None:
    owner = jar.client("s3", region="us-east-1", key="111111111111")
    owner.create_bucket(Bucket="central")
    opened = bucket_policy("central")
    for statement in opened["Statement"]:
        statement.setdefault("Condition", {}).setdefault("StringEquals", {})["aws:SourceArn"] = ARN
    owner.put_bucket_policy(Bucket="central", Policy=json.dumps(opened))
    trail = jar.client("cloudtrail")
    with pytest.raises(ClientError, match="InsufficientS3BucketPolicyException"):
        trail.create_trail(Name="other", S3BucketName="central")
    trail.create_trail(Name="main", S3BucketName="central")
    trail.start_logging(Name="main")
    jar.advance(minutes=5)
    [key] = [item["Key"] for item in owner.list_objects_v2(Bucket="central")["Contents"]]
    assert key.startswith(f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-3/")
    owner.get_object(Bucket="central", Key=key)["Body"].read()
