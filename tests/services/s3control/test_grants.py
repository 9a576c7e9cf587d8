"""S3 Access Grants: credentials that can do what was granted, and no more."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.s3.buckets.test_buckets import code
from tests.services.s3.conftest import REGION, Bucket, create
from tests.services.s3control.test_s3control import OTHER

ROLE = f"arn:aws:iam::{ACCOUNT}:role/vault"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Granting(NamedTuple):
    """S3 Control of the owner, of Ann, and the bucket with its objects."""

    jar: TestJar
    control: Any
    ann: Any
    bucket: Bucket

    def grant(self, sub_prefix: str, permission: str, **more: Any) -> dict[str, Any]:
        """A grant for Ann at the location of the bucket."""
        made: dict[str, Any] = self.control.create_access_grant(
            AccountId=ACCOUNT,
            AccessGrantsLocationId=self.location(),
            AccessGrantsLocationConfiguration={"S3SubPrefix": sub_prefix},
            Grantee={"GranteeType": "IAM", "GranteeIdentifier": ANN},
            Permission=permission,
            **more,
        )
        return made

    def location(self) -> str:
        listed = self.control.list_access_grants_locations(AccountId=ACCOUNT)["AccessGrantsLocationsList"]
        found: str = listed[0]["AccessGrantsLocationId"]
        return found

    def data(self, target: str, permission: str, **more: Any) -> tuple[str, Any]:
        """What the credentials are for, and S3 with them."""
        got = self.ann.get_data_access(AccountId=ACCOUNT, Target=target, Permission=permission, **more)
        keys = got["Credentials"]
        s3 = self.jar.client("s3", REGION, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"],
                             s3={"addressing_style": "path"})  # fmt: skip
        return got["MatchedGrantTarget"], s3


@pytest.fixture
def granting(jar: TestJar) -> Granting:
    """An instance with a location, whose role may everything with the bucket, and a user who may ask for access."""
    iam = jar.client("iam")
    principal = {"Service": "access-grants.s3.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}
    iam.create_role(RoleName="vault", AssumeRolePolicyDocument=document(trust))
    may = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    iam.put_role_policy(RoleName="vault", PolicyName="p", PolicyDocument=document(may))
    iam.create_user(UserName="ann")
    ask = {"Effect": "Allow", "Action": ["s3:GetDataAccess", "s3:ListCallerAccessGrants"], "Resource": "*"}
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document(ask))
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    bucket = create(jar, "jam")
    for name in ("red/a", "red/deep/b", "blue/c"):
        bucket.put(name, name.encode())
    control = jar.client("s3control", REGION)
    control.create_access_grants_instance(AccountId=ACCOUNT)
    control.create_access_grants_location(AccountId=ACCOUNT, LocationScope="s3://jam", IAMRoleArn=ROLE)
    ann = jar.client("s3control", REGION, key["AccessKeyId"], key["SecretAccessKey"])
    return Granting(jar, control, ann, bucket)


def test_credentials_for_what_was_granted(granting: Granting) -> None:
    made = granting.grant("red/*", "READ")
    assert made["GrantScope"] == "s3://jam/red/*"
    matched, s3 = granting.data("s3://jam/red/deep/*", "READ")
    assert matched == "s3://jam/red/*"
    assert s3.get_object(Bucket="jam", Key="red/a")["Body"].read() == b"red/a"
    listed = s3.list_objects_v2(Bucket="jam", Prefix="red/")["Contents"]
    assert [one["Key"] for one in listed] == ["red/a", "red/deep/b"]
    for key in ("blue/c", "red"):
        assert code(s3.get_object, Bucket="jam", Key=key) == "AccessDenied"
    assert code(s3.list_objects_v2, Bucket="jam") == "AccessDenied"
    assert code(s3.put_object, Bucket="jam", Key="red/a", Body=b"") == "AccessDenied"
    matched, narrow = granting.data("s3://jam/red/deep/*", "READ", Privilege="Minimal")
    assert matched == "s3://jam/red/deep/*"
    assert code(narrow.get_object, Bucket="jam", Key="red/a") == "AccessDenied"
    assert narrow.get_object(Bucket="jam", Key="red/deep/b")["Body"].read() == b"red/deep/b"
    with pytest.raises(ClientError, match="You do not have WRITE permissions to the requested S3 Prefix"):
        granting.data("s3://jam/red/*", "WRITE")
    assert code(granting.data, "s3://jam/blue/*", "READ") == "AccessDenied"
    granting.control.delete_access_grant(AccountId=ACCOUNT, AccessGrantId=made["AccessGrantId"])
    assert code(granting.data, "s3://jam/red/*", "READ") == "AccessDenied"
    assert s3.get_object(Bucket="jam", Key="red/a")["Body"].read() == b"red/a"  # until they expire


def test_of_an_object_to_write_and_what_the_caller_has(granting: Granting) -> None:
    granting.grant("blue/c", "READWRITE", S3PrefixType="Object")
    granting.grant("red/*", "WRITE", Tags=[{"Key": "a", "Value": "b"}])
    matched, s3 = granting.data("s3://jam/blue/c", "WRITE", TargetType="Object")
    assert matched == "s3://jam/blue/c"
    s3.put_object(Bucket="jam", Key="blue/c", Body=b"new")
    assert granting.bucket.read("blue/c") == b"new"
    assert code(s3.get_object, Bucket="jam", Key="blue/c") == "AccessDenied"  # nothing but writing was asked for
    listed = granting.ann.list_caller_access_grants(AccountId=ACCOUNT)["CallerAccessGrantsList"]
    assert sorted((one["GrantScope"], one["Permission"]) for one in listed) == [
        ("s3://jam/blue/c", "READWRITE"), ("s3://jam/red/*", "WRITE"),
    ]  # fmt: skip
    found = granting.control.list_access_grants(AccountId=ACCOUNT, Permission="WRITE")["AccessGrantsList"]
    arn = found[0]["AccessGrantArn"]
    tags = granting.control.list_tags_for_resource(AccountId=ACCOUNT, ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]
    page = granting.control.list_access_grants(AccountId=ACCOUNT, MaxResults=1)
    rest = granting.control.list_access_grants(AccountId=ACCOUNT, NextToken=page["NextToken"])
    assert len(page["AccessGrantsList"] + rest["AccessGrantsList"]) == 2
    assert "NextToken" not in rest


def test_the_role_must_trust(granting: Granting) -> None:
    granting.grant("red/*", "READ")
    trust = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
    granting.jar.client("iam").update_assume_role_policy(RoleName="vault", PolicyDocument=document(trust))
    assert code(granting.data, "s3://jam/red/*", "READ") == "AccessDenied"


def test_what_there_is_and_is_not(granting: Granting) -> None:
    control = granting.control
    one = {"AccountId": ACCOUNT}
    assert code(control.create_access_grants_instance, **one) == "AccessGrantsInstanceAlreadyExists"
    arn = control.get_access_grants_instance(**one)["AccessGrantsInstanceArn"]
    assert arn == f"arn:aws:s3:{REGION}:{ACCOUNT}:access-grants/default"
    assert control.get_access_grants_instance_for_prefix(**one, S3Prefix="s3://jam/x")["AccessGrantsInstanceArn"] == arn
    grant = granting.grant("red/*", "READ")["AccessGrantId"]
    assert code(granting.grant, "red/*", "READ") == "AccessGrantAlreadyExists"
    assert control.get_access_grant(**one, AccessGrantId=grant)["Grantee"]["GranteeIdentifier"] == ANN
    where = {**one, "AccessGrantsLocationId": granting.location()}
    assert code(control.delete_access_grants_location, **where) == "AccessGrantsLocationNotEmptyError"
    assert code(control.delete_access_grants_instance, **one) == "AccessGrantsInstanceNotEmptyError"
    policy = control.get_access_grants_instance_resource_policy
    assert code(policy, **one) == "AccessGrantsInstanceResourcePolicyNotExists"
    control.delete_access_grant(**one, AccessGrantId=grant)
    other = ROLE.replace("vault", "other")
    assert control.update_access_grants_location(**where, IAMRoleArn=other)["IAMRoleArn"] == other
    control.delete_access_grants_location(**where)
    control.delete_access_grants_instance(**one)
    assert code(control.get_access_grants_instance, **one) == "AccessGrantsInstanceNotExistsError"


def test_another_account_is_let_in_by_the_instance(granting: Granting) -> None:
    strangers = granting.jar.client("s3control", REGION, key=OTHER)
    ask = {"AccountId": ACCOUNT}
    assert code(strangers.list_caller_access_grants, **ask) == "AccessDenied"
    arn = f"arn:aws:s3:{REGION}:{ACCOUNT}:access-grants/default"
    let_in = {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "s3:ListCallerAccessGrants", "Resource": arn}
    granting.control.put_access_grants_instance_resource_policy(**ask, Policy=document(let_in))
    assert strangers.list_caller_access_grants(**ask)["CallerAccessGrantsList"] == []
    granting.control.delete_access_grants_instance_resource_policy(**ask)
    assert code(strangers.list_caller_access_grants, **ask) == "AccessDenied"
