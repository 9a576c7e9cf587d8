"""What a request says of itself: addresses, names, tags and ARNs that try to be more than they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.auth.authorize import principal
from cloudjar.auth.environment import Environment, Facts
from cloudjar.auth.presign import Credentials
from cloudjar.base.caller import Caller
from cloudjar.policy import AccessRequest, Flavour, Policy, PolicySet, decide, parse
from tests.attacks.conftest import REGION, WHO_AM_I, Scene, document, now, signed

ACCOUNT = "000000000000"
FORGED = {
    "x-forwarded-for": "10.9.8.7",
    "x-real-ip": "10.9.8.7",
    "forwarded": "for=10.9.8.7",
    "x-amz-source-ip": "10.9.8.7",
    "x-amz-vpc-endpoint-id": "vpce-1",
    "true-client-ip": "10.9.8.7",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "iam.amazonaws.com",
    "x-amz-account-id": "111111111111",
    "x-cloudjar-token": "guess",
}


@pytest.mark.parametrize(("header", "value"), FORGED.items())
def test_a_header_that_claims_an_address(scene: Scene, header: str, value: str) -> None:
    """Signed or not, it says nothing: the address, the transport and the account are those of the connection."""
    name = f"inside-{header}"
    iam = scene.jar.client("iam")
    inside = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    tls = {"Bool": {"aws:SecureTransport": "true"}}
    vpce = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    base = {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}
    allow = [{**base, "Condition": condition} for condition in (inside, tls, vpce)]
    who = scene.user(name, *allow)
    answer = scene.send(signed(who, also={header: value}))
    assert (answer.status, b"AccessDenied" in answer.body) == (403, True), answer
    sent = signed(who)
    answer = scene.send(sent._replace(headers={**sent.headers, header: value}))
    assert answer.status == 403, answer
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document(
        {**allow[0], "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}))  # fmt: skip
    assert scene.send(signed(who)).status == 200


def test_a_host_that_is_the_admin_apis(scene: Scene) -> None:
    """The admin API is where its path is, behind its token, whatever the host is called."""
    tokens: tuple[dict[str, str], ...] = ({}, {"x-cloudjar-token": "x"}, {"x-cloudjar-token": ""})
    for token in tokens:
        answer = scene.send(signed(scene.alice, method="GET", target="/_cloudjar/status", host="localhost", also=token))
        assert answer.status == 403, answer
    for path in ("/_cloudjar/../_cloudjar/status", "/_cloudjar/%73tatus", "//_cloudjar/status", "/_CLOUDJAR/status"):
        assert scene.send(signed(scene.alice, method="GET", target=path)).status in (400, 403, 404, 405, 501)


# Names and tags -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["*", "?", "a*", "${aws:username}", "a/b*", "${*}"])
def test_a_wildcard_in_a_name_or_a_tag(scene: Scene, text: str) -> None:
    """AWS's own alphabets for names and tags have no wildcards and no dollar sign."""
    iam = scene.jar.client("iam")
    attempts: list[Callable[[], Any]] = [
        lambda: iam.create_user(UserName=text),
        lambda: iam.create_user(UserName="tagged", Tags=[{"Key": "team", "Value": text}]),
        lambda: iam.create_role(RoleName=text, AssumeRolePolicyDocument=document(
            {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})),
        lambda: scene.session(f"arn:aws:iam::{ACCOUNT}:role/none", scene.alice, name=text + "xx"),
        lambda: scene.session(f"arn:aws:iam::{ACCOUNT}:role/none", scene.alice, Tags=[{"Key": "team", "Value": text}]),
        lambda: scene.session(f"arn:aws:iam::{ACCOUNT}:role/none", scene.alice, SourceIdentity=text + "xx"),
        lambda: scene.client("sts", scene.alice).get_federation_token(Name=text + "xx"),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(ClientError) as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] in ("ValidationError", "AccessDenied", "InvalidInput")


def decided(condition: dict[str, Any], resource: str, on: str, caller: Caller, **keys: str) -> bool:
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": resource, "Condition": condition}
    policy = Policy(parse(json.dumps({"Version": "2012-10-17", "Statement": statement}), Flavour.IDENTITY))
    context = Environment(Facts(caller, REGION, now(), None, ACCOUNT), keys)
    return decide(AccessRequest("s3:GetObject", on, principal(caller), context, ACCOUNT),
                  PolicySet(identity=(policy,))).allowed  # fmt: skip


HOSTILE = ("*", "?", "??", "a*", "${aws:PrincipalAccount}", "${*}", "*/*", "../b", "b/x*", "b${?}")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_variable_filled_with_signs_is_that_text_and_no_pattern(text: str) -> None:
    """Even if such a value came in by another door (a web identity's claim), it matches itself alone."""
    caller = Caller(kind="user", account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/{text}", user_name=text,
                    tags={"team": text})  # fmt: skip
    own, others = f"arn:aws:s3:::box/{text}/x", "arn:aws:s3:::box/bb/x"
    for variable in ("aws:username", "aws:PrincipalTag/team"):
        resource = f"arn:aws:s3:::box/${{{variable}}}/*"
        assert decided({}, resource, own, caller)
        assert not decided({}, resource, others, caller)
        like = {"StringLike": {"svc:x": f"${{{variable}}}"}}
        assert decided(like, "*", own, caller, **{"svc:x": text})
        assert not decided(like, "*", own, caller, **{"svc:x": "bb"})
        arn = {"ArnLike": {"svc:arn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:${{{variable}}}"}}
        assert not decided(arn, "*", own, caller, **{"svc:arn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:bb"})


def test_a_tag_with_the_name_of_another_key(scene: Scene) -> None:
    """A tag may be called like a condition key; it stays behind aws:PrincipalTag/."""
    tags = [{"Key": k, "Value": "10.0.0.1"} for k in ("aws-SourceIp", "SourceIp", "PrincipalTag/team")]
    allow = {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}
    who = scene.user("labelled", {**allow, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
                     {**allow, "Condition": {"StringLike": {"aws:PrincipalTag/team": "*"}}}, Tags=tags)  # fmt: skip
    assert scene.send(signed(who)).status == 403
    with pytest.raises(ClientError):
        scene.jar.client("iam").tag_user(UserName="labelled", Tags=[{"Key": "aws:PrincipalAccount", "Value": "1"}])


def test_tags_that_differ_by_case_are_one_tag(scene: Scene) -> None:
    """Condition keys ignore case: a second spelling must not stand beside the first."""
    role = scene.role("cased", {"AWS": ACCOUNT})
    with pytest.raises(ClientError) as refused:
        scene.session(role, scene.alice, Tags=[{"Key": "team", "Value": "red"}, {"Key": "TEAM", "Value": "blue"}])
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_nobody_tags_himself_into_a_team(scene: Scene) -> None:
    """ABAC holds as long as tagging is not allowed: neither the user nor a session of a role can change its tags."""
    abac = {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}}  # fmt: skip
    who = scene.user("red", abac, Tags=[{"Key": "team", "Value": "red"}])
    iam = scene.client("iam", who)
    role = scene.role("team", {"AWS": ACCOUNT}, abac)
    for attempt in (
        lambda: iam.get_user(UserName="alice"),
        lambda: iam.tag_user(UserName="red", Tags=[{"Key": "team", "Value": "blue"}]),
        lambda: scene.session(role, who, Tags=[{"Key": "team", "Value": "blue"}]),
    ):
        with pytest.raises(ClientError) as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] == "AccessDenied"


# ARNs and ids in requests ---------------------------------------------------------------------------------


WILD = ("*", "mine*", "mine?", "m?ne", "mine/../theirs", "mine/*", "*/theirs", "MINE", "mine%00", "mine ")


@pytest.fixture(scope="module")
def reader(scene: Scene) -> Credentials:
    """Somebody who may read one of two policies."""
    for name in ("mine", "theirs"):
        text = document({"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"})
        scene.jar.client("iam").create_policy(PolicyName=name, PolicyDocument=text)
    mine = f"arn:aws:iam::{ACCOUNT}:policy/mine"
    return scene.user("reader", {"Effect": "Allow", "Action": "iam:GetPolicy", "Resource": mine})


@pytest.mark.parametrize("name", WILD)
def test_an_arn_with_a_wildcard_asks_for_nothing_more(scene: Scene, reader: Credentials, name: str) -> None:
    """A policy may have wildcards; a request's ARN is text, and is judged and looked up as the same text."""
    client = scene.client("iam", reader)
    assert client.get_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/mine")["Policy"]["PolicyName"] == "mine"
    with pytest.raises(ClientError) as refused:
        client.get_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{name}")
    code = refused.value.response["Error"]["Code"]
    assert code in ("AccessDenied", "ValidationError", "InvalidInput", "NoSuchEntity")


def test_another_spelling_of_a_name_is_no_way_around_a_deny(scene: Scene) -> None:
    """Names of users ignore case when they are made; what may be done with them must not follow another spelling."""
    scene.user("Guarded")
    who = scene.user("spy", {"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
                     {"Effect": "Deny", "Action": "*", "Resource": f"arn:aws:iam::{ACCOUNT}:user/Guarded"})  # fmt: skip
    iam = scene.client("iam", who)
    for name in ("Guarded", "guarded", "GUARDED"):
        with pytest.raises(ClientError) as refused:
            iam.create_access_key(UserName=name)
        assert refused.value.response["Error"]["Code"] in ("AccessDenied", "NoSuchEntity"), name


def test_an_arn_of_another_account_is_that_accounts(scene: Scene) -> None:
    """The ARN says whose it is: neither an administrator nor a root user reaches into another account with one."""
    there = scene.jar.client("iam", key="222222222222", secret="test")
    arn = there.create_policy(PolicyName="theirs", PolicyDocument=document(
        {"Effect": "Allow", "Action": "*", "Resource": "*"}))["Policy"]["Arn"]  # fmt: skip
    attempts: list[Callable[[Any], Any]] = [
        lambda iam: iam.get_policy(PolicyArn=arn),
        lambda iam: iam.delete_policy(PolicyArn=arn),
        lambda iam: iam.attach_user_policy(UserName="mallory", PolicyArn=arn),
        lambda iam: iam.create_user(UserName="x", PermissionsBoundary=arn),
    ]
    for iam in (scene.client("iam", scene.alice), scene.jar.client("iam")):
        for attempt in attempts:
            with pytest.raises(ClientError) as refused:
                attempt(iam)
            assert refused.value.response["Error"]["Code"] in ("AccessDenied", "NoSuchEntity", "InvalidInput")


def test_a_role_is_not_passed_by_who_may_only_launch(scene: Scene) -> None:
    """The classic way up: start a machine with a role that may more than oneself."""
    scene.role("admin-machine", {"Service": "ec2.amazonaws.com"}, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    iam = scene.jar.client("iam")
    iam.create_instance_profile(InstanceProfileName="admin-machine")
    iam.add_role_to_instance_profile(InstanceProfileName="admin-machine", RoleName="admin-machine")
    who = scene.user("launcher", {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})
    ec2 = scene.client("ec2", who)
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    with pytest.raises(ClientError) as refused:
        ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1,
                          IamInstanceProfile={"Name": "admin-machine"})  # fmt: skip
    assert refused.value.response["Error"]["Code"] == "UnauthorizedOperation"
    assert "iam:PassRole" in refused.value.response["Error"]["Message"]


def test_who_may_only_ask_who_he_is_learns_no_more(scene: Scene) -> None:
    answer = scene.send(signed(scene.mallory, WHO_AM_I, service="sts"))
    assert answer.status == 200
    assert b":user/mallory" in answer.body
