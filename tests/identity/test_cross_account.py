"""Two accounts, two policies: who is admitted by which, for secrets, keys and roles.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.identity.guarded import IDENTITY, RESOURCE, SCENES, Scene
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, refused
from tests.services.iam.people import OTHER, allow, policy, role, root, trust, user

SAME_PLAIN = {
    ("none", "principal"),
    ("allow", "none"),
    ("allow", "account"),
    ("allow", "principal"),
}
SAME_ROOTED = {("none", "principal"), ("allow", "account"), ("allow", "principal")}
ACROSS = {("allow", "account"), ("allow", "principal")}


def admitted(jar: TestJar, kind: str, owner: str) -> set[tuple[str, str]]:
    """(identity policy, resource policy) of whoever gets through to a thing of the owner."""
    scene = SCENES[kind](jar, owner)
    people = {name: user(jar, f"p-{name}", *scene.identity(name)) for name in IDENTITY}
    through = set()
    for said in RESOURCE:
        for name, person in people.items():
            thing = scene.guard(said, person.arn)
            if scene.asks(person, thing):
                through.add((name, said))
    return through


@pytest.mark.parametrize("kind", SCENES)
def test_in_one_account_either_policy_admits_but_keys_and_roles_must_consent(steady_jar: TestJar, kind: str) -> None:
    assert admitted(steady_jar, kind, ACCOUNT) == (SAME_PLAIN if kind == "secret" else SAME_ROOTED)


@pytest.mark.parametrize("kind", SCENES)
def test_across_accounts_both_must_admit(steady_jar: TestJar, kind: str) -> None:
    assert admitted(steady_jar, kind, OTHER) == ACROSS


def test_a_stranger_is_not_told_what_refused_him(steady_jar: TestJar) -> None:
    scene = SCENES["secret"](steady_jar, OTHER)
    ann = user(steady_jar, "ann", allow("secretsmanager:*"))
    arn = scene.guard("none", ann.arn)
    there = refused(ann.client("secretsmanager").describe_secret, SecretId=arn)
    assert there[0] == "AccessDeniedException"
    assert there[1].endswith(f"secretsmanager:DescribeSecret on resource: {arn}")
    nowhere = arn[:-6] + "ABCDEF"
    gone = refused(ann.client("secretsmanager").describe_secret, SecretId=nowhere)
    assert gone[0] == there[0]
    bob = user(steady_jar, "bob")
    assert "because no identity-based policy allows" in refused(bob.client("secretsmanager").list_secrets)[1]


def test_a_session_of_a_trusted_role_is_at_home_there(jar: TestJar) -> None:
    ann = user(jar, "ann", allow("sts:AssumeRole"))
    arn = role(jar, "guest", trust(ann.arn), allow("secretsmanager:CreateSecret"), account=OTHER)
    there = ann.assume(arn).client("secretsmanager")
    made = there.create_secret(Name="s", SecretString="x")["ARN"]
    assert f":{OTHER}:" in made
    assert code(there.describe_secret, SecretId=made) == "AccessDeniedException"
    assert code(ann.client("secretsmanager").describe_secret, SecretId=made) == "AccessDeniedException"


def test_a_role_named_by_a_resource_policy_is_bounded_by_its_session(jar: TestJar) -> None:
    root(jar, "iam").create_user(UserName="x")
    ann = user(jar, "ann", allow("sts:AssumeRole"))
    arn = role(jar, "reader", trust(ann.arn))
    secret = root(jar, "secretsmanager").create_secret(Name="s", SecretString="x")["ARN"]
    named = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "secretsmanager:DescribeSecret", "Resource": "*"}
    root(jar, "secretsmanager").put_resource_policy(SecretId=secret, ResourcePolicy=policy(named))
    assert ann.assume(arn).client("secretsmanager").describe_secret(SecretId=secret)["Name"] == "s"
    narrow = ann.assume(arn, Policy=policy(allow("s3:*"))).client("secretsmanager")
    said = refused(narrow.describe_secret, SecretId=secret)
    assert "because no session policy allows the secretsmanager:DescribeSecret action" in said[1]


def test_everybody_in_a_resource_policy_is_everybody_with_permission_at_home(jar: TestJar) -> None:
    secrets = root(jar, "secretsmanager", OTHER)
    secret = secrets.create_secret(Name="s", SecretString="x")["ARN"]
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:DescribeSecret", "Resource": "*"}
    mine = {**everybody, "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}}
    secrets.put_resource_policy(SecretId=secret, ResourcePolicy=policy(mine))
    may = user(jar, "may", allow("secretsmanager:DescribeSecret"))
    may_not = user(jar, "maynot")
    foreign = user(jar, "foreign", allow("secretsmanager:DescribeSecret"), account="333333333333")
    ask: Callable[[Any], Any] = lambda who: who.client("secretsmanager").describe_secret  # noqa: E731 a word for this test
    assert ask(may)(SecretId=secret)["Name"] == "s"
    for who in (may_not, foreign):
        assert code(ask(who), SecretId=secret) == "AccessDeniedException"


def test_scenes_are_complete() -> None:
    assert set(SCENES) == {"secret", "key", "role"}
    assert all(issubclass(scene, Scene) for scene in SCENES.values())
