"""What the access law asks about for the operations around EC2's resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.jar import ACCOUNT

Scene = Callable[[Any], dict[str, Any]]


def _offered(things: Any) -> dict[str, Any]:
    """An address that another account offers."""
    other = things.jar.client("ec2", key="222222222222")
    made = other.allocate_address(Domain="vpc")
    other.enable_address_transfer(AllocationId=made["AllocationId"], TransferAccountId=ACCOUNT)
    return {"Address": made["PublicIp"]}


def _translating(things: Any) -> dict[str, Any]:
    """The association of the second Elastic IP of a NAT gateway."""
    assert things.gateway
    first, second = (things.ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(2))
    asked = {"SubnetId": things.subnet, "AllocationId": first, "SecondaryAllocationIds": [second]}
    made = things.ec2.create_nat_gateway(**asked)["NatGateway"]["NatGatewayId"]
    things.jar.settle()
    [found] = things.ec2.describe_nat_gateways(NatGatewayIds=[made])["NatGateways"]
    return {"NatGatewayId": made, "AssociationIds": [found["NatGatewayAddresses"][1]["AssociationId"]]}


def _lent(things: Any) -> dict[str, Any]:
    """A permission for an interface."""
    eni = things.ec2.create_network_interface(SubnetId=things.subnet)["NetworkInterface"]["NetworkInterfaceId"]
    asked = {"NetworkInterfaceId": eni, "AwsAccountId": "222222222222", "Permission": "INSTANCE-ATTACH"}
    made = things.ec2.create_network_interface_permission(**asked)["InterfacePermission"]
    return {"NetworkInterfacePermissionId": made["NetworkInterfacePermissionId"]}


def _member(things: Any) -> dict[str, Any]:
    """An interface, and a domain that is none's."""
    eni = things.ec2.create_network_interface(SubnetId=things.subnet)["NetworkInterface"]["NetworkInterfaceId"]
    return {"TransitGatewayMulticastDomainId": "tgw-mcast-domain-0123456789abcdef0", "NetworkInterfaceIds": [eni]}


SCENES: dict[str, Scene] = {
    "ec2:DeregisterTransitGatewayMulticastGroupMembers": _member,
    "ec2:DeregisterTransitGatewayMulticastGroupSources": _member,
    "ec2:DisableVpcClassicLinkDnsSupport": lambda t: {"VpcId": t.vpc},
    "ec2:EnableVpcClassicLinkDnsSupport": lambda t: {"VpcId": t.vpc},
    "ec2:CancelExportTask": lambda _: {"ExportTaskId": "export-ami-0123456789abcdef0"},
    "ec2:DeleteNetworkInterfacePermission": _lent,
    "ec2:AcceptAddressTransfer": _offered,
    "ec2:DisassociateNatGatewayAddress": _translating,
}


def _used_elsewhere(jar: Any, *then: str) -> dict[str, Any]:
    """How a waiter asks about a security group that is used in a second VPC."""
    ec2 = jar.client("ec2")
    home, away = (ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for cidr in ("10.1.0.0/16", "10.2.0.0/16"))
    group = ec2.create_security_group(GroupName="away", Description="away", VpcId=home)["GroupId"]
    for operation in ("associate_security_group_vpc", *then):
        getattr(ec2, operation)(GroupId=group, VpcId=away)
        jar.settle()
    return {"Filters": [{"Name": "group-id", "Values": [group]}]}


_WRITER = "c4d8eabf8db69dbe46bfe0e517100c554f01200b104d59cd408e777ba442a322"


def _exported(jar: Any, *, cancelled: bool = False) -> dict[str, Any]:
    """How a waiter asks about the export of an instance."""
    ec2, s3 = jar.client("ec2"), jar.client("s3")
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    ran = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
    jar.settle()
    place = {"LocationConstraint": "eu-west-3"}
    s3.create_bucket(Bucket="law-exports", CreateBucketConfiguration=place, ObjectOwnership="ObjectWriter")
    grants = [{"Grantee": {"Type": "CanonicalUser", "ID": _WRITER}, "Permission": p} for p in ("WRITE", "READ_ACP")]
    owner = s3.get_bucket_acl(Bucket="law-exports")["Owner"]
    s3.put_bucket_acl(Bucket="law-exports", AccessControlPolicy={"Owner": owner, "Grants": grants})
    asked = {"TargetEnvironment": "vmware", "ExportToS3Task": {"S3Bucket": "law-exports"}}
    made = ec2.create_instance_export_task(InstanceId=ran["InstanceId"], **asked)["ExportTask"]["ExportTaskId"]
    if cancelled:
        ec2.cancel_export_task(ExportTaskId=made)
    return {"ExportTaskIds": [made]}


def _reported(jar: Any) -> dict[str, Any]:
    """How a waiter asks about a report of who uses an image."""
    ec2 = jar.client("ec2")
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    ran = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
    jar.settle()
    own = ec2.create_image(InstanceId=ran["InstanceId"], Name="reported")["ImageId"]
    jar.settle()
    kinds = [{"ResourceType": "ec2:Instance"}]
    return {"ReportIds": [ec2.create_image_usage_report(ImageId=own, ResourceTypes=kinds)["ReportId"]]}


WAITERS: dict[str, Scene] = {
    "ImageUsageReportAvailable": _reported,
    "ExportTaskCancelled": lambda jar: _exported(jar, cancelled=True),
    "ExportTaskCompleted": _exported,
    "SecurityGroupVpcAssociationAssociated": _used_elsewhere,
    "SecurityGroupVpcAssociationDisassociated": lambda jar: _used_elsewhere(jar, "disassociate_security_group_vpc"),
}


def many(jar: Any) -> dict[str, Any]:
    """Several of what is around EC2's resources, for the law about pages, and the parameters to ask about them."""
    ec2 = jar.client("ec2")
    vpcs = [ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in range(90, 98)]
    group = ec2.create_security_group(GroupName="many", Description="many", VpcId=vpcs[0])["GroupId"]
    for vpc in vpcs[1:]:
        ec2.associate_security_group_vpc(GroupId=group, VpcId=vpc)
        scope = ec2.create_network_insights_access_scope()["NetworkInsightsAccessScope"]
        asked = {"NetworkInsightsAccessScopeId": scope["NetworkInsightsAccessScopeId"]}
        looked = ec2.start_network_insights_access_scope_analysis(**asked)["NetworkInsightsAccessScopeAnalysis"]
    room = {"InstanceType": "t3.micro", "InstancePlatform": "Linux/UNIX", "AvailabilityZone": "eu-west-3a"}
    held = ec2.create_capacity_reservation(**room, InstanceCount=1)["CapacityReservation"]
    several = [_replaced(jar), _lending(ec2, vpcs[0])]
    assert all(several)
    image = ec2.describe_instances()["Reservations"][0]["Instances"][0]["ImageId"]
    return {
        "DescribeImageReferences": {"ImageIds": [image], "IncludeAllResourceTypes": True},
        "GetSpotPlacementScores": {"TargetCapacity": 1, "InstanceTypes": ["t3.micro"]},
        "CapacityReservationId": held["CapacityReservationId"],
        "NetworkInsightsAccessScopeAnalysisId": looked["NetworkInsightsAccessScopeAnalysisId"],
    }


def _replaced(jar: Any) -> int:
    """Root volumes that were replaced."""
    ec2 = jar.client("ec2")
    machines = [vm for one in ec2.describe_instances()["Reservations"] for vm in one["Instances"]]
    jar.settle()
    for vm in machines:
        ec2.create_replace_root_volume_task(InstanceId=vm["InstanceId"])
    return len(machines)


def _lending(ec2: Any, vpc: str) -> int:
    """Interfaces that other accounts may use."""
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.90.77.0/24")["Subnet"]["SubnetId"]
    for account in range(6):
        eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        ec2.create_network_interface_permission(
            NetworkInterfaceId=eni, AwsAccountId=f"{account:012}", Permission="INSTANCE-ATTACH"
        )
    return account
