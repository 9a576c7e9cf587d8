"""The two policies that AWS keeps for everybody: whatever is allowed elsewhere, is not forbidden here.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_strategies.html
"""

from __future__ import annotations

import json

from cloudjar.base import arn as arns
from cloudjar.kit.record import arn_of
from cloudjar.services.organizations.records import RCP, SCP, StoredPolicy

OWNER = "aws"


def _policy(id_: str, type_: str, description: str, statement: dict[str, str]) -> StoredPolicy:
    content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = id_.removeprefix("p-")
    return StoredPolicy(
        account=OWNER, id=id_, org="", type=type_, kind=type_.lower(), name=name, description=description,
        content=content,
    )  # fmt: skip


FULL_ACCESS = {
    SCP: _policy(
        "p-FullAWSAccess",
        SCP,
        "Allows access to every operation",
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
    ),
    RCP: _policy(
        "p-RCPFullAWSAccess",
        RCP,
        "Allows access to every resource",
        {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
    ),
}
"""By type: what is attached to everything when the type is enabled."""

BY_ID = {policy.id: policy for policy in FULL_ACCESS.values()}


def policy_arn(policy: StoredPolicy) -> str:
    """A policy's ARN; AWS's own belong to no organization."""
    if policy.account == OWNER:
        return arns.make("organizations", "", OWNER, f"policy/{policy.kind}/{policy.id}")
    return arn_of(policy)
