"""What a record says: who called, from where, what was asked and answered, and what is left out."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cloudjar.base.caller import service
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from tests.gateway.live import Live
from tests.jar import ACCOUNT, TestJar, running

OTHER = "111111111111"
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def trust(*principals: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Trail:
    """Records as the history gives them, newest first."""

    def __init__(self, jar: TestJar, region: str = "eu-west-3", account: str = "test") -> None:
        self._client = jar.client("cloudtrail", region=region, key=account)

    def events(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}]
        )["Events"]
        return found

    def records(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(event["CloudTrailEvent"]) for event in self.events(name)]

    def record(self, name: str) -> dict[str, Any]:
        [found] = self.records(name)
        return found


@pytest.fixture
def paris(jar: TestJar) -> Trail:
    return Trail(jar)


@pytest.fixture
def virginia(jar: TestJar) -> Trail:
    return Trail(jar, "us-east-1")


def credentials(answer: dict[str, Any]) -> dict[str, str]:
    given = answer["Credentials"]
    return {"key": given["AccessKeyId"], "secret": given["SecretAccessKey"], "token": given["SessionToken"]}


def user(iam: Any, name: str = "alice") -> dict[str, str]:
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=ALLOW)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def test_a_user_and_what_he_changed(jar: TestJar, iam: Any, paris: Trail) -> None:
    who = user(iam)
    vpc = jar.client("ec2", **who).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    record = paris.record("CreateVpc")
    assert record["userIdentity"] == {
        "type": "IAMUser",
        "principalId": iam.get_user(UserName="alice")["User"]["UserId"],
        "arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
        "accountId": ACCOUNT,
        "accessKeyId": who["key"],
        "userName": "alice",
    }
    assert record["eventSource"] == "ec2.amazonaws.com"
    assert record["requestParameters"] == {"cidrBlock": "10.0.0.0/16"}
    assert record["responseElements"]["vpc"]["vpcId"] == vpc
    assert record["responseElements"]["requestId"] == record["requestID"]
    assert (record["readOnly"], record["eventType"], record["eventCategory"]) == (False, "AwsApiCall", "Management")
    assert (record["managementEvent"], record["recipientAccountId"]) == (True, ACCOUNT)
    assert record["sourceIPAddress"] == "127.0.0.1"
    assert "Boto3" in record["userAgent"]
    assert "errorCode" not in record
    [event] = paris.events("CreateVpc")
    assert {"ResourceType": "AWS::EC2::VPC", "ResourceName": vpc} in event["Resources"]


def test_a_call_that_reads_has_no_answer_and_one_without_parameters_none(jar: TestJar, ec2: Any, paris: Trail) -> None:
    ec2.describe_vpcs()
    jar.client("sts").get_caller_identity()
    record = paris.record("DescribeVpcs")
    assert (record["requestParameters"], record["responseElements"], record["readOnly"]) == (None, None, True)
    record = paris.record("GetCallerIdentity")
    assert (record["requestParameters"], record["responseElements"]) == (None, None)


def test_root(jar: TestJar, iam: Any, virginia: Trail) -> None:
    iam.create_group(GroupName="g")
    record = virginia.record("CreateGroup")
    assert record["userIdentity"] == {
        "type": "Root",
        "principalId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "accountId": ACCOUNT,
        "accessKeyId": "test",
    }
    found = jar.client("cloudtrail", region="us-east-1").lookup_events(
        LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "root"}]
    )["Events"]
    assert "CreateGroup" in [event["EventName"] for event in found]


def test_a_role_session(jar: TestJar, iam: Any, sts: Any, paris: Trail) -> None:
    role = iam.create_role(RoleName="dev", Path="/teams/", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]
    iam.put_role_policy(RoleName="dev", PolicyName="all", PolicyDocument=ALLOW)
    who = user(iam)
    answer = jar.client("sts", **who).assume_role(RoleArn=role["Arn"], RoleSessionName="s1", SourceIdentity="alice")
    jar.client("ec2", **credentials(answer)).describe_vpcs()
    identity = paris.record("DescribeVpcs")["userIdentity"]
    attributes = identity["sessionContext"].pop("attributes")
    assert attributes["mfaAuthenticated"] == "false"
    assert attributes["creationDate"] == f"{jar.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    assert identity == {
        "type": "AssumedRole",
        "principalId": f"{role['RoleId']}:s1",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/s1",
        "accountId": ACCOUNT,
        "accessKeyId": answer["Credentials"]["AccessKeyId"],
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role["RoleId"],
                "arn": role["Arn"],
                "accountId": ACCOUNT,
                "userName": "dev",
            },
            "sourceIdentity": "alice",
        },
    }
    [event] = paris.events("DescribeVpcs")
    assert event["Username"] == "s1"
    record = paris.record("AssumeRole")
    assert record["readOnly"] is True
    assert record["requestParameters"]["roleArn"] == role["Arn"]
    given = record["responseElements"]["credentials"]
    assert set(given) == {"accessKeyId", "sessionToken", "expiration"}
    assert given["accessKeyId"] == answer["Credentials"]["AccessKeyId"]
    assert given["expiration"].endswith((" AM", " PM"))
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role["Arn"]}]
    assert "sharedEventID" not in record
    assert answer["Credentials"]["SecretAccessKey"] not in json.dumps(record)


def test_a_session_of_a_user_and_a_federated_user(jar: TestJar, iam: Any, paris: Trail) -> None:
    who = user(iam)
    session = credentials(jar.client("sts", **who).get_session_token())
    jar.client("ec2", **session).describe_vpcs()
    identity = paris.record("DescribeVpcs")["userIdentity"]
    assert (identity["type"], identity["userName"]) == ("IAMUser", "alice")
    assert set(identity["sessionContext"]) == {"attributes"}
    federated = jar.client("sts", **who).get_federation_token(Name="bob", Policy=ALLOW)
    jar.client("ec2", **credentials(federated)).describe_subnets()
    [event] = paris.events("DescribeSubnets")
    identity = json.loads(event["CloudTrailEvent"])["userIdentity"]
    assert (identity["type"], identity["principalId"]) == ("FederatedUser", f"{ACCOUNT}:bob")
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert (issuer["type"], issuer["arn"], issuer["userName"]) == (
        "IAMUser",
        f"arn:aws:iam::{ACCOUNT}:user/alice",
        "alice",
    )
    assert event["Username"] == "bob"


def test_a_call_across_accounts_is_in_both_trails(jar: TestJar, paris: Trail) -> None:
    far = jar.client("iam", key=OTHER)
    role = far.create_role(RoleName="guest", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]
    iam = jar.client("iam")
    who = user(iam)
    jar.client("sts", **who).assume_role(RoleArn=role["Arn"], RoleSessionName="ss")
    ours, theirs = paris.record("AssumeRole"), Trail(jar, account=OTHER).record("AssumeRole")
    assert ours["userIdentity"]["userName"] == "alice"
    assert theirs["userIdentity"] == {
        "type": "AWSAccount",
        "principalId": iam.get_user(UserName="alice")["User"]["UserId"],
        "accountId": ACCOUNT,
    }
    assert (ours["recipientAccountId"], theirs["recipientAccountId"]) == (ACCOUNT, OTHER)
    assert ours["sharedEventID"] == theirs["sharedEventID"]
    assert ours["eventID"] != theirs["eventID"]
    assert ours["requestID"] == theirs["requestID"]
    assert [r["accountId"] for r in theirs["resources"]] == [OTHER]
    [event] = Trail(jar, account=OTHER).events("AssumeRole")
    assert "AccessKeyId" not in event
    assert "Username" not in event


def test_a_refused_call_across_accounts_is_known_to_its_caller_alone(jar: TestJar, paris: Trail) -> None:
    far = jar.client("iam", key=OTHER)
    role = far.create_role(RoleName="closed", AssumeRolePolicyDocument=trust(OTHER))["Role"]
    who = user(jar.client("iam"))
    with pytest.raises(ClientError, match="AccessDenied"):
        jar.client("sts", **who).assume_role(RoleArn=role["Arn"], RoleSessionName="ss")
    record = paris.record("AssumeRole")
    assert record["errorCode"] == "AccessDenied"
    assert "alice is not authorized to perform: sts:AssumeRole" in record["errorMessage"]
    assert record["responseElements"] is None
    assert Trail(jar, account=OTHER).records("AssumeRole") == []


def test_errors_in_the_words_of_their_service(jar: TestJar, iam: Any, ec2: Any, paris: Trail, virginia: Trail) -> None:
    iam.create_user(UserName="poor")
    key = iam.create_access_key(UserName="poor")["AccessKey"]
    poor = {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
    with pytest.raises(ClientError):
        jar.client("ec2", **poor).describe_subnets()
    with pytest.raises(ClientError):
        jar.client("ssm", **poor).get_parameter(Name="x")
    with pytest.raises(ClientError):
        iam.get_user(UserName="nobody")
    with pytest.raises(ClientError):
        ec2.delete_vpc(VpcId="vpc-0123456789abcdef0")
    assert paris.record("DescribeSubnets")["errorCode"] == "Client.UnauthorizedOperation"
    assert paris.record("GetParameter")["errorCode"] == "AccessDenied"
    assert virginia.records("GetUser")[0]["errorCode"] == "NoSuchEntityException"
    assert paris.record("DeleteVpc")["errorCode"] == "Client.InvalidVpcID.NotFound"


def test_who_cannot_be_authenticated_leaves_no_record(jar: TestJar, paris: Trail) -> None:
    for key, secret in (("AKIAIOSFODNN7EXAMPLE", "x"), ("test", "wrong")):
        with pytest.raises(ClientError):
            jar.client("ec2", key=key, secret=secret).describe_vpcs()
    assert paris.records("DescribeVpcs") == []


def test_secrets_are_masked_as_services_do(jar: TestJar, iam: Any, ec2: Any, paris: Trail, virginia: Trail) -> None:
    iam.create_user(UserName="u")
    iam.create_login_profile(UserName="u", Password="Sup3r-secret!")
    secret = iam.create_access_key(UserName="u")["AccessKey"]["SecretAccessKey"]
    ec2.create_key_pair(KeyName="k")
    record = virginia.record("CreateLoginProfile")
    assert record["requestParameters"] == {"userName": "u"}
    record = virginia.record("CreateAccessKey")
    assert set(record["responseElements"]["accessKey"]) == {"userName", "accessKeyId", "status", "createDate"}
    assert secret not in json.dumps(record)
    assert paris.record("CreateKeyPair")["responseElements"]["keyMaterial"] == "<sensitiveDataRemoved>"
    database = jar.home / "cloudjar.db"
    files = [database, *jar.home.glob("cloudjar.db-wal"), jar.home / "audit.journal"]
    assert all(b"Sup3r-secret!" not in file.read_bytes() for file in files)


def test_lists_of_ec2_stand_in_items(jar: TestJar, ec2: Any, paris: Trail) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.describe_vpcs(VpcIds=[vpc], Filters=[{"Name": "state", "Values": ["available"]}])
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "env", "Value": "dev"}])
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    assert paris.record("DescribeVpcs")["requestParameters"] == {
        "vpcSet": {"items": [{"vpcId": vpc}]},
        "filterSet": {"items": [{"name": "state", "valueSet": {"items": [{"value": "available"}]}}]},
    }
    record = paris.record("CreateTags")
    assert record["requestParameters"] == {
        "resourcesSet": {"items": [{"resourceId": vpc}]},
        "tagSet": {"items": [{"key": "env", "value": "dev"}]},
    }
    assert record["responseElements"] == {"requestId": record["requestID"], "_return": True}
    record = paris.record("AuthorizeSecurityGroupIngress")
    [asked] = record["requestParameters"]["ipPermissions"]["items"]
    assert asked["ipRanges"] == {"items": [{"cidrIp": "10.0.0.0/8"}]}
    assert record["responseElements"]["_return"] is True


def test_a_call_made_for_somebody_says_by_whom(steady_jar: TestJar) -> None:
    jar = steady_jar
    who = user(jar.client("iam"))
    identity = jar.jar._identity()
    key = identity.key(who["key"])
    assert key is not None

    async def calls() -> None:
        world = jar.jar.world
        Ctx(world, ACCOUNT, "eu-west-3", key.caller).call(
            "ec2", "DescribeVpcs", {}, via="cloudformation.amazonaws.com"
        )
        with pytest.raises(AwsError, match=r"ec2\.amazonaws\.com is not authorized"):
            Ctx(world, ACCOUNT, "eu-west-3", service("ec2.amazonaws.com", ACCOUNT)).call("ec2", "DescribeSubnets", {})

    jar.on_loop(calls())
    record = Trail(jar).record("DescribeVpcs")
    assert record["userIdentity"]["userName"] == "alice"
    assert record["userIdentity"]["invokedBy"] == "cloudformation.amazonaws.com"
    assert record["sourceIPAddress"] == record["userAgent"] == "cloudformation.amazonaws.com"
    [event] = Trail(jar).events("DescribeSubnets")
    record = json.loads(event["CloudTrailEvent"])
    assert record["userIdentity"] == {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
    assert record["sourceIPAddress"] == record["userAgent"] == "ec2.amazonaws.com"
    assert "Username" not in event


def test_what_a_service_does_by_itself(steady_jar: TestJar) -> None:
    jar = steady_jar
    arn = f"arn:aws:kms:eu-west-3:{ACCOUNT}:key/k1"

    async def tell() -> None:
        world = jar.jar.world
        with world.state.database.transaction():
            Ctx(world, ACCOUNT, "eu-west-3", service("kms.amazonaws.com", ACCOUNT)).service_event(
                "kms", "RotateKey", resources=(arn,), details={"keyId": "k1"}
            )

    jar.on_loop(tell())
    record = Trail(jar).record("RotateKey")
    assert record["eventType"] == "AwsServiceEvent"
    assert record["userIdentity"] == {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}
    assert record["serviceEventDetails"] == {"keyId": "k1"}
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn}]
    assert record["requestParameters"] is None
    now = jar.clock.now().timestamp()
    assert all(service != "kms" for _, _, service, _, _ in jar.jar.audit.requests(now - 3600, now + 3600)), "billed"


def test_what_a_tls_connection_agreed_upon(steady_jar: TestJar) -> None:
    jar = steady_jar
    with Live(jar.jar.front, tls=jar.jar.tls.context) as secure:
        client = boto3.client(
            "ec2",
            region_name="eu-west-3",
            endpoint_url=f"https://localhost:{secure.port}",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            verify=str(jar.jar.tls.bundle),
        )
        client.describe_vpcs()
        details = Trail(jar).record("DescribeVpcs")["tlsDetails"]
    assert details["tlsVersion"] == "TLSv1.3"
    assert details["cipherSuite"].startswith("TLS_")
    assert details["clientProvidedHostHeader"] == f"localhost:{secure.port}"
    jar.client("ec2").describe_subnets()
    assert "tlsDetails" not in Trail(jar).record("DescribeSubnets")


def test_the_history_is_slow_to_ask(tmp_path: Any) -> None:
    with running(tmp_path, throttle=True) as jar:
        trail = jar.client("cloudtrail")

        def hurry() -> None:
            for _ in range(50):
                trail.lookup_events(MaxResults=1)

        with pytest.raises(ClientError) as refused:
            hurry()
        assert refused.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
        jar.client("cloudtrail", region="us-west-2").lookup_events()


def test_what_the_history_is_asked_by(jar: TestJar, iam: Any, virginia: Trail) -> None:
    iam.create_role(RoleName="r1", AssumeRolePolicyDocument=trust(ACCOUNT))
    iam.list_roles()
    trail = jar.client("cloudtrail", region="us-east-1")

    def found(key: str, value: str) -> list[str]:
        asked = trail.lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])["Events"]
        return [event["EventName"] for event in asked if event["EventSource"] == "iam.amazonaws.com"]

    [event] = virginia.events("CreateRole")
    assert found("EventId", event["EventId"]) == ["CreateRole"]
    assert found("EventName", "ListRoles") == ["ListRoles"]
    assert found("EventSource", "iam.amazonaws.com") == ["ListRoles", "CreateRole"]
    assert found("ReadOnly", "false") == ["CreateRole"]
    assert found("ResourceName", "r1") == ["CreateRole"]
    assert found("ResourceType", "AWS::IAM::Role") == ["CreateRole"]
    assert found("AccessKeyId", "test") == ["ListRoles", "CreateRole"]
    assert found("Username", "nobody") == []
    with pytest.raises(ClientError) as refused:
        trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "x"}] * 2)
    assert refused.value.response["Error"]["Code"] == "InvalidLookupAttributesException"
    jar.advance(days=90, hours=1)
    assert found("EventName", "CreateRole") == []
