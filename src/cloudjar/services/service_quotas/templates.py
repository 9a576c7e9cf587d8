"""The quota request template of an organization: what is asked for, in its name, for each account that it makes.

https://docs.aws.amazon.com/servicequotas/latest/userguide/organization-templates.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import State, watches
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, by_noun
from cloudjar.services.service_quotas import errors
from cloudjar.services.service_quotas.life import LIFE
from cloudjar.services.service_quotas.lookup import HOME
from cloudjar.services.service_quotas.records import IncreaseRequest, Template, Wanted
from cloudjar.services.service_quotas.requests import opened
from cloudjar.spec import quotas
from cloudjar.spec.quotas import Quota

PRINCIPAL = "servicequotas.amazonaws.com"
MOST = 10


def _asked(ctx: Ctx, operation: str) -> dict[str, Any]:
    """An answer of Organizations, asked in the caller's name."""
    try:
        return ctx.call("organizations", operation, {}, via=PRINCIPAL)
    except AwsError as error:
        if error.code == "AWSOrganizationsNotInUseException":
            raise errors.no_organization() from None
        if error.code == "AccessDeniedException":
            raise errors.dependency_denied(error.message) from None
        raise


def _organization(ctx: Ctx) -> dict[str, Any]:
    """The organization that the caller's account manages, and in which Service Quotas is trusted."""
    if ctx.region != HOME:
        raise errors.templates_elsewhere()
    found: dict[str, Any] = _asked(ctx, "DescribeOrganization")["Organization"]
    if found["MasterAccountId"] != ctx.account:
        raise errors.not_management()
    if found["FeatureSet"] != "ALL":
        raise errors.not_all_features()
    trusted = _asked(ctx, "ListAWSServiceAccessForOrganization")["EnabledServicePrincipals"]
    if PRINCIPAL not in {one["ServicePrincipal"] for one in trusted}:
        raise errors.no_trusted_access()
    return found


def _template(ctx: Ctx) -> Template:
    key = _organization(ctx)["Id"]
    return ctx.db[Template].get(key) or ctx.db[Template].add(Template(organization=key))


@op("AssociateServiceQuotaTemplate")
def associate_service_quota_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """From now on every account that the organization makes gets what the template asks for."""
    template = _template(ctx)
    if template.since is None:
        already = tuple(member.id for member in _members(ctx.world, template))
        ctx.db[Template].put(replace(template, since=ctx.now, applied=already))
    return {}


@op("DisassociateServiceQuotaTemplate")
def disassociate_service_quota_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """New accounts get nothing more by the template; its lines stay."""
    template = _template(ctx)
    if template.since is None:
        raise errors.template_not_in_use()
    ctx.db[Template].put(replace(template, since=None))
    return {}


@op("GetAssociationForServiceQuotaTemplate")
def get_association_for_service_quota_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether new accounts get what the template asks for."""
    held = ctx.db[Template].get(_organization(ctx)["Id"])
    status = "ASSOCIATED" if held is not None and held.since is not None else "DISASSOCIATED"
    return {"ServiceQuotaTemplateAssociationStatus": status}


def _quota(req: dict[str, Any]) -> Quota:
    try:
        return quotas.quota(req["ServiceCode"], req["QuotaCode"])
    except quotas.UnknownQuota:
        known = req["ServiceCode"] in quotas.services()
        raise (errors.no_quota() if known else errors.no_service()) from None


@op("PutServiceQuotaIncreaseRequestIntoTemplate")
def put_service_quota_increase_request_into_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add a line, or change the value of one."""
    _template(ctx)
    quota = _quota(req)
    if not quota.adjustable:
        raise errors.not_adjustable()
    if req["DesiredValue"] <= (quota.default or 0):
        raise errors.not_greater()
    wanted = Wanted(
        place=_place(req),
        service=quota.service,
        quota=quota.code,
        place_region=req["AwsRegion"],
        desired=float(req["DesiredValue"]),
    )
    held = ctx.db[Wanted].get(wanted.place)
    if held is not None:
        ctx.db[Wanted].put(replace(held, desired=wanted.desired))
    elif ctx.db[Wanted].count() >= MOST:
        raise errors.template_full()
    else:
        ctx.db[Wanted].add(wanted)
    return {"ServiceQuotaIncreaseRequestInTemplate": _shown(wanted)}


def _place(req: dict[str, Any]) -> str:
    return f"{req['ServiceCode']}/{req['QuotaCode']}/{req['AwsRegion']}"


def _line(ctx: Ctx, req: dict[str, Any]) -> Wanted:
    _organization(ctx)
    _quota(req)
    held = ctx.db[Wanted].get(_place(req))
    if held is None:
        raise errors.not_in_template()
    return held


@op("GetServiceQuotaIncreaseRequestFromTemplate")
def get_service_quota_increase_request_from_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One line."""
    return {"ServiceQuotaIncreaseRequestInTemplate": _shown(_line(ctx, req))}


@op("DeleteServiceQuotaIncreaseRequestFromTemplate")
def delete_service_quota_increase_request_from_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a line; what was asked for by it stays so."""
    ctx.db[Wanted].drop(_line(ctx, req))
    return {}


@op("ListServiceQuotaIncreaseRequestsInTemplate")
def list_service_quota_increase_requests_in_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The lines, of one service or region when they are named."""
    _organization(ctx)
    found = [
        _shown(one)
        for one in ctx.db[Wanted].all()
        if req.get("ServiceCode") in (None, one.service) and req.get("AwsRegion") in (None, one.place_region)
    ]
    return {"ServiceQuotaIncreaseRequestInTemplateList": found}


def _shown(wanted: Wanted) -> dict[str, Any]:
    quota = quotas.quota(wanted.service, wanted.quota)
    return {
        "ServiceCode": wanted.service,
        "ServiceName": quotas.services()[wanted.service],
        "QuotaCode": wanted.quota,
        "QuotaName": quota.name,
        "DesiredValue": wanted.desired,
        "AwsRegion": wanted.place_region,
        "Unit": quota.unit,
        "GlobalQuota": quota.is_global,
    }


@watches("organizations/account")
def joined(state: State, member: Record) -> None:
    """An account is made, moved or gone: the template, which lies where its record does, is looked at."""
    org: str = member.org  # type: ignore[attr-defined]  # Organizations' members say whose they are
    state.wakes.wake("service-quotas/template", member.account, "", org)


@reconciler(Template)
def apply(step: Step, template: Template | None) -> None:
    """Ask for what the template says, once for each account that the organization has made since it was associated."""
    if template is None:
        return
    with step.world.state.database.transaction():
        now = step.db[Template].need(template.organization)
        if now.since is None:
            return
        for member in _members(step.world, now):
            if member.method == "CREATED" and member.id not in now.applied:
                _ask(step.ctx, member.id)
                now = step.db[Template].put(replace(now, applied=(*now.applied, member.id)))


def _members(world: World, template: Template) -> list[Any]:
    """Organizations' records of the accounts in the template's organization."""
    world.load("organizations")
    declared = by_noun("organizations", "account")
    if declared is None:
        return []
    here = Ctx(world, template.account, "", callers.service("cloudjar.internal", template.account)).db
    return [member for member in here[declared.type].all() if member.org == template.organization]


def _ask(ctx: Ctx, account: str) -> None:
    for wanted in ctx.db[Wanted].all():
        there = ctx.at(account, HOME if quotas.quota(wanted.service, wanted.quota).is_global else wanted.place_region)
        waiting = there.db[IncreaseRequest].count(service=wanted.service, quota=wanted.quota, state=LIFE.start)
        if wanted.desired > (there.limit(wanted.service, wanted.quota) or 0) and not waiting:
            opened(there, quotas.quota(wanted.service, wanted.quota), wanted.desired)
