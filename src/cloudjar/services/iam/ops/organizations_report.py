"""The access advisor for an organization: which services its SCPs open, and in which accounts they were last used.

The organization is asked as the caller: whoever may not see its policies gets a report that failed, and why.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed-view-data-orgs.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from cloudjar.auth.organization import Organization, Standing
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.policy.document import Document, parse
from cloudjar.policy.grammar import Flavour
from cloudjar.services.iam import activity, reach
from cloudjar.services.iam.activity import Access
from cloudjar.services.iam.ops.last_accessed import paged
from cloudjar.spec import service_names

_SCP = "SERVICE_CONTROL_POLICY"


class Used(msgspec.Struct, frozen=True):
    """A service that is open: the account that tried it last, when and where, and how many accounts did."""

    namespace: str
    accounts: int = 0
    path: str = ""
    at: datetime | None = None
    region: str = ""


@record(
    "iam-use",
    "organizations-report",
    missing=("NoSuchEntity", "Job with id {key} cannot be found.", 404),
    regional=False,
)
class OrganizationsReport(Record, frozen=True, kw_only=True):
    """A report about an entity of the organization; `error` is (code, message) of one that failed."""

    id: str
    made: datetime
    used: tuple[Used, ...] = ()
    error: tuple[str, str] | None = None


@op("GenerateOrganizationsAccessReport", writes=False)
def generate_organizations_access_report(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A report about a root, a unit or an account, or about one policy there."""
    activity.follow(ctx)
    made = OrganizationsReport(id=ids.uuid4(), made=ctx.now.replace(microsecond=0))
    try:
        used = _report(ctx, req["EntityPath"].rstrip("/").split("/"), req.get("OrganizationsPolicyId") or "")
        made = msgspec.structs.replace(made, used=used)
    except AwsError as error:
        made = msgspec.structs.replace(made, error=(error.code, error.message))
    ctx.db[OrganizationsReport].add(made)
    return {"JobId": made.id}


def _standing(ctx: Ctx, account: str) -> Standing | None:
    port: Callable[[], Organization | None] = ctx.world.ports["organization"]
    organization = port()
    return None if organization is None else organization.standing(account)


def _report(ctx: Ctx, steps: Sequence[str], policy: str) -> tuple[Used, ...]:
    """`steps` lead from the organization down to the entity: ``o-1``, ``r-1``, ``ou-1``, an account."""
    here = _standing(ctx, ctx.account)
    if here is None or here.id != steps[0]:
        raise AwsError("InvalidInput", f"The organization {steps[0]} is not the one of this account.")
    if here.management_account != ctx.account:
        raise AwsError("AccessDenied", "Only the management account of an organization can ask for its reports.")
    if _is_account(steps[-1]) and steps[-1] == here.management_account:
        return _used(ctx, service_names.prefixes(), [steps[-1]])
    if here.scps is None:
        raise AwsError("InvalidInput", "Service control policies are not enabled in the organization's root.")
    accounts = [a for a in _members(ctx) if a != here.management_account and _below(ctx, a, steps)]
    if policy:
        targets = {t["TargetId"] for t in _all(ctx, "ListTargetsForPolicy", "Targets", PolicyId=policy)}
        accounts = [a for a in accounts if targets.intersection(_way(ctx, a))]
        return _used(ctx, reach.services([_document(ctx, policy)]), accounts)
    return _used(ctx, _open(ctx, steps[1:]), accounts)


def _open(ctx: Ctx, targets: Sequence[str]) -> list[str]:
    """The services that the SCPs of every step let through."""
    left: set[str] = set(service_names.prefixes())
    for target in targets:
        attached = _all(ctx, "ListPoliciesForTarget", "Policies", TargetId=target, Filter=_SCP)
        left &= set(reach.services([_document(ctx, policy["Id"]) for policy in attached]))
    return sorted(left)


def _document(ctx: Ctx, policy: str) -> Document:
    found = ctx.call("organizations", "DescribePolicy", {"PolicyId": policy})["Policy"]
    return parse(found["Content"], Flavour.SCP)


def _all(ctx: Ctx, operation: str, key: str, **params: Any) -> list[dict[str, Any]]:
    """Every page of a list of Organizations."""
    found: list[dict[str, Any]] = []
    while True:
        answer = ctx.call("organizations", operation, params)
        found += answer[key]
        if not answer.get("NextToken"):
            return found
        params["NextToken"] = answer["NextToken"]


def _members(ctx: Ctx) -> list[str]:
    return [str(account["Id"]) for account in _all(ctx, "ListAccounts", "Accounts")]


def _way(ctx: Ctx, account: str) -> list[str]:
    """From the organization down to an account."""
    standing = _standing(ctx, account)
    return [] if standing is None else [*standing.path.rstrip("/").split("/"), account]


def _below(ctx: Ctx, account: str, steps: Sequence[str]) -> bool:
    return _way(ctx, account)[: len(steps)] == list(steps)


def _is_account(step: str) -> bool:
    return step.isdecimal()


def _used(ctx: Ctx, prefixes: Sequence[str], accounts: Sequence[str]) -> tuple[Used, ...]:
    """Each open service with the last attempt in any of the accounts."""
    last: dict[str, list[Access]] = {}
    for account in accounts:
        newest: dict[str, Access] = {}
        for access in ctx.db.at(account, "")[Access].all():
            known = newest.get(access.service)
            if access.at >= ctx.now - activity.TRACKED and (known is None or known.at <= access.at):
                newest[access.service] = access
        for service, access in newest.items():
            last.setdefault(service, []).append(access)
    found = []
    for prefix in prefixes:
        tried = sorted(last.get(prefix, ()), key=lambda access: access.at)
        if not tried:
            found.append(Used(prefix))
            continue
        newest_of_all = tried[-1]
        path = "/".join(_way(ctx, newest_of_all.account))
        found.append(Used(prefix, len(tried), path, newest_of_all.at, newest_of_all.used_in))
    return tuple(found)


_SORTS: dict[str, Callable[[Used], Any]] = {
    "SERVICE_NAMESPACE": lambda used: used.namespace,
    "LAST_AUTHENTICATED_TIME": lambda used: (used.at.timestamp() if used.at is not None else 0, used.namespace),
}


@op("GetOrganizationsAccessReport")
def get_organizations_access_report(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A report by namespace, or as asked."""
    report = ctx.db[OrganizationsReport].need(req["JobId"])
    times = {"JobCreationDate": report.made, "JobCompletionDate": report.made}
    if report.error is not None:
        code, message = report.error
        return {**times, "JobStatus": "FAILED", "ErrorDetails": {"Code": code, "Message": message}}
    key, _, direction = (req.get("SortKey") or "SERVICE_NAMESPACE_ASCENDING").rpartition("_")
    used = sorted(report.used, key=_SORTS[key], reverse=direction == "DESCENDING")
    result = {
        **times,
        "JobStatus": "COMPLETED",
        "NumberOfServicesAccessible": len(used),
        "NumberOfServicesNotAccessed": sum(1 for item in used if not item.accounts),
        "AccessDetails": [_detail(item) for item in used],
    }
    return paged("AccessDetails", "GetOrganizationsAccessReport", req, result)


def _detail(used: Used) -> dict[str, Any]:
    return {
        "ServiceName": service_names.name_of(used.namespace),
        "ServiceNamespace": used.namespace,
        "Region": used.region or None,
        "EntityPath": used.path or None,
        "LastAuthenticatedTime": used.at,
        "TotalAuthenticatedEntities": used.accounts,
    }
