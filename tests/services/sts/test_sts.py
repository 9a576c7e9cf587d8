"""Sessions: of roles, users, federated users and services; what narrows them; tags that travel."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudjar.base import caller
from cloudjar.base.errors import AwsError
from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import (
    ADMIN,
    OTHER,
    allow,
    policy,
    refused,
    role,
    root,
    session,
    trust,
    trust_service,
    user,
)

TAGGING = ("sts:AssumeRole", "sts:TagSession")


def test_a_role_that_is_not_there_is_answered_like_one_that_does_not_trust(jar: TestJar) -> None:
    ann = user(jar, "ann", allow("sts:*"))
    missing = f"arn:aws:iam::{ACCOUNT}:role/Nope"
    with refused(
        "AccessDenied", f"User: {ann.arn} is not authorized to perform: sts:AssumeRole on resource: {missing}"
    ):
        ann.assume(missing)


def test_the_path_is_part_of_a_roles_arn(jar: TestJar) -> None:
    ann = user(jar, "ann")
    role(jar, "R", trust(ann.arn), Path="/x/")
    with refused("AccessDenied"):
        ann.assume(f"arn:aws:iam::{ACCOUNT}:role/R")
    assert ann.assume(f"arn:aws:iam::{ACCOUNT}:role/x/R").arn


def test_credentials_expire_and_say_when(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn))
    made = ann.client("sts").assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=900)
    assert made["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert (made["Credentials"]["Expiration"] - jar.clock.now()).total_seconds() == 900
    inside = session(jar, made)
    jar.advance(seconds=899)
    assert inside.client("sts").get_caller_identity()["Arn"] == inside.arn
    jar.advance(seconds=2)
    with refused("ExpiredToken"):
        inside.client("sts").get_caller_identity()


def test_a_key_with_another_sessions_token_is_nobodys(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn))
    one, two = ann.assume(arn, "one"), ann.assume(arn, "two")
    with refused("InvalidClientTokenId", status=403):
        one._replace(token=two.token).client("sts").get_caller_identity()


def test_permissions_of_a_running_session_change_with_its_role(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    inside = ann.assume(role(jar, "R", trust(ann.arn))).client("iam")
    with refused("AccessDenied"):
        inside.list_users()
    iam.attach_role_policy(RoleName="R", PolicyArn=ADMIN)
    assert inside.list_users()["Users"]
    iam.detach_role_policy(RoleName="R", PolicyArn=ADMIN)
    with refused("AccessDenied"):
        inside.list_users()


def test_managed_session_policies_narrow_too(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn), allow("iam:*"))
    mine = iam.create_policy(PolicyName="p", PolicyDocument=policy(allow("iam:ListUsers")))["Policy"]["Arn"]
    inside = ann.assume(arn, PolicyArns=[{"arn": mine}]).client("iam")
    assert inside.list_users()["Users"]
    with refused("AccessDenied", "because no session policy allows the iam:ListRoles action"):
        inside.list_roles()
    with refused("ValidationError"):
        ann.assume(arn, PolicyArns=[{"arn": f"arn:aws:iam::{OTHER}:policy/theirs"}])


def test_session_policies_are_checked_and_have_a_size(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn))
    with refused("MalformedPolicyDocument", status=400):
        ann.assume(arn, Policy="{}")
    with refused("PackedPolicyTooLarge", status=400):
        ann.assume(arn, Policy=policy(allow("s3:" + "a" * 2100)))
    said = ann.client("sts").assume_role(RoleArn=arn, RoleSessionName="me", Policy=policy(allow("s3:*")))
    assert 0 < said["PackedPolicySize"] <= 100
    assert "PackedPolicySize" not in ann.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")


def test_session_tags_need_their_own_consent_and_decide(jar: TestJar) -> None:
    ann = user(jar, "ann")
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    plain = role(jar, "plain", trust(ann.arn))
    with refused("AccessDenied", "sts:TagSession"):
        ann.assume(plain, Tags=[{"Key": "team", "Value": "red"}])
    arn = role(jar, "R", trust(ann.arn, actions=TAGGING), allow("iam:ListUsers", Condition=tagged))
    with refused("AccessDenied"):
        ann.assume(arn).client("iam").list_users()
    assert ann.assume(arn, Tags=[{"Key": "team", "Value": "red"}]).client("iam").list_users()["Users"]


def test_a_trust_policy_may_demand_tags(jar: TestJar) -> None:
    ann = user(jar, "ann")
    wanted = {"StringEquals": {"aws:RequestTag/team": "red"}}
    arn = role(jar, "R", trust(ann.arn, actions=TAGGING, Condition=wanted))
    with refused("AccessDenied"):
        ann.assume(arn, Tags=[{"Key": "team", "Value": "blue"}])
    assert ann.assume(arn, Tags=[{"Key": "team", "Value": "red"}]).arn


def test_transitive_tags_go_down_the_chain_and_cannot_be_replaced(jar: TestJar) -> None:
    ann = user(jar, "ann")
    first = role(jar, "A", trust(ann.arn, actions=TAGGING))
    red = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    second = role(jar, "B", trust(first, actions=TAGGING), allow("iam:ListUsers", Condition=red))
    tags = [{"Key": "team", "Value": "red"}]
    assert ann.assume(first, Tags=tags, TransitiveTagKeys=["team"]).assume(second).client("iam").list_users()["Users"]
    with refused("AccessDenied"):
        ann.assume(first, Tags=tags).assume(second).client("iam").list_users()
    with refused("InvalidParameterValue", "conflicts with a transitive tag key", status=400):
        ann.assume(first, Tags=tags, TransitiveTagKeys=["team"]).assume(second, Tags=[{"Key": "Team", "Value": "x"}])
    with refused("InvalidParameterValue", "must be included in the requested tags", status=400):
        ann.assume(first, TransitiveTagKeys=["team"])


def test_a_source_identity_needs_consent_and_stays(jar: TestJar) -> None:
    ann = user(jar, "ann")
    actions = ("sts:AssumeRole", "sts:SetSourceIdentity")
    first = role(jar, "A", trust(ann.arn, actions=actions))
    second = role(jar, "B", trust(first, actions=actions, Condition={"StringEquals": {"sts:SourceIdentity": "ann"}}))
    plain = role(jar, "C", trust(ann.arn))
    with refused("AccessDenied", "sts:SetSourceIdentity"):
        ann.assume(plain, SourceIdentity="ann")
    made = ann.client("sts").assume_role(RoleArn=first, RoleSessionName="me", SourceIdentity="ann")
    assert made["SourceIdentity"] == "ann"
    inside = session(jar, made)
    assert inside.client("sts").assume_role(RoleArn=second, RoleSessionName="me")["SourceIdentity"] == "ann"
    with refused("AccessDenied"):
        inside.assume(second, SourceIdentity="bob")


def test_a_trust_policy_may_demand_a_session_name(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn, Condition={"StringLike": {"sts:RoleSessionName": "${aws:username}"}}))
    with refused("AccessDenied"):
        ann.assume(arn, "somebody")
    assert ann.assume(arn, "ann").arn.endswith("/ann")


@pytest.mark.parametrize("more", [{"RoleSessionName": "a b"}, {"RoleSessionName": "x" * 65}, {"DurationSeconds": 899}])
def test_what_the_model_forbids_is_a_validation_error(steady_jar: TestJar, more: dict[str, Any]) -> None:
    ann = user(steady_jar, "ann")
    arn = role(steady_jar, "R", trust(ann.arn))
    sts = steady_jar.client("sts", key=ann.key, secret=ann.secret, parameter_validation=False)
    with refused("ValidationError", status=400):
        sts.assume_role(**{"RoleArn": arn, "RoleSessionName": "me", **more})


def test_an_mfa_code_cannot_be_right_without_a_device(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn))
    with refused("AccessDenied", "MultiFactorAuthentication failed"):
        ann.assume(arn, SerialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/ann", TokenCode="123456")


def test_get_session_token_is_the_user_again(jar: TestJar) -> None:
    ann = user(jar, "ann", allow("iam:ListUsers"))
    made = session(jar, ann.client("sts").get_session_token())
    assert made.client("sts").get_caller_identity()["Arn"] == ann.arn
    with refused("AccessDenied", "Cannot call GetSessionToken with session credentials"):
        made.client("sts").get_session_token()


def test_a_session_of_root_lasts_an_hour_at_most(jar: TestJar, sts: Any) -> None:
    made = sts.get_session_token(DurationSeconds=43200)["Credentials"]
    assert (made["Expiration"] - jar.clock.now()).total_seconds() == 3600


def test_a_federated_user_may_what_both_the_user_and_the_session_policy_allow(jar: TestJar) -> None:
    ann = user(jar, "ann", allow("sts:GetFederationToken", "ec2:*"))
    guest = session(
        jar, ann.client("sts").get_federation_token(Name="guest", Policy=policy(allow("cloudtrail:LookupEvents")))
    )
    assert guest.client("sts").get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:federated-user/guest"
    with refused("AccessDeniedException", "because no identity-based policy allows"):
        guest.client("cloudtrail").lookup_events()
    nobody = session(jar, ann.client("sts").get_federation_token(Name="nobody"))
    with refused("UnauthorizedOperation", "because no session policy allows"):
        nobody.client("ec2").describe_vpcs()


def test_a_federated_user_with_both_consents_may(jar: TestJar) -> None:
    ann = user(jar, "ann", allow("sts:GetFederationToken", "cloudtrail:LookupEvents"))
    guest = session(
        jar, ann.client("sts").get_federation_token(Name="guest", Policy=policy(allow("cloudtrail:LookupEvents")))
    )
    assert "Events" in guest.client("cloudtrail").lookup_events()


def test_get_access_key_info_reads_the_account_in_the_key(jar: TestJar, sts: Any) -> None:
    eve = user(jar, "eve", account=OTHER)
    assert sts.get_access_key_info(AccessKeyId=eve.key)["Account"] == OTHER
    with refused("ValidationError", status=400):
        sts.get_access_key_info(AccessKeyId="XXXX" + "A" * 16)


def test_an_encoded_refusal_is_decoded_for_who_may(jar: TestJar, sts: Any) -> None:
    from botocore.exceptions import ClientError

    ann = user(jar, "ann")
    with pytest.raises(ClientError) as caught:
        ann.client("ec2").describe_vpcs()
    encoded = caught.value.response["Error"]["Message"].rpartition("Encoded authorization failure message: ")[2]
    decoded = json.loads(sts.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert decoded["allowed"] is False
    assert decoded["context"]["action"] == "ec2:DescribeVpcs"
    assert decoded["context"]["principal"]["arn"] == ann.arn
    with refused("AccessDenied", "sts:DecodeAuthorizationMessage"):
        ann.client("sts").decode_authorization_message(EncodedMessage=encoded)
    with refused("InvalidAuthorizationMessageException", status=400):
        sts.decode_authorization_message(EncodedMessage=encoded[:-8])
    with refused("InvalidAuthorizationMessageException"):  # another account's secrets
        root(jar, "sts", OTHER).decode_authorization_message(EncodedMessage=encoded)
    jar.advance(hours=25)
    with refused("InvalidAuthorizationMessageException"):
        sts.decode_authorization_message(EncodedMessage=encoded)


def test_a_session_tag_takes_the_place_of_the_roles_own_whatever_its_case(jar: TestJar) -> None:
    ann = user(jar, "ann")
    red = {"StringEquals": {"aws:PrincipalTag/Team": "red"}}
    arn = role(
        jar, "R", trust(ann.arn, actions=TAGGING), allow("iam:ListUsers", Condition=red),
        Tags=[{"Key": "Team", "Value": "red"}],
    )  # fmt: skip
    assert ann.assume(arn).client("iam").list_users()["Users"]
    with refused("AccessDenied"):
        ann.assume(arn, Tags=[{"Key": "team", "Value": "blue"}]).client("iam").list_users()


def _as_service(jar: TestJar, arn: str, service: str = "ec2.amazonaws.com", account: str = ACCOUNT, **more: Any) -> Any:
    """What EC2 does for an instance's credentials."""

    async def call() -> Any:
        invoke = jar.jar.world.invoke
        assert invoke is not None
        params = {"RoleArn": arn, "RoleSessionName": "i-0123456789abcdef0", **more}
        return invoke("sts", "AssumeRole", params, caller.service(service, account), "eu-west-3")

    return jar.on_loop(call())


def test_a_service_gets_the_credentials_of_a_role_that_trusts_it(jar: TestJar) -> None:
    arn = role(jar, "R", trust_service("ec2.amazonaws.com"), allow("iam:ListRoles"))
    inside = session(jar, _as_service(jar, arn, DurationSeconds=21600))  # longer than the role's own limit
    assert inside.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/R/i-0123456789abcdef0"
    assert [r["RoleName"] for r in inside.client("iam").list_roles()["Roles"]] == ["R"]
    with refused("AccessDenied"):
        inside.client("iam").list_users()


def test_a_service_that_is_not_trusted_gets_nothing(jar: TestJar) -> None:
    arn = role(jar, "R", trust_service("lambda.amazonaws.com"))
    with pytest.raises(AwsError, match="AccessDenied"):
        _as_service(jar, arn)


def test_a_service_acts_for_one_account(jar: TestJar) -> None:
    arn = role(jar, "R", trust_service("ec2.amazonaws.com"), account=OTHER)
    with pytest.raises(AwsError, match="AccessDenied"):
        _as_service(jar, arn)
    assert _as_service(jar, arn, account=OTHER)["Credentials"]["SessionToken"]


def test_what_is_not_built_says_so(steady_jar: TestJar) -> None:
    with refused("NotImplemented", status=501):
        task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}
        root(steady_jar, "sts").assume_root(TargetPrincipal=OTHER, TaskPolicyArn=task)


@pytest.mark.parametrize(
    ("host", "signed_for", "good"),
    [
        ("sts.eu-west-3.amazonaws.com", "eu-west-3", True),
        ("sts.eu-west-3.amazonaws.com", "us-east-1", False),
        ("sts.amazonaws.com", "us-east-1", True),
        ("sts.amazonaws.com", "eu-west-3", False),
        ("sts.us-west-2.localhost:4566", "us-west-2", True),
        ("localhost:4566", "ap-south-1", True),
    ],
)
def test_an_address_has_its_region(steady_jar: TestJar, host: str, signed_for: str, good: bool) -> None:
    from tests.calls import Line, read, signed, write

    request = write("sts", "GetCallerIdentity", {})
    request = request._replace(headers={**request.headers, "host": host})
    line = Line(steady_jar.port)
    answer = line.send(signed(request, "sts", region=signed_for))
    line.close()
    assert answer.status == (200 if good else 403), answer
    if not good:
        error = read("sts", "GetCallerIdentity", answer)["Error"]
        assert error["Code"] == "SignatureDoesNotMatch"
        assert f"valid region, not '{signed_for}'" in error["Message"]
