"""The target capacity of Spot Fleets can be scaled.

https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-ec2.html
"""

from __future__ import annotations

import re
from typing import Any

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.scalable import Dimension, offers

_PREFIX = "spot-fleet-request/"


def _id(resource: str) -> str:
    return resource.removeprefix(_PREFIX)


def read(ctx: Ctx, caller: Caller, resource: str) -> int | None:
    """What a fleet is to have; None when there is none that lives."""
    try:
        asked = {"SpotFleetRequestIds": [_id(resource)]}
        found = ctx.call("ec2", "DescribeSpotFleetRequests", asked, caller=caller)["SpotFleetRequestConfigs"]
    except AwsError as error:
        if error.status == 501:
            raise
        return None
    if not found or found[0]["SpotFleetRequestState"].startswith("cancelled"):
        return None
    return int(found[0]["SpotFleetRequestConfig"]["TargetCapacity"])


def write(ctx: Ctx, caller: Caller, resource: str, capacity: int) -> None:
    """Have a fleet get there."""
    asked = {"SpotFleetRequestId": _id(resource), "TargetCapacity": capacity}
    ctx.call("ec2", "ModifySpotFleetRequest", asked, caller=caller)


def _of_fleet(name: str) -> Any:
    def metric(resource: str, label: str) -> dict[str, Any]:
        dimensions = [{"Name": "FleetRequestId", "Value": _id(resource)}]
        return {"Namespace": "AWS/EC2Spot", "MetricName": name, "Statistic": "Average", "Dimensions": dimensions,
                "Period": 60}  # fmt: skip

    return metric


TARGET_CAPACITY = offers(
    Dimension(
        name="ec2:spot-fleet-request:TargetCapacity",
        resource=re.compile(r"spot-fleet-request/sfr-[0-9a-f-]{36}"),
        noun="target capacity",
        principal="ec2.application-autoscaling.amazonaws.com",
        role="AWSServiceRoleForApplicationAutoScaling_EC2SpotFleetRequest",
        quota="L-297D9EC9",
        read=read,
        write=write,
        metrics={
            "EC2SpotFleetRequestAverageCPUUtilization": _of_fleet("CPUUtilization"),
            "EC2SpotFleetRequestAverageNetworkIn": _of_fleet("NetworkIn"),
            "EC2SpotFleetRequestAverageNetworkOut": _of_fleet("NetworkOut"),
        },
    )
)
