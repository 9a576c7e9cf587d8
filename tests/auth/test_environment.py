"""Global condition keys: which facts a call has, for whom, and which are absent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cloudjar.auth.environment import Environment, Facts
from cloudjar.auth.organization import Standing
from cloudjar.base.caller import ANONYMOUS, Caller, root, service
from cloudjar.wire.message import Request

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ME, OTHER = "111111111111", "222222222222"
USER = Caller(
    kind="user",
    account=ME,
    arn=f"arn:aws:iam::{ME}:user/a/ann",
    unique_id="AIDAEXAMPLEANN",
    user_name="ann",
    tags={"Team": "blue"},
)
ROLE = Caller(
    kind="role",
    account=ME,
    arn=f"arn:aws:sts::{ME}:assumed-role/app/s",
    unique_id="AROAEXAMPLEAPP:s",
    role_arn=f"arn:aws:iam::{ME}:role/x/app",
    session_name="s",
    token_issued=NOW - timedelta(minutes=10),
)
FEDERATED = replace(
    USER,
    kind="federated",
    arn=f"arn:aws:sts::{ME}:federated-user/bob",
    unique_id=f"{ME}:bob",
    role_arn=USER.arn,
    token_issued=NOW,
)
LAMBDA = service("lambda.amazonaws.com", ME, f"arn:aws:lambda:eu-west-3:{ME}:function:f")


class OneOrganization:
    """Both accounts are in it."""

    def standing(self, account: str) -> Standing | None:
        place = {ME: "o-1/r-1/ou-dev/", OTHER: "o-1/r-1/ou-prod/"}.get(account)
        return None if place is None else Standing("o-1", OTHER, place, None, None)


def facts(caller: Caller, *, request: Request | None = None, **more: Any) -> Environment:
    """The keys of a call."""
    asked = request if request is not None else Request("POST", "/", peer="192.0.2.7", headers={"user-agent": "aws"})
    owner = more.pop("owner", ME)
    given = more.pop("given", None)
    return Environment(Facts(caller, "eu-west-3", NOW, asked, owner, more.pop("organization", None)), given)


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html: what principals are called.
@pytest.mark.parametrize(
    ("caller", "user_id", "user_name", "kind"),
    [
        (root(ME), ME, None, "Account"),
        (USER, "AIDAEXAMPLEANN", "ann", "User"),
        (FEDERATED, f"{ME}:bob", None, "FederatedUser"),
        (ROLE, "AROAEXAMPLEAPP:s", None, "AssumedRole"),
        (ANONYMOUS, "anonymous", None, "Anonymous"),
    ],
)
def test_what_principals_are_called(caller: Caller, user_id: str, user_name: str | None, kind: str) -> None:
    keys = facts(caller)
    assert (keys.get("aws:userid"), keys.get("aws:username"), keys.get("aws:principaltype")) == (
        user_id,
        user_name,
        kind,
    )


def test_the_principals_arn_is_the_roles_own_with_its_path() -> None:
    assert facts(ROLE).get("aws:principalarn") == f"arn:aws:iam::{ME}:role/x/app"
    assert facts(USER).get("aws:principalarn") == USER.arn
    assert facts(FEDERATED).get("aws:principalarn") == f"arn:aws:sts::{ME}:federated-user/bob"
    assert facts(root(ME)).get("aws:principalarn") == f"arn:aws:iam::{ME}:root"
    for caller in (ANONYMOUS, LAMBDA):
        assert facts(caller).get("aws:principalarn") is None


def test_mfa_is_a_fact_of_temporary_credentials_alone() -> None:
    assert facts(USER).get("aws:multifactorauthpresent") is None
    assert facts(USER).get("aws:tokenissuetime") is None
    assert facts(ROLE).get("aws:multifactorauthpresent") == "false"
    assert facts(ROLE).get("aws:multifactorauthage") is None
    assert facts(ROLE).get("aws:tokenissuetime") == "2026-03-01T11:50:00Z"
    signed_in = facts(replace(USER, token_issued=NOW, mfa_at=NOW - timedelta(seconds=90)))
    assert signed_in.get("aws:multifactorauthpresent") == "true"
    assert signed_in.get("aws:multifactorauthage") == "90"


def test_a_service_is_the_caller_or_the_way() -> None:
    direct = facts(LAMBDA)
    assert direct.get("aws:principalisawsservice") == "true"
    assert direct.get("aws:principalservicename") == "lambda.amazonaws.com"
    assert direct.get("aws:principalservicenameslist") == ["lambda.amazonaws.com", "lambda.eu-west-3.amazonaws.com"]
    assert direct.get("aws:sourcearn") == f"arn:aws:lambda:eu-west-3:{ME}:function:f"
    assert direct.get("aws:sourceaccount") == ME
    assert direct.get("aws:viaawsservice") == "false"
    assert direct.get("aws:principalaccount") is None
    via = facts(replace(USER, called_via=("cloudformation.amazonaws.com", "dynamodb.amazonaws.com")))
    assert via.get("aws:calledvia") == ["cloudformation.amazonaws.com", "dynamodb.amazonaws.com"]
    assert via.get("aws:calledviafirst") == "cloudformation.amazonaws.com"
    assert via.get("aws:calledvialast") == "dynamodb.amazonaws.com"
    assert via.get("aws:viaawsservice") == "true"
    assert via.get("aws:principalisawsservice") == "false"
    assert via.get("aws:sourcearn") is None
    silent = facts(replace(USER, called_via=("secretsmanager.amazonaws.com",)))
    assert silent.get("aws:calledvia") is None
    assert silent.get("aws:viaawsservice") == "true"
    assert facts(ANONYMOUS).get("aws:principalisawsservice") is None


def test_where_a_call_comes_from_is_what_the_connection_says() -> None:
    claims = {"x-forwarded-for": "10.0.0.1", "x-forwarded-proto": "https"}
    forged = Request("GET", "/", headers=claims, peer="192.0.2.7")
    keys = facts(USER, request=forged)
    assert keys.get("aws:sourceip") == "192.0.2.7"
    assert keys.get("aws:securetransport") == "false"
    assert keys.get("aws:sourcevpc") is None
    inside = facts(USER, request=Request("GET", "/", peer="10.0.0.9", vpc="vpc-1", secure=True))
    assert inside.get("aws:sourceip") is None
    assert inside.get("aws:vpcsourceip") == "10.0.0.9"
    assert inside.get("aws:sourcevpc") == "vpc-1"
    assert inside.get("aws:sourcevpce") is None
    by_endpoint = facts(USER, request=Request("GET", "/", peer="10.0.0.9", vpc="vpc-1", vpce="vpce-1"))
    assert by_endpoint.get("aws:sourcevpce") == "vpce-1"
    assert inside.get("aws:securetransport") == "true"
    by_service = Environment(Facts(USER, "eu-west-3", NOW, None, ME), None)
    assert by_service.get("aws:sourceip") is None
    assert by_service.get("aws:securetransport") == "true"


def test_organizations_of_caller_resource_and_source() -> None:
    keys = facts(USER, organization=OneOrganization(), owner=OTHER)
    assert keys.get("aws:principalorgid") == "o-1"
    assert keys.get("aws:principalorgpaths") == ["o-1/r-1/ou-dev/"]
    assert keys.get("aws:resourceorgid") == "o-1"
    assert keys.get("aws:resourceorgpaths") == ["o-1/r-1/ou-prod/"]
    assert keys.get("aws:resourceaccount") == OTHER
    assert keys.get("aws:sourceorgid") is None
    by_service = facts(LAMBDA, organization=OneOrganization())
    assert by_service.get("aws:principalorgid") is None
    assert by_service.get("aws:sourceorgid") == "o-1"
    assert by_service.get("aws:sourceorgpaths") == ["o-1/r-1/ou-dev/"]
    assert facts(USER).get("aws:principalorgid") is None
    assert facts(ANONYMOUS, organization=OneOrganization()).get("aws:principalorgid") is None


def test_root_on_a_task_is_told_apart_from_root() -> None:
    assert facts(root(ME)).get("aws:assumedroot") is None
    on_task = replace(root(ME), session_policy_arns=("arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy",))
    assert facts(on_task).get("aws:assumedroot") == "true"


def test_what_a_session_was_given_is_among_its_keys() -> None:
    keys = facts(replace(ROLE, session_keys={"ec2:roledelivery": "2.0"}, federated_provider="accounts.google.com"))
    assert keys.get("ec2:roledelivery") == "2.0"
    assert keys.get("aws:federatedprovider") == "accounts.google.com"
    assert {"ec2:roledelivery", "aws:federatedprovider"} <= set(keys)


def test_keys_of_the_request_come_first_and_all_can_be_listed() -> None:
    keys = facts(USER, given={"aws:requesttag/a": "1", "aws:sourceip": "192.0.2.9"})
    assert keys["aws:sourceip"] == "192.0.2.9"
    listed = dict(keys.items())
    assert listed["aws:principaltag/team"] == "blue"
    assert listed["aws:requesttag/a"] == "1"
    assert listed["aws:useragent"] == "aws"
    assert listed["aws:epochtime"] == str(int(NOW.timestamp()))
    assert "aws:multifactorauthage" not in keys
    with pytest.raises(KeyError):
        keys["aws:tokenissuetime"]
