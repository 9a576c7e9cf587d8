"""The access advisor: what policies open, and who used what last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import ADMIN, OTHER, allow, deny, policy, refused, role, root, trust, user


def report(iam: Any, arn: str, **more: Any) -> dict[str, dict[str, Any]]:
    """A report by service namespace."""
    job = iam.generate_service_last_accessed_details(Arn=arn, **more)["JobId"]
    found: dict[str, dict[str, Any]] = {}
    more = {"MaxItems": 200}
    while True:
        answer = iam.get_service_last_accessed_details(JobId=job, **more)
        assert (answer["JobStatus"], answer["JobCompletionDate"] >= answer["JobCreationDate"]) == ("COMPLETED", True)
        found.update({service["ServiceNamespace"]: service for service in answer["ServicesLastAccessed"]})
        if not answer["IsTruncated"]:
            return found
        more["Marker"] = answer["Marker"]


def test_a_users_report_lists_what_is_open_and_what_was_used(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("iam:ListUsers", "ec2:Describe*", "s3:*"), deny("s3:*"))
    ann.client("ec2").describe_vpcs()
    jar.advance(hours=2)
    ann.client("iam").list_users()
    found = report(iam, ann.arn)
    assert list(found) == ["ec2", "iam"]
    assert found["iam"] == {
        "ServiceName": "AWS Identity and Access Management",
        "ServiceNamespace": "iam",
        "LastAuthenticated": jar.clock.now(),
        "LastAuthenticatedEntity": ann.arn,
        "LastAuthenticatedRegion": "us-east-1",
        "TotalAuthenticatedEntities": 1,
    }
    used = found["ec2"]
    assert used["LastAuthenticated"] == jar.clock.now() - timedelta(hours=2)
    assert used["LastAuthenticatedRegion"] == "eu-west-3"


def test_attempts_count_even_when_they_are_refused(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("ec2:DescribeVpcs"))
    with refused("UnauthorizedOperation"):
        ann.client("ec2").describe_subnets()
    assert report(iam, ann.arn)["ec2"]["TotalAuthenticatedEntities"] == 1


def test_actions_are_told_when_asked_for(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("ec2:*"))
    ann.client("ec2").describe_vpcs()
    jar.advance(minutes=1)
    ann.client("ec2", "us-east-1").describe_subnets()
    assert "TrackedActionsLastAccessed" not in report(iam, ann.arn)["ec2"]
    tracked = report(iam, ann.arn, Granularity="ACTION_LEVEL")["ec2"]["TrackedActionsLastAccessed"]
    assert [(a["ActionName"], a["LastAccessedRegion"]) for a in tracked] == [
        ("DescribeSubnets", "us-east-1"),
        ("DescribeVpcs", "eu-west-3"),
    ]
    assert tracked[0]["LastAccessedTime"] - tracked[1]["LastAccessedTime"] == timedelta(minutes=1)
    assert {a["LastAccessedEntity"] for a in tracked} == {ann.arn}


def test_reports_go_on_where_the_last_one_ended(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("ec2:*"))
    assert report(iam, ann.arn)["ec2"]["TotalAuthenticatedEntities"] == 0
    ann.client("ec2").describe_vpcs()
    first = report(iam, ann.arn)["ec2"]["LastAuthenticated"]
    jar.advance(days=1)
    ann.client("ec2").describe_vpcs()
    assert report(iam, ann.arn)["ec2"]["LastAuthenticated"] - first == timedelta(days=1)
    jar.advance(days=401)
    assert report(iam, ann.arn)["ec2"]["TotalAuthenticatedEntities"] == 0


def test_groups_and_policies_are_about_those_who_have_them(jar: TestJar, iam: Any) -> None:
    ann, bob, eve = user(jar, "ann"), user(jar, "bob"), user(jar, "eve")
    iam.create_group(GroupName="g")
    mine = iam.create_policy(PolicyName="p", PolicyDocument=policy(allow("ec2:*")))["Policy"]["Arn"]
    iam.attach_group_policy(GroupName="g", PolicyArn=mine)
    for name in ("ann", "bob"):
        iam.add_user_to_group(GroupName="g", UserName=name)
    iam.attach_user_policy(UserName="eve", PolicyArn=mine)
    for who in (ann, eve, bob):
        jar.advance(minutes=1)
        who.client("ec2").describe_vpcs()
    assert report(iam, f"arn:aws:iam::{ACCOUNT}:group/g")["ec2"]["TotalAuthenticatedEntities"] == 2
    found = report(iam, mine)["ec2"]
    assert (found["TotalAuthenticatedEntities"], found["LastAuthenticatedEntity"]) == (3, bob.arn)
    fay = user(jar, "fay")
    iam.attach_user_policy(UserName="fay", PolicyArn=mine)
    job = iam.generate_service_last_accessed_details(Arn=mine)["JobId"]
    entities = iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="ec2")
    listed = entities["EntityDetailsList"]
    assert [e["EntityInfo"]["Arn"] for e in listed] == [bob.arn, eve.arn, ann.arn, fay.arn]
    assert ("LastAuthenticated" in listed[0], "LastAuthenticated" in listed[3]) == (True, False)
    assert (listed[0]["EntityInfo"]["Type"], listed[0]["EntityInfo"]["Path"]) == ("USER", "/")
    with refused("NoSuchEntity", "s3", status=404):
        iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="s3")


def test_a_roles_sessions_are_the_roles(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn), allow("ec2:*", "sts:*"))
    ann.assume(arn, "monday").client("ec2").describe_vpcs()
    found = report(iam, arn)
    assert found["ec2"]["LastAuthenticatedEntity"] == arn
    assert found["sts"]["TotalAuthenticatedEntities"] == 0


def test_an_administrator_opens_everything(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    ann = user(steady_jar, "ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=ADMIN)
    found = report(iam, ann.arn)
    assert len(found) > 400
    assert list(found) == sorted(found)
    iam.put_user_policy(
        UserName="ann",
        PolicyName="not",
        PolicyDocument=policy({"Effect": "Deny", "NotAction": ["s3:*", "ec2:Desc*"], "Resource": "*"}),
    )
    assert list(report(iam, ann.arn)) == ["ec2", "s3"]


def test_a_report_is_his_who_asked_for_it(jar: TestJar, iam: Any) -> None:
    may = allow("iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails*")
    ann, bob = user(jar, "ann", may), user(jar, "bob", may)
    job = ann.client("iam").generate_service_last_accessed_details(Arn=bob.arn)["JobId"]
    assert ann.client("iam").get_service_last_accessed_details(JobId=job)["ServicesLastAccessed"]
    for other in (bob.client("iam"), iam):
        with refused("NoSuchEntity", job, status=404):
            other.get_service_last_accessed_details(JobId=job)
    jar.advance(days=2)
    iam.generate_service_last_accessed_details(Arn=ann.arn)
    with refused("NoSuchEntity"):
        ann.client("iam").get_service_last_accessed_details(JobId=job)


def test_what_is_no_identity_has_no_report(jar: TestJar, iam: Any) -> None:
    with refused("NoSuchEntity", status=404):
        iam.generate_service_last_accessed_details(Arn=f"arn:aws:iam::{ACCOUNT}:user/nobody")
    with refused("InvalidInput", status=400):
        iam.generate_service_last_accessed_details(Arn=f"arn:aws:iam::{ACCOUNT}:mfa/ann-phone")
    theirs = user(jar, "ann", account=OTHER)
    with refused("AccessDenied"):
        iam.generate_service_last_accessed_details(Arn=theirs.arn)


def test_policies_that_open_a_service(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("s3:GetObject", "lambda:*"))
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="shared", PolicyDocument=policy(allow("*")))
    iam.add_user_to_group(GroupName="g", UserName="ann")
    view = "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess"
    iam.attach_user_policy(UserName="ann", PolicyArn=view)
    answer = iam.list_policies_granting_service_access(Arn=ann.arn, ServiceNamespaces=["ec2", "s3"])
    found = {e["ServiceNamespace"]: e["Policies"] for e in answer["PoliciesGrantingServiceAccess"]}
    shared = {"PolicyName": "shared", "PolicyType": "INLINE", "EntityType": "GROUP", "EntityName": "g"}
    own = {"PolicyName": "own", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": "ann"}
    managed = {"PolicyName": "AmazonEC2ReadOnlyAccess", "PolicyType": "MANAGED", "PolicyArn": view}
    assert found == {"ec2": [managed, shared], "s3": [own, shared]}
    with refused("InvalidInput", "nosuchservice"):
        iam.list_policies_granting_service_access(Arn=ann.arn, ServiceNamespaces=["nosuchservice"])
