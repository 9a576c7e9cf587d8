"""The access advisor: which services a user, group, role or policy opens, and when they were last used.

A report is made when it is asked for and complete when the call returns.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.kit import pages
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.policy.document import Document, parse
from cloudjar.services.iam import activity, errors, managed, names, reach, sources
from cloudjar.services.iam.activity import Access
from cloudjar.services.iam.records import Group, Principal, Role, User
from cloudjar.spec import service_names
from cloudjar.spec.models import Paginator

_KEPT = timedelta(days=1)
"""How long a report can be asked for."""


class Seen(msgspec.Struct, frozen=True):
    """The last attempt of an entity at a service or an action."""

    entity: str
    at: datetime
    region: str


class Advice(msgspec.Struct, frozen=True):
    """A service that is open, who tried it last and, when asked for, which actions."""

    namespace: str
    seen: tuple[Seen, ...]
    """One for each entity that ever tried, the last attempt first."""
    actions: tuple[tuple[str, Seen], ...] = ()


@record(
    "iam-use",
    "report",
    missing=("NoSuchEntity", "Job with id {key} cannot be found.", 404),
    regional=False,
)
class Report(Record, frozen=True, kw_only=True):
    """A report of the access advisor; `asked_by` is the unique id of the only one who may read it."""

    id: str
    asked_by: str
    granularity: str
    made: datetime
    entities: tuple[str, ...]
    """ARNs of the users and roles that the report is about."""
    advice: tuple[Advice, ...]


@op("GenerateServiceLastAccessedDetails", writes=False)
def generate_service_last_accessed_details(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A report about the policies of a user, group or role, or about one policy."""
    documents, entities = _about(ctx, req["Arn"])
    activity.follow(ctx)
    granularity = req.get("Granularity") or "SERVICE_LEVEL"
    found = {arn_of(entity): activity.of(ctx, entity.account, entity.id) for entity in entities}
    report = Report(
        id=ids.uuid4(),
        asked_by=_asker(ctx),
        granularity=granularity,
        made=ctx.now.replace(microsecond=0),
        entities=tuple(found),
        advice=tuple(_advise(found, prefix, granularity == "ACTION_LEVEL") for prefix in reach.services(documents)),
    )
    table = ctx.db[Report]
    with ctx.world.state.database.transaction():
        for old in table.all():
            if old.made + _KEPT < ctx.now:
                table.drop(old)
        table.add(report)
    return {"JobId": report.id}


def _about(ctx: Ctx, arn: str) -> tuple[list[Document], list[User | Role]]:
    """The policies that an ARN stands for, and the users and roles that can use them."""
    parsed = arns.parse(arn)
    if parsed is not None and parsed.service == "iam" and parsed.type == "policy":
        policy = managed.need(ctx, arn)
        groups, users, roles = managed.used_by(ctx, arn, as_boundary=False)
        members = [user for group in groups for user in names.members(ctx, group)]
        having = {user.id: user for user in (*users, *members)}
        return [parse(policy.document)], [*having.values(), *roles]
    owner = sources.need_principal(ctx, arn)
    return [source.document for source in sources.of(ctx, owner)], _entities(ctx, owner)


def _entities(ctx: Ctx, owner: Principal) -> list[User | Role]:
    if isinstance(owner, Group):
        return list(names.members(ctx, owner))
    return [owner] if isinstance(owner, User | Role) else []


def _advise(found: dict[str, list[Access]], prefix: str, with_actions: bool) -> Advice:
    seen: list[Seen] = []
    actions: dict[str, Seen] = {}
    for entity, accesses in found.items():
        here = sorted((a for a in accesses if a.service == prefix), key=lambda a: a.at)
        seen += [Seen(entity, a.at, a.used_in) for a in here[-1:]]
        for access in here:
            known = actions.get(access.action)
            if known is None or known.at <= access.at:
                actions[access.action] = Seen(entity, access.at, access.used_in)
    seen.sort(key=lambda s: s.at, reverse=True)
    return Advice(prefix, tuple(seen), tuple(sorted(actions.items())) if with_actions else ())


def _asker(ctx: Ctx) -> str:
    return ctx.caller.unique_id.partition(":")[0]


def _need(ctx: Ctx, job: str) -> Report:
    """The report of a job; it is nobody's but his who asked for it."""
    report = ctx.db[Report].need(job)
    if report.asked_by != _asker(ctx):
        raise ctx.db[Report].meta.not_found(job)
    return report


def paged(key: str, operation: str, req: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """One page of a list for which the model declares no paginator."""
    traits = Paginator(("Marker",), ("Marker",), "MaxItems", (key,), "IsTruncated")
    return pages.cut(traits, "iam", operation, req, result)


@op("GetServiceLastAccessedDetails")
def get_service_last_accessed_details(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The services of a report by namespace, with the last attempt at each."""
    report = _need(ctx, req["JobId"])
    result = {
        "JobStatus": "COMPLETED",
        "JobType": report.granularity,
        "JobCreationDate": report.made,
        "JobCompletionDate": report.made,
        "ServicesLastAccessed": [_service(advice) for advice in report.advice],
    }
    return paged("ServicesLastAccessed", "GetServiceLastAccessedDetails", req, result)


def _service(advice: Advice) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ServiceName": service_names.name_of(advice.namespace),
        "ServiceNamespace": advice.namespace,
        "TotalAuthenticatedEntities": len(advice.seen),
    }
    if advice.seen:
        last = advice.seen[0]
        shown.update(
            LastAuthenticated=last.at, LastAuthenticatedEntity=last.entity, LastAuthenticatedRegion=last.region
        )
    if advice.actions:
        shown["TrackedActionsLastAccessed"] = [
            {
                "ActionName": name,
                "LastAccessedEntity": seen.entity,
                "LastAccessedTime": seen.at,
                "LastAccessedRegion": seen.region,
            }
            for name, seen in advice.actions
        ]
    return shown


@op("GetServiceLastAccessedDetailsWithEntities")
def get_service_last_accessed_details_with_entities(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The users and roles of a report that could have used a service, those who tried last first."""
    report, namespace = _need(ctx, req["JobId"]), req["ServiceNamespace"]
    advice = next((a for a in report.advice if a.namespace == namespace), None)
    if advice is None:
        raise errors.no_such_entity(f"The service namespace {namespace} is not in the report.")
    tried = {seen.entity: seen.at for seen in advice.seen}
    others = [arn for arn in report.entities if arn not in tried]
    found = ((arn, sources.find_principal(ctx, arn)) for arn in (*tried, *others))
    result = {
        "JobStatus": "COMPLETED",
        "JobCreationDate": report.made,
        "JobCompletionDate": report.made,
        "EntityDetailsList": [
            {"EntityInfo": _entity(entity), "LastAuthenticated": tried.get(arn)}
            for arn, entity in found
            if entity is not None
        ],
    }
    return paged("EntityDetailsList", "GetServiceLastAccessedDetailsWithEntities", req, result)


def _entity(entity: Principal) -> dict[str, Any]:
    return {
        "Arn": arn_of(entity),
        "Name": entity.name,
        "Type": sources.kind_of(entity).upper(),
        "Id": entity.id,
        "Path": entity.path,
    }


@op("ListPoliciesGrantingServiceAccess")
def list_policies_granting_service_access(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """For each service, the policies of a user (and his groups), group or role that open it."""
    found = list(sources.of(ctx, sources.need_principal(ctx, req["Arn"])))
    unknown = [n for n in req["ServiceNamespaces"] if n not in service_names.prefixes()]
    if unknown:
        raise errors.invalid_input(f"Invalid service namespace: {unknown[0]}")
    result = {
        "PoliciesGrantingServiceAccess": [
            {
                "ServiceNamespace": namespace,
                "Policies": [_granting(source) for source in found if reach.opens(source.document, namespace)],
            }
            for namespace in req["ServiceNamespaces"]
        ]
    }
    return paged("PoliciesGrantingServiceAccess", "ListPoliciesGrantingServiceAccess", req, result)


def _granting(source: sources.Source) -> dict[str, Any]:
    if source.arn:
        return {"PolicyName": source.name, "PolicyType": "MANAGED", "PolicyArn": source.arn}
    return {
        "PolicyName": source.name,
        "PolicyType": "INLINE",
        "EntityType": source.kind.upper(),
        "EntityName": source.holder.name,
    }
