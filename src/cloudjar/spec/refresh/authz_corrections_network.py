"""What the sources have wrong about what stands in VPCs: NAT gateways have several addresses, each its own resource.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

REGIONAL = "arn:${Partition}:ec2:${Region}:${Account}:"
REQUIRED = 1


def correct(ops: Ops) -> None:
    """Change the table of EC2 in place."""
    _put(ops, "CreateNatGateway", "elastic-ip", REGIONAL + "elastic-ip/${AllocationId,SecondaryAllocationIds[]}", 0)
    _put(ops, "DisassociateNatGatewayAddress", "elastic-ip",
         ["by", "ec2:elastic-ip", "AssociationIds[]", REGIONAL + "elastic-ip/*"], REQUIRED)  # fmt: skip
    kind = "vpc-block-public-access-exclusion"
    for verb in ("Delete", "Modify"):
        _put(ops, f"{verb}VpcBlockPublicAccessExclusion", kind, f"{REGIONAL}{kind}/${{ExclusionId}}", REQUIRED)
    report = REGIONAL + "image-usage-report/${ReportId}"
    _put(ops, "DeleteImageUsageReport", "image-usage-report", report, REQUIRED)


def _put(ops: Ops, operation: str, kind: str, template: Any, flags: int) -> None:
    others = [r for r in ops[operation][0]["r"] if r[0] != kind]
    ops[operation][0]["r"] = [*others, [kind, template, flags]]
