"""Trails of a whole organization: its management account's, when CloudTrail is trusted there.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import by_noun
from cloudjar.services.cloudtrail.trails import finding
from cloudjar.services.cloudtrail.trails.destinations import PRINCIPAL


def wanted(ctx: Ctx) -> str:
    """The id of the organization whose trail the caller may make. Raises OrganizationsNotInUseException,
    NotOrganizationMasterAccountException, OrganizationNotInAllFeaturesModeException or
    CloudTrailAccessNotEnabledException."""
    org = finding.organization_of(ctx, ctx.account)
    declared = by_noun("organizations", "organization")
    if not org or declared is None:
        raise AwsError(
            "OrganizationsNotInUseException", "Your account is not a member of an organization.", 404
        )
    held = ctx.db.find(declared.type, org)
    if held is None or held.account != ctx.account:
        raise AwsError(
            "NotOrganizationMasterAccountException",
            "You must be the management account of an organization to make an organization trail.",
            400,
        )
    if held.features != "ALL":
        raise AwsError(
            "OrganizationNotInAllFeaturesModeException", "The organization must have all features enabled.", 400
        )
    if PRINCIPAL not in held.services:
        raise AwsError(
            "CloudTrailAccessNotEnabledException",
            "CloudTrail must be enabled as a trusted service of the organization.",
            400,
        )
    return org
