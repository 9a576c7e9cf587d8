"""Managed policies, the account's own and AWS's, under one roof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.services.iam import errors, names
from cloudjar.services.iam.records import Group, ManagedPolicy, Role, User, Version
from cloudjar.spec import managed_policies

AWS_PREFIX = "arn:aws:iam::aws:policy/"


class Managed(NamedTuple):
    """A managed policy, whoever's; `own` is the record of a customer's, None for AWS's."""

    arn: str
    name: str
    path: str
    id: str
    created: datetime
    updated: datetime
    default: str
    own: ManagedPolicy | None = None

    @property
    def attachable(self) -> bool:
        """False for those that only service-linked roles may have."""
        return self.own is not None or self.path != "/aws-service-role/"

    @property
    def description(self) -> str:
        return self.own.description if self.own is not None else ""

    @property
    def versions(self) -> tuple[Version, ...]:
        """Oldest first; of AWS's policies, the default version alone is known."""
        if self.own is not None:
            return self.own.versions
        return (Version(self.default, managed_policies.document(self.name), self.updated),)

    def version(self, version_id: str) -> Version:
        """One version; raises NoSuchEntity."""
        for version in self.versions:
            if version.id == version_id:
                return version
        raise errors.no_such_entity(f"Policy {self.arn} version {version_id} does not exist or is not attachable.")

    @property
    def document(self) -> str:
        """The document in force."""
        return self.version(self.default).document


def _own(policy: ManagedPolicy) -> Managed:
    return Managed(
        policy.arn, policy.name, policy.path, policy.id, policy.created, policy.updated, policy.default, policy
    )


def _aws(policy: managed_policies.ManagedPolicy) -> Managed:
    return Managed(
        policy.arn, policy.name, policy.path, policy.id, policy.created, policy.updated, policy.default_version
    )


def find(db: Db, arn: str) -> Managed | None:
    """The policy of an ARN: AWS's, or one of the account that `db` looks at."""
    if arn.startswith(AWS_PREFIX):
        found = managed_policies.by_arn(arn)
        return None if found is None else _aws(found)
    policy = db[ManagedPolicy].get(arn)
    return None if policy is None else _own(policy)


def checked_arn(arn: str) -> str:
    """The ARN of some IAM policy; raises InvalidInput for anything else."""
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "iam" or parsed.type != "policy" or parsed.region:
        raise errors.invalid_input(f"ARN {arn} is not valid.")
    return arn


def need(ctx: Ctx, arn: str) -> Managed:
    """The policy of an ARN; raises NoSuchEntity."""
    found = find(ctx.db, checked_arn(arn))
    if found is None:
        raise errors.no_such_entity(f"Policy {arn} was not found.")
    return found


def need_own(ctx: Ctx, arn: str) -> ManagedPolicy:
    """A policy that the account may change; raises AccessDenied for AWS's and others'."""
    parsed = arns.parse(checked_arn(arn))
    if parsed is not None and parsed.account != ctx.account:
        raise errors.not_own_policy()
    return ctx.db[ManagedPolicy].need(arn)


def need_attachable(ctx: Ctx, arn: str) -> Managed:
    """A policy to attach; raises NoSuchEntity or PolicyNotAttachable."""
    found = find(ctx.db, checked_arn(arn))
    if found is None:
        raise errors.no_such_entity(f"Policy {arn} does not exist or is not attachable.")
    if not found.attachable:
        raise AwsError("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.", 400)
    return found


def boundary(ctx: Ctx, arn: str) -> str:
    """The ARN of a policy to be a permissions boundary; raises NoSuchEntity, InvalidInput."""
    found = find(ctx.db, checked_arn(arn))
    if found is None or not found.attachable:
        raise errors.no_such_entity(f"Scope ARN: {arn} does not exist or is not attachable.")
    return arn


def everything(ctx: Ctx) -> Iterator[Managed]:
    """The account's policies, then AWS's."""
    yield from (_own(policy) for policy in ctx.db[ManagedPolicy].all())
    yield from (_aws(policy) for policy in managed_policies.policies())


class Counts(NamedTuple):
    """How many principals of the account have each policy, by ARN."""

    attached: Counter[str]
    boundaries: Counter[str]


def counts(ctx: Ctx) -> Counts:
    """One look at every principal of the account."""
    attached: Counter[str] = Counter()
    for principal in names.principals(ctx):
        attached.update(principal.attached)
    bounded: list[User | Role] = [*ctx.db[User].all(), *ctx.db[Role].all()]
    return Counts(attached, Counter(item.boundary for item in bounded if item.boundary))


def used_by(ctx: Ctx, arn: str, *, as_boundary: bool) -> tuple[list[Group], list[User], list[Role]]:
    """The groups, users and roles that have a policy attached, or as their boundary."""
    if as_boundary:
        return (
            [],
            [u for u in ctx.db[User].all() if u.boundary == arn],
            [r for r in ctx.db[Role].all() if r.boundary == arn],
        )
    return (
        [g for g in ctx.db[Group].all() if arn in g.attached],
        [u for u in ctx.db[User].all() if arn in u.attached],
        [r for r in ctx.db[Role].all() if arn in r.attached],
    )
