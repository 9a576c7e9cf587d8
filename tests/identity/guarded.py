"""Things with policies of their own, owned by an account: a secret, a key, a role."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import Person, allow, deny, policy, root, user

IDENTITY = ("none", "allow", "deny")
RESOURCE = ("none", "account", "principal", "deny")
CALLERS = f"arn:aws:iam::{ACCOUNT}:root"
DENIED = {"AccessDenied", "AccessDeniedException"}


class Scene(ABC):
    """One kind of thing; `guard` gives it a policy, `asks` tries to use it."""

    action = ""

    def __init__(self, jar: TestJar, owner: str) -> None:
        self.jar, self.owner = jar, owner

    def identity(self, name: str) -> list[dict[str, Any]]:
        """Statements of the caller's own policy."""
        return {"none": [], "allow": [allow(self.action)], "deny": [allow(self.action), deny(self.action)]}[name]

    def statements(self, said: str, caller: str, keeper: str, **resource: str) -> list[dict[str, Any]]:
        """Statements of the thing's policy: about the caller's account, about the caller, about somebody else."""

        def about(who: str, effect: str = "Allow") -> dict[str, Any]:
            return {"Effect": effect, "Principal": {"AWS": who}, "Action": self.action, **resource}

        return {
            "none": [about(keeper)],
            "account": [about(CALLERS)],
            "principal": [about(caller)],
            "deny": [about(CALLERS), about(caller), about(caller, "Deny")],
        }[said]

    def asks(self, person: Person, thing: str) -> bool:
        """Whether a person gets through; any other refusal than "access denied" is a fault of the test."""
        try:
            self.use(person, thing)
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise
            return False
        return True

    @abstractmethod
    def guard(self, said: str, caller: str) -> str:
        """The thing's ARN, its policy being as said."""

    @abstractmethod
    def use(self, person: Person, thing: str) -> None:
        """The one call that the policies are about."""


class Secret(Scene):
    """Its policy allows beside the caller's own."""

    action = "secretsmanager:DescribeSecret"

    def __init__(self, jar: TestJar, owner: str) -> None:
        super().__init__(jar, owner)
        self.keeper = user(jar, "keeper", account=owner).arn
        self.client = root(jar, "secretsmanager", owner)
        self.arn = self.client.create_secret(Name="s", SecretString="x")["ARN"]

    def guard(self, said: str, caller: str) -> str:
        text = policy(*self.statements(said, caller, self.keeper, Resource="*"))
        self.client.put_resource_policy(SecretId=self.arn, ResourcePolicy=text)
        return str(self.arn)

    def use(self, person: Person, thing: str) -> None:
        assert person.client("secretsmanager").describe_secret(SecretId=thing)["ARN"] == self.arn


class Key(Scene):
    """Its policy must allow, in its own account too."""

    action = "kms:DescribeKey"

    def __init__(self, jar: TestJar, owner: str) -> None:
        super().__init__(jar, owner)
        self.keeper = user(jar, "keeper", account=owner).arn
        self.client = root(jar, "kms", owner)

    def guard(self, said: str, caller: str) -> str:
        text = policy(*self.statements(said, caller, self.keeper, Resource="*"))
        made = self.client.create_key(Policy=text, BypassPolicyLockoutSafetyCheck=True)
        return str(made["KeyMetadata"]["Arn"])

    def use(self, person: Person, thing: str) -> None:
        assert person.client("kms").describe_key(KeyId=thing)["KeyMetadata"]["Arn"] == thing


class Role(Scene):
    """Its trust policy must allow."""

    action = "sts:AssumeRole"

    def __init__(self, jar: TestJar, owner: str) -> None:
        super().__init__(jar, owner)
        self.keeper = user(jar, "keeper", account=owner).arn
        self.client = root(jar, "iam", owner)
        trusts = policy(*self.statements("none", "", self.keeper))
        self.arn = self.client.create_role(RoleName="r", AssumeRolePolicyDocument=trusts)["Role"]["Arn"]

    def guard(self, said: str, caller: str) -> str:
        text = policy(*self.statements(said, caller, self.keeper))
        self.client.update_assume_role_policy(RoleName="r", PolicyDocument=text)
        return str(self.arn)

    def use(self, person: Person, thing: str) -> None:
        assert person.assume(thing).arn.endswith("assumed-role/r/session")


SCENES: dict[str, type[Scene]] = {"secret": Secret, "key": Key, "role": Role}
