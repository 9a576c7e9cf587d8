"""Policy documents of every wrong shape: refused as malformed, or accepted and then decided upon without a failure."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.calls import ROOT, Line, signed, write
from tests.fuzz.nasty import NUMBERS, TEXTS
from tests.fuzz.world import World, assert_decent

ACTIONS = (
    "*",
    "ec2:*",
    "ec2:Describe*",
    "iam:Get?ser",
    "sts:AssumeRole",
    "s3:",
    ":",
    "ec2:RunInstances",
    "EC2:describevpcs",
)
RESOURCES = (
    "*",
    "arn:aws:ec2:*:*:*",
    "arn:aws:iam::000000000000:user/${aws:username}",
    "arn:aws:s3:::a/*",
    "arn:*",
)
OPERATORS = (
    "StringEquals", "StringLike", "StringNotEqualsIgnoreCase", "NumericLessThan", "DateGreaterThan", "Bool",
    "IpAddress", "ArnLike", "Null", "BinaryEquals", "ForAllValues:StringLike", "ForAnyValue:ArnEquals",
    "StringEqualsIfExists", "ForAnyValue:NullIfExists",
)  # fmt: skip
KEYS = (
    "aws:SourceIp", "aws:username", "aws:CurrentTime", "aws:RequestTag/a", "ec2:InstanceType", "aws:TagKeys", "x", "",
    "aws:PrincipalArn", "aws:SecureTransport", "aws:TokenIssueTime", "ec2:Region",
)  # fmt: skip
VALUES = (
    "10.0.0.0/8",
    "::1",
    "true",
    "fuzz",
    "2026-01-01T00:00:00Z",
    "12",
    "arn:aws:iam::000000000000:user/*",
    "${x}",
    "*",
)


class Author:
    """Writes policies: mostly well-formed, somewhere not."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw

    def _oddly(self, plain: Any) -> Any:
        draw = self._draw
        if draw.random() > 0.02:
            return plain
        return draw.choice(
            (None, [], {}, True, [plain], [[plain]], {"a": plain}, draw.choice(NUMBERS), draw.choice(TEXTS))
        )

    def _some(self, choices: tuple[str, ...]) -> Any:
        found = [self._oddly(self._draw.choice(choices)) for _ in range(self._draw.randint(1, 3))]
        return self._oddly(found if self._draw.random() < 0.7 else found[0])

    def _condition(self) -> Any:
        draw = self._draw
        operators = {draw.choice(OPERATORS): {draw.choice(KEYS): self._some(VALUES)} for _ in range(draw.randint(1, 2))}
        return self._oddly({name: self._oddly(block) for name, block in operators.items()})

    def statement(self, *, trust: bool) -> Any:
        """One statement."""
        draw = self._draw
        made: dict[str, Any] = {"Effect": self._oddly(draw.choice(("Allow", "Allow", "Deny")))}
        made[draw.choice(("Action", "Action", "Action", "NotAction"))] = self._some(ACTIONS)
        if trust:
            who = draw.choice(
                ({"AWS": "*"}, "*", {"AWS": ["000000000000"]}, {"Service": "ec2.amazonaws.com"}, {"AWS": "x"})
            )
            made[draw.choice(("Principal", "Principal", "NotPrincipal"))] = self._oddly(who)
        else:
            made[draw.choice(("Resource", "Resource", "Resource", "NotResource"))] = self._some(RESOURCES)
        if draw.random() < 0.6:
            made["Condition"] = self._condition()
        if draw.random() < 0.2:
            made[draw.choice(("Sid", "sid", "Extra"))] = self._oddly("s1")
        return self._oddly(made)

    def document(self, *, trust: bool = False) -> str:
        """A whole policy, as text."""
        statements = [self.statement(trust=trust) for _ in range(self._draw.randint(1, 3))]
        version = self._oddly(self._draw.choice(("2012-10-17", "2012-10-17", "2008-10-17")))
        made = self._oddly({"Version": version, "Statement": self._oddly(statements)})
        return json.dumps(made, allow_nan=False)[:6000]


ASKED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("sts", "GetCallerIdentity", {}),
    ("ec2", "DescribeVpcs", {}),
    ("iam", "GetUser", {"UserName": "judged"}),
    ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16", "DryRun": True}),
    (
        "ec2",
        "CreateTags",
        {"Resources": ["vpc-0123456789abcdef0"], "Tags": [{"Key": "a", "Value": "b"}], "DryRun": True},
    ),
)


def judge(world: World, line: Line, seed: int, amount: int) -> tuple[int, int]:
    """Try documents in every place that takes one; gives (accepted, refused)."""
    draw = random.Random(seed)
    author = Author(draw)
    iam = world.jar.client("iam")
    iam.create_user(UserName="judged")
    key = iam.create_access_key(UserName="judged")["AccessKey"]
    user = ROOT._replace(key_id=key["AccessKeyId"], secret=key["SecretAccessKey"])
    accepted = refused = 0

    def send(service: str, operation: str, params: dict[str, Any], credentials: Any = ROOT) -> int:
        answer = line.send(signed(write(service, operation, params), service, credentials))
        assert_decent(answer, service, "ec2" if service == "ec2" else "query", (seed, operation, params))
        return answer.status

    for _ in range(amount):
        document = author.document()
        trust = author.document(trust=True)
        status = send("iam", "PutUserPolicy", {"UserName": "judged", "PolicyName": "p", "PolicyDocument": document})
        send("iam", "UpdateAssumeRolePolicy", {"RoleName": "fuzz", "PolicyDocument": trust})
        send("sts", "AssumeRole", {"RoleArn": world.role, "RoleSessionName": "s", "Policy": document}, user)
        if status != 200:
            refused += 1
            continue
        accepted += 1
        for service, operation, params in ASKED:
            send(service, operation, params, user)
    iam.delete_user_policy(UserName="judged", PolicyName="p")
    iam.delete_access_key(UserName="judged", AccessKeyId=user.key_id)
    iam.delete_user(UserName="judged")
    return accepted, refused


def test_documents_are_refused_or_decided_upon(fuzzed: World, line: Line) -> None:
    accepted, refused = judge(fuzzed, line, seed=1, amount=400)
    assert accepted > 20
    assert refused > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_documents_at_length(fuzzed: World, line: Line, seed: int) -> None:
    accepted, refused = judge(fuzzed, line, seed=seed, amount=2000)
    assert accepted > 100
    assert refused > 200
