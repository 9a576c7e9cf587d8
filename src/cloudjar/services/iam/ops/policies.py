"""Managed policies and their versions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, managed, rules
from cloudjar.services.iam.managed import Counts, Managed
from cloudjar.services.iam.records import ManagedPolicy, Version
from cloudjar.services.iam.views import encoded, tag_list


def policy_of(policy: Managed, counts: Counts, *, whole: bool = True) -> dict[str, Any]:
    """``Policy``; lists leave out description and tags, as AWS's do."""
    shown: dict[str, Any] = {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default,
        "AttachmentCount": counts.attached[policy.arn],
        "PermissionsBoundaryUsageCount": counts.boundaries[policy.arn],
        "IsAttachable": True,
        "CreateDate": policy.created,
        "UpdateDate": policy.updated,
    }
    if whole:
        shown["Description"] = policy.description or None
        shown["Tags"] = tag_list(policy.own) if policy.own is not None else None
    return shown


def version_of(version: Version, default: str, *, document: bool) -> dict[str, Any]:
    """``PolicyVersion``."""
    return {
        "Document": encoded(version.document) if document else None,
        "VersionId": version.id,
        "IsDefaultVersion": version.id == default,
        "CreateDate": version.created,
    }


def checked_document(text: str) -> str:
    """A document fit for a managed policy; raises MalformedPolicyDocument, LimitExceeded."""
    rules.document(text)
    if rules.size(text) > rules.MANAGED_SIZE:
        raise errors.quota("PolicySize", rules.MANAGED_SIZE)
    return text


@op("CreatePolicy")
def create_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A customer managed policy in its first version."""
    name, path, now = req["PolicyName"], req.get("Path") or "/", ctx.now.replace(microsecond=0)
    if ctx.db[ManagedPolicy].count(folded=name.lower()):
        raise errors.already_exists(f"A policy called {name} already exists. Duplicate names are not allowed.")
    policy = ManagedPolicy(
        name=name,
        folded=name.lower(),
        id=ids.unique_id("ANPA"),
        path=path,
        created=now,
        updated=now,
        arn=arns.make("iam", "", ctx.account, f"policy{path}{name}"),
        description=req.get("Description") or "",
        versions=(Version("v1", checked_document(req["PolicyDocument"]), now),),
        tags=rules.tags(req.get("Tags") or ()),
    )
    ctx.db[ManagedPolicy].add(policy)
    return {"Policy": policy_of(managed.need(ctx, policy.arn), managed.counts(ctx))}


@op("GetPolicy")
def get_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A managed policy, the account's or AWS's."""
    return {"Policy": policy_of(managed.need(ctx, req["PolicyArn"]), managed.counts(ctx))}


@op("ListPolicies")
def list_policies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Managed policies by scope, path and use."""
    counts = managed.counts(ctx)
    scope, prefix = req.get("Scope") or "All", req.get("PathPrefix") or "/"
    usage = req.get("PolicyUsageFilter")
    used = {None: counts.attached + counts.boundaries, "PermissionsPolicy": counts.attached}.get(
        usage, counts.boundaries
    )
    found = [
        policy_of(policy, counts, whole=False)
        for policy in managed.everything(ctx)
        if scope in ("All", "Local" if policy.own is not None else "AWS")
        and policy.path.startswith(prefix)
        and (not (req.get("OnlyAttached") or usage) or used[policy.arn])
    ]
    return {"Policies": found}


@op("DeletePolicy")
def delete_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a policy that nobody has and that has one version left."""
    policy = managed.need_own(ctx, req["PolicyArn"])
    counts = managed.counts(ctx)
    if counts.attached[policy.arn] or counts.boundaries[policy.arn]:
        raise errors.delete_conflict("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise errors.delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's "
            "versions. The default version is deleted with the policy."
        )
    ctx.db[ManagedPolicy].drop(policy)
    return {}


@op("CreatePolicyVersion")
def create_policy_version(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another version, in force at once when asked; five may be kept."""
    policy = managed.need_own(ctx, req["PolicyArn"])
    document = checked_document(req["PolicyDocument"])
    if len(policy.versions) >= rules.VERSIONS:
        raise errors.limit_exceeded(
            f"A managed policy can have up to {rules.VERSIONS} versions. Before you create a new version, "
            "you must delete an existing version."
        )
    now, number = ctx.now.replace(microsecond=0), policy.last + 1
    version = Version(f"v{number}", document, now)
    default = version.id if req.get("SetAsDefault") else policy.default
    ctx.db[ManagedPolicy].put(
        replace(policy, versions=(*policy.versions, version), last=number, default=default, updated=now)
    )
    return {"PolicyVersion": version_of(version, default, document=False)}


@op("GetPolicyVersion")
def get_policy_version(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A version with its document."""
    policy = managed.need(ctx, req["PolicyArn"])
    return {"PolicyVersion": version_of(policy.version(req["VersionId"]), policy.default, document=True)}


@op("ListPolicyVersions")
def list_policy_versions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Versions without documents, newest first."""
    policy = managed.need(ctx, req["PolicyArn"])
    return {"Versions": [version_of(v, policy.default, document=False) for v in reversed(policy.versions)]}


@op("SetDefaultPolicyVersion")
def set_default_policy_version(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put another version in force."""
    policy = managed.need_own(ctx, req["PolicyArn"])
    version = managed.need(ctx, policy.arn).version(req["VersionId"])
    ctx.db[ManagedPolicy].put(replace(policy, default=version.id, updated=ctx.now.replace(microsecond=0)))
    return {}


@op("DeletePolicyVersion")
def delete_policy_version(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a version that is not in force."""
    policy = managed.need_own(ctx, req["PolicyArn"])
    version = managed.need(ctx, policy.arn).version(req["VersionId"])
    if version.id == policy.default:
        raise errors.delete_conflict("Cannot delete the default version of a policy.")
    left = tuple(v for v in policy.versions if v.id != version.id)
    ctx.db[ManagedPolicy].put(replace(policy, versions=left, updated=ctx.now.replace(microsecond=0)))
    return {}
