"""Which types meet requirements.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetInstanceTypesFromInstanceRequirements.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.fleets import requirements


@op("GetInstanceTypesFromInstanceRequirements")
def get_instance_types_from_instance_requirements(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The types of this Region that meet the requirements; prices are not among them here, as on AWS."""
    errors.refuse(req, "Context")
    names = requirements.matching(
        ctx.region, req["ArchitectureTypes"], req["VirtualizationTypes"], req["InstanceRequirements"]
    )
    return {"InstanceTypes": [{"InstanceType": name} for name in names]}
