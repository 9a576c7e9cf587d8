"""What an organization puts around a decision: SCPs around the caller, RCPs around the resource.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.auth.organization import Organization
from cloudjar.base.caller import Caller
from cloudjar.policy.evaluate import PolicySet

# The services, by the prefix of their actions, whose resources RCPs bear on.
SERVICES_WITH_RCPS = frozenset(
    ("aoss", "cognito-identity", "cognito-idp", "dynamodb", "ecr", "kms", "logs", "s3", "secretsmanager", "sqs", "sts")
)
# Whoever may retire a grant may do so whatever an RCP says.
_BEYOND_RCPS = frozenset(("kms:RetireGrant",))
_SERVICE_LINKED = ":role/aws-service-role/"


def is_service_linked(caller: Caller) -> bool:
    """Whether the caller is a session of a service-linked role, which no organization policy bears on."""
    return caller.kind == "role" and _SERVICE_LINKED in caller.role_arn


def around_caller(policies: PolicySet, organization: Organization, caller: Caller) -> PolicySet:
    """A caller's policies with the SCPs of its account: every principal's, root's too; not the management account's."""
    standing = organization.standing(caller.account)
    if standing is None or standing.scps is None:
        return policies
    exempt = standing.management_account == caller.account or is_service_linked(caller)
    return replace(policies, scps=standing.scps, exempt_from_scps=exempt)


def around_resource(
    policies: PolicySet, organization: Organization, caller: Caller, owner: str, action: str
) -> PolicySet:
    """Policies with the RCPs of the account that owns the resource, whoever calls."""
    if action.partition(":")[0] not in SERVICES_WITH_RCPS or action in _BEYOND_RCPS:
        return policies
    standing = organization.standing(owner)
    if standing is None or standing.rcps is None:
        return policies
    exempt = standing.management_account == owner or is_service_linked(caller)
    return replace(policies, rcps=standing.rcps, exempt_from_rcps=exempt)
