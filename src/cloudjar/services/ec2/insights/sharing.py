"""Reachability Analyzer's trust in an organization.

https://docs.aws.amazon.com/vpc/latest/reachability/multi-account.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op

PRINCIPAL = "reachabilityanalyzer.networkinsights.amazonaws.com"


@op("EnableReachabilityAnalyzerOrganizationSharing")
def enable_reachability_analyzer_organization_sharing(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let the analyzer work in the organization's accounts: only its management account can, with its caller's rights
    in Organizations."""
    try:
        ctx.call("organizations", "EnableAWSServiceAccess", {"ServicePrincipal": PRINCIPAL}, via="ec2.amazonaws.com")
    except AwsError as refused:
        if refused.is_server_fault:
            raise
        raise AwsError("OperationNotPermitted", refused.message) from refused
    return {"ReturnValue": True}
