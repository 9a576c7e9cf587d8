"""Condition keys of EC2 Instance Connect Endpoints.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.operation import resource_keys
from cloudjar.services.ec2.access import beside
from cloudjar.services.ec2.instance_connect_endpoints.records import ConnectEndpoint


@resource_keys("ec2", "instance-connect-endpoint")
def _endpoint(item: ConnectEndpoint) -> dict[str, Any]:
    return {
        "ec2:Region": item.region,
        "ec2:SubnetID": item.subnet_id,
        "ec2:Vpc": beside(item, "vpc", item.vpc_id),
    }
