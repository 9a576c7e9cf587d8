"""AWS's own managed policies are the largest body of documents that AWS certainly accepts."""

from __future__ import annotations

from cloudjar.policy import AccessRequest, Kind, Policy, PolicySet, PolicySyntaxError, Principal, decide, parse
from cloudjar.spec import managed_policies

ALICE = Principal(Kind.USER, "arn:aws:iam::111111111111:user/alice", "111111111111")


def allowed(policy: str, action: str, resource: str = "*") -> bool:
    policies = PolicySet(identity=(Policy(parse(managed_policies.document(policy)), policy),))
    return decide(AccessRequest(action, resource, ALICE, {}), policies).allowed


def test_every_managed_policy_is_accepted() -> None:
    refused = {}
    for name in managed_policies.names():
        try:
            parse.__wrapped__(managed_policies.document(name))
        except PolicySyntaxError as error:
            refused[name] = error.message
    assert len(managed_policies.names()) > 1000
    assert refused == {}


def test_well_known_managed_policies_do_what_they_say() -> None:
    assert allowed("AdministratorAccess", "iam:CreateUser")
    assert allowed("ReadOnlyAccess", "ec2:DescribeInstances")
    assert not allowed("ReadOnlyAccess", "ec2:RunInstances")
    assert allowed("AmazonS3ReadOnlyAccess", "s3:GetObject", "arn:aws:s3:::box/key")
    assert not allowed("AmazonS3ReadOnlyAccess", "s3:PutObject", "arn:aws:s3:::box/key")
    assert allowed("PowerUserAccess", "ec2:RunInstances")
    assert not allowed("PowerUserAccess", "iam:CreateUser")
    assert allowed("PowerUserAccess", "iam:ListRoles")
