"""What an account has decided about public access to its VPCs in a Region, and what it has excluded from that.

https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from cloudjar.kit.record import Record, record

BlockMode = Literal["off", "block-bidirectional", "block-ingress"]
ExclusionMode = Literal["allow-bidirectional", "allow-egress"]


@record("ec2", "vpc-block-public-access-options", key="name")
class BlockOptions(Record, frozen=True, kw_only=True):
    """The mode that holds, from the call that set it on; `state` says whether every VPC obeys it yet."""

    name: str = "options"
    mode: BlockMode = "off"
    state: str = "default-state"
    """default-state, update-in-progress or update-complete."""
    updated: datetime | None = None


@record(
    "ec2",
    "vpc-block-public-access-exclusion",
    index=("vpc_id", "subnet_id"),
    missing=(
        "InvalidVpcBlockPublicAccessExclusionId.NotFound",
        "The vpcBlockPublicAccessExclusion ID '{key}' does not exist",
    ),
    parent=("ec2/vpc", "vpc_id"),
)
class BlockExclusion(Record, frozen=True, kw_only=True):
    """A VPC (no `subnet_id`) or a subnet of it to which the account's mode does not apply, or in part."""

    id: str
    vpc_id: str
    subnet_id: str = ""
    mode: ExclusionMode
    created: datetime
    state: str = "create-in-progress"
    updated: datetime | None = None
    deleted: datetime | None = None
    reason: str = ""
    tags: dict[str, str] = {}

    @property
    def live(self) -> bool:
        """Whether it holds: until it is deleted."""
        return not self.state.startswith("delete-")
