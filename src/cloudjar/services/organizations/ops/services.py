"""Trusted access of AWS services, and the member accounts that administer them for the organization.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.kit import accounts
from cloudjar.kit.context import Ctx
from cloudjar.services.organizations import errors, views
from cloudjar.services.organizations.access import operation
from cloudjar.services.organizations.ops.accounts import need_member, needs_all_features
from cloudjar.services.organizations.records import Member, Organization
from cloudjar.services.organizations.tree import Org

_PRINCIPAL = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com")


def _checked(principal: str) -> str:
    if _PRINCIPAL.fullmatch(principal) is None:
        raise errors.invalid(
            "UNRECOGNIZED_SERVICE_PRINCIPAL", "You specified a service principal that isn't recognized."
        )
    return principal


@operation("EnableAWSServiceAccess")
def enable_aws_service_access(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Let a service work in all accounts."""
    principal = _checked(req["ServicePrincipal"])
    if not org.has_all_features:
        raise needs_all_features()
    if principal not in org.record.services:
        services = {**org.record.services, principal: ctx.now}
        org.db[Organization].put(replace(org.record, services=services))
    return {}


@operation("DisableAWSServiceAccess")
def disable_aws_service_access(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Take a service's access away; its delegated administrators lose their office."""
    principal = _checked(req["ServicePrincipal"])
    services = {name: since for name, since in org.record.services.items() if name != principal}
    org.db[Organization].put(replace(org.record, services=services))
    for member in org.members():
        if principal in member.delegations:
            _release(org, member, principal)
    return {}


@operation("ListAWSServiceAccessForOrganization", by="reader")
def list_aws_service_access_for_organization(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The services that have access, since when."""
    found = sorted(org.record.services.items())
    return {"EnabledServicePrincipals": [{"ServicePrincipal": name, "DateEnabled": at} for name, at in found]}


@operation("RegisterDelegatedAdministrator")
def register_delegated_administrator(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Make a member account the administrator of a service; it may then read the organization too."""
    principal, member = _checked(req["ServicePrincipal"]), need_member(org, req["AccountId"])
    if not org.has_all_features:
        raise needs_all_features()
    if member.id == org.management:
        raise errors.constraint(
            "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
            "You cannot register master account/yourself as delegated administrator for your organization.",
        )
    if accounts.described(ctx.db, member.id).state != "ACTIVE":
        raise errors.constraint(
            "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
            "You cannot register a suspended account as a delegated administrator.",
        )
    if principal in member.delegations:
        raise errors.already_registered()
    if principal not in org.record.services:
        raise errors.constraint(
            "SERVICE_ACCESS_NOT_ENABLED",
            "You attempted to register a delegated administrator before you enabled service access. "
            "Call the EnableAWSServiceAccess API first.",
        )
    org.db[Member].put(replace(member, delegations={**member.delegations, principal: ctx.now}))
    return {}


@operation("DeregisterDelegatedAdministrator")
def deregister_delegated_administrator(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Take the office away."""
    principal, member = _checked(req["ServicePrincipal"]), need_member(org, req["AccountId"])
    if principal not in member.delegations:
        raise errors.not_registered()
    _release(org, member, principal)
    return {}


def _release(org: Org, member: Member, principal: str) -> None:
    left = {name: since for name, since in member.delegations.items() if name != principal}
    org.db[Member].put(replace(member, delegations=left))


@operation("ListDelegatedAdministrators", by="reader")
def list_delegated_administrators(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The accounts that administer a service, or any."""
    principal = req.get("ServicePrincipal")
    found = []
    for member in org.members():
        if member.delegations and (principal is None or principal in member.delegations):
            since = member.delegations[principal] if principal else min(member.delegations.values())
            shown = views.show_account(org, member)
            del shown["Paths"]
            found.append({**shown, "DelegationEnabledDate": since})
    return {"DelegatedAdministrators": found}


@operation("ListDelegatedServicesForAccount", by="reader")
def list_delegated_services_for_account(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The services that an account administers."""
    member = need_member(org, req["AccountId"])
    if not member.delegations:
        raise errors.not_registered()
    found = sorted(member.delegations.items())
    return {"DelegatedServices": [{"ServicePrincipal": name, "DelegationEnabledDate": at} for name, at in found]}
