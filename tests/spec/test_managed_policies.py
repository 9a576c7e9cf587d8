"""AWS managed policies: true ARNs, true documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from cloudjar.base import arn as arns
from cloudjar.spec import managed_policies


def test_administrator_access() -> None:
    policy = managed_policies.by_arn("arn:aws:iam::aws:policy/AdministratorAccess")
    assert policy is not None
    assert policy.default_version == "v1"
    assert policy.created == datetime(2015, 2, 6, 18, 39, 46, tzinfo=UTC)
    assert json.loads(managed_policies.document("AdministratorAccess")) == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("AWSLambdaBasicExecutionRole", "/service-role/"),
        ("Billing", "/job-function/"),
        ("ReadOnlyAccess", "/"),
        ("AmazonEC2ReadOnlyAccess", "/"),
        ("AmazonSSMManagedInstanceCore", "/"),
        ("AWSServiceRoleForAmazonEKSNodegroup", "/aws-service-role/"),
        ("IAMUserChangePassword", "/"),
        ("AmazonECSTaskExecutionRolePolicy", "/service-role/"),
    ],
)
def test_policies_live_at_their_path(name: str, path: str) -> None:
    policy = managed_policies.by_arn(f"arn:aws:iam::aws:policy{path}{name}")
    assert policy is not None
    assert policy.service_linked == (path == "/aws-service-role/")


def test_a_wrong_path_or_account_is_no_policy() -> None:
    assert managed_policies.by_arn("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole") is None
    assert managed_policies.by_arn("arn:aws:iam::123456789012:policy/AdministratorAccess") is None
    assert managed_policies.by_arn("arn:aws:iam::aws:policy/Nothing") is None


def test_every_policy_has_a_parsable_document_and_a_unique_id() -> None:
    ids = set()
    for policy in managed_policies.policies():
        document = json.loads(managed_policies.document(policy.name))
        assert document["Version"] in ("2012-10-17", "2008-10-17"), policy.name
        assert document["Statement"], policy.name
        assert arns.parse(policy.arn) is not None
        assert policy.created <= policy.updated
        ids.add(policy.id)
    assert len(ids) == len(managed_policies.names()) > 1500
