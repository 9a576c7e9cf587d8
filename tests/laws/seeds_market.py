"""Several of everything that EC2's market lists, for the law of pages."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import TestJar

MANY = 7


def market(jar: TestJar) -> dict[str, Any]:
    """Make them as root of the default account; how to ask for those that need to be named."""
    ec2 = jar.client("ec2")
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    quotas = jar.client("service-quotas")
    quotas.request_service_quota_increase(ServiceCode="ec2", QuotaCode="L-34B43A08", DesiredValue=64)
    jar.advance(minutes=10)
    spec = {"ImageId": image, "InstanceType": "t3.micro"}
    ec2.request_spot_instances(LaunchSpecification=spec, SpotPrice="0.0001", InstanceCount=MANY)
    for _ in range(MANY):
        ec2.allocate_hosts(InstanceType="t3.micro", AvailabilityZone="eu-west-3a", Quantity=1)
        room = {"InstanceType": "t3.small", "InstancePlatform": "Linux/UNIX", "AvailabilityZone": "eu-west-3b"}
        ec2.create_capacity_reservation_fleet(TotalTargetCapacity=1, InstanceTypeSpecifications=[room])
        ec2.create_capacity_reservation(
            InstanceType="t3.nano", InstancePlatform="Linux/UNIX", AvailabilityZone="eu-west-3a", InstanceCount=1
        )
    ec2.create_launch_template(LaunchTemplateName="fleet", LaunchTemplateData=spec)
    named = {"LaunchTemplateName": "fleet", "Version": "1"}
    fleet = ""
    for _ in range(MANY):
        fleet = ec2.create_fleet(
            LaunchTemplateConfigs=[{"LaunchTemplateSpecification": named}],
            TargetCapacitySpecification={"TotalTargetCapacity": 1},
        )["FleetId"]
    trust = {"Effect": "Allow", "Principal": {"Service": "spotfleet.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = jar.client("iam").create_role(
        RoleName="spot-fleet",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    older = ""
    for _ in range(MANY):
        config = {"IamFleetRole": role, "TargetCapacity": 1, "LaunchSpecifications": [spec]}
        older = ec2.request_spot_fleet(SpotFleetRequestConfig=config)["SpotFleetRequestId"]
    one = ec2.describe_reserved_instances_offerings(InstanceType="t3.micro")["ReservedInstancesOfferings"][0]
    bought = [
        ec2.purchase_reserved_instances_offering(
            ReservedInstancesOfferingId=one["ReservedInstancesOfferingId"], InstanceCount=1
        )["ReservedInstancesId"]
        for _ in range(MANY)
    ]
    jar.settle()
    for key in bought:
        target = [{"InstanceCount": 1, "InstanceType": "t3.micro"}]
        ec2.modify_reserved_instances(ReservedInstancesIds=[key], TargetConfigurations=target)
    return {
        "SpotFleetRequestId": older,
        "DescribeReservedInstancesOfferings": {"InstanceType": "t3.micro"},
        "FleetId": fleet,
        "ArchitectureTypes": ["x86_64"],
        "VirtualizationTypes": ["hvm"],
        "InstanceRequirements": {"VCpuCount": {"Min": 2, "Max": 2}, "MemoryMiB": {"Min": 8192, "Max": 8192}},
        "DescribeSpotPriceHistory": {"InstanceTypes": ["t3.micro", "m5.large"]},
    }
