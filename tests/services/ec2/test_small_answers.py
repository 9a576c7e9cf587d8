"""Answers of few words: scores, pools, listings, associations, trust, interrupts."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, refused


def test_scores_say_whether_there_is_a_choice(ec2: Any) -> None:
    several = ["m5.large", "m5a.large", "c5.large", "t3.micro"]
    ask = ec2.get_spot_placement_scores
    everywhere = ask(InstanceTypes=several, TargetCapacity=10)["SpotPlacementScores"]
    assert len(everywhere) == 10
    assert everywhere[0]["Score"] == 9
    [paris] = ask(InstanceTypes=several, TargetCapacity=10, RegionNames=["eu-west-3"])["SpotPlacementScores"]
    assert paris == {"Region": "eu-west-3", "Score": 9}
    zones = ask(InstanceTypes=["t3.micro"], TargetCapacity=1, RegionNames=["eu-west-3"], SingleAvailabilityZone=True)
    found = {one["AvailabilityZoneId"]: one["Score"] for one in zones["SpotPlacementScores"]}
    assert found == {"euw3-az1": 3, "euw3-az2": 3, "euw3-az3": 3}
    needs = {"VCpuCount": {"Min": 2, "Max": 4}, "MemoryMiB": {"Min": 1024}}
    by = ask(InstanceRequirementsWithMetadata={"ArchitectureTypes": ["x86_64"], "InstanceRequirements": needs},
             TargetCapacity=5, RegionNames=["eu-west-3"])  # fmt: skip
    assert by["SpotPlacementScores"][0]["Score"] == 9
    assert code(ask, TargetCapacity=5) == "InvalidParameterCombination"
    assert code(ask, InstanceTypes=["t3.micro"], TargetCapacity=5, RegionNames=["mars"]) == "InvalidParameterValue"


def test_nobody_has_brought_addresses(ec2: Any) -> None:
    assert ec2.describe_public_ipv4_pools()["PublicIpv4Pools"] == []
    assert ec2.describe_ipv6_pools()["Ipv6Pools"] == []
    named = {"PoolIds": ["ipv4pool-ec2-1234567890abcdef0"]}
    assert code(ec2.describe_public_ipv4_pools, **named) == "InvalidPublicIpv4PoolID.NotFound"
    assert code(ec2.describe_ipv6_pools, PoolIds=["ipv6pool-ec2-1234567890abcdef0"]) == "InvalidPoolID.NotFound"


def test_nobody_is_a_seller(jar: TestJar, ec2: Any) -> None:
    [offer] = ec2.describe_reserved_instances_offerings(
        InstanceType="t3.micro", OfferingClass="standard", OfferingType="No Upfront", MaxDuration=31536000,
        Filters=[{"Name": "scope", "Values": ["Region"]}],
    )["ReservedInstancesOfferings"]  # fmt: skip
    bought = ec2.purchase_reserved_instances_offering(
        ReservedInstancesOfferingId=offer["ReservedInstancesOfferingId"], InstanceCount=1
    )["ReservedInstancesId"]
    jar.settle()
    asked = {"ReservedInstancesId": bought, "InstanceCount": 1, "ClientToken": "x",
             "PriceSchedules": [{"Term": 10, "Price": 5.0}]}  # fmt: skip
    assert code(ec2.create_reserved_instances_listing, **asked) == "InvalidState"
    jar.advance(days=31)
    assert code(ec2.create_reserved_instances_listing, **{**asked, "InstanceCount": 2}) == "InvalidParameterValue"
    assert code(ec2.create_reserved_instances_listing, **asked) == "OptInRequired"
    assert ec2.describe_reserved_instances_listings()["ReservedInstancesListings"] == []
    unknown = {"ReservedInstancesListingId": "5ec28771-05ff-4b9b-aa31-9e57dexample"}
    assert code(ec2.cancel_reserved_instances_listing, **unknown) == "InvalidReservedInstancesListingId"
    assert code(ec2.describe_reserved_instances_listings, **unknown) == "InvalidReservedInstancesListingId"


def test_endpoints_lead_to_no_resources(ec2: Any) -> None:
    assert ec2.describe_vpc_endpoint_associations()["VpcEndpointAssociations"] == []
    assert code(ec2.describe_vpc_endpoint_associations, VpcEndpointIds=[f"vpce-{NOWHERE}"]) == (
        "InvalidVpcEndpointId.NotFound"
    )


def test_the_analyzer_is_trusted_by_an_organization(jar: TestJar, ec2: Any) -> None:
    assert code(ec2.enable_reachability_analyzer_organization_sharing) == "OperationNotPermitted"
    organizations = jar.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    assert ec2.enable_reachability_analyzer_organization_sharing()["ReturnValue"] is True
    trusted = organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert [one["ServicePrincipal"] for one in trusted] == ["reachabilityanalyzer.networkinsights.amazonaws.com"]


def test_only_a_kernel_of_ones_own_is_interrupted(jar: TestJar, ec2: Any) -> None:
    plain = launch(ec2)
    own = launch(ec2, TagSpecifications=[
        {"ResourceType": "instance", "Tags": [{"Key": "cloudjar:driver", "Value": "vm"}]}])  # fmt: skip
    jar.settle()
    assert refused(ec2.send_diagnostic_interrupt, InstanceId=plain)[0] == "UnsupportedOperation"
    ec2.send_diagnostic_interrupt(InstanceId=own)
    jar.settle()
    assert b"NMI received" in jar.host.console(own)
    assert b"NMI received" not in jar.host.console(plain)
    ec2.stop_instances(InstanceIds=[own])
    jar.settle()
    assert code(ec2.send_diagnostic_interrupt, InstanceId=own) == "IncorrectInstanceState"


def test_what_instances_of_old_could_have(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    storage = {"S3": {"Bucket": "b", "Prefix": "p"}}
    assert code(ec2.bundle_instance, InstanceId=vm, Storage=storage) == "InvalidInstanceType"
    assert code(ec2.bundle_instance, InstanceId=f"i-{NOWHERE}", Storage=storage) == "InvalidInstanceID.NotFound"
    assert ec2.describe_bundle_tasks(Filters=[{"Name": "state", "Values": ["pending"]}])["BundleTasks"] == []
    assert code(ec2.describe_bundle_tasks, BundleIds=["bun-1"]) == "InvalidBundleID.NotFound"
    assert code(ec2.cancel_bundle_task, BundleId="bun-1") == "InvalidBundleID.NotFound"
    assert ec2.describe_conversion_tasks()["ConversionTasks"] == []
    assert code(ec2.describe_conversion_tasks, ConversionTaskIds=["import-i-x"]) == "InvalidConversionTaskId"
    assert code(ec2.cancel_conversion_task, ConversionTaskId="import-i-x") == "InvalidConversionTaskId"
    assert ec2.confirm_product_instance(InstanceId=vm, ProductCode="774F4FF8")["Return"] is False
    assert ec2.describe_elastic_gpus()["ElasticGpuSet"] == []
    assert code(ec2.describe_elastic_gpus, ElasticGpuIds=["egpu-1"]) == "InvalidElasticGpuID.NotFound"
    assert ec2.list_volumes_in_recycle_bin()["Volumes"] == []
    assert code(ec2.restore_volume_from_recycle_bin, VolumeId=f"vol-{NOWHERE}") == "InvalidVolume.NotFound"


def test_fast_launch_is_for_windows(jar: TestJar, ec2: Any) -> None:
    image = ec2.describe_images(Owners=["136693071363"])["Images"][0]["ImageId"]
    assert ec2.describe_fast_launch_images()["FastLaunchImages"] == []
    assert ec2.describe_fast_launch_images(ImageIds=[image])["FastLaunchImages"] == []
    assert code(ec2.enable_fast_launch, ImageId=image) == "InvalidParameterValue"
    assert code(ec2.enable_fast_launch, ImageId=f"ami-{NOWHERE}") == "InvalidAMIID.NotFound"
    assert code(ec2.disable_fast_launch, ImageId=image) == "InvalidRequest"


def test_there_is_no_classic_and_nobody_has_brought_blocks(jar: TestJar, ec2: Any) -> None:
    [vpc] = ec2.describe_vpcs()["Vpcs"]
    words = ("UnsupportedOperation", "The functionality you requested is not available in this region.")
    assert refused(ec2.describe_classic_link_instances) == words
    for call in (
        ec2.enable_vpc_classic_link, ec2.disable_vpc_classic_link, ec2.enable_vpc_classic_link_dns_support,
        ec2.disable_vpc_classic_link_dns_support,
    ):  # fmt: skip
        assert refused(call, VpcId=vpc["VpcId"]) == words
    vm = launch(ec2)
    assert refused(ec2.attach_classic_link_vpc, InstanceId=vm, VpcId=vpc["VpcId"], Groups=[f"sg-{NOWHERE}"]) == words
    assert refused(ec2.detach_classic_link_vpc, InstanceId=vm, VpcId=vpc["VpcId"]) == words
    assert ec2.describe_byoip_cidrs(MaxResults=5)["ByoipCidrs"] == []
    assert code(ec2.get_associated_ipv6_pool_cidrs, PoolId="ipv6pool-ec2-012345abc12345abc") == "InvalidPoolID.NotFound"


def test_policy_tables_of_transit_gateways(jar: TestJar, ec2: Any) -> None:
    hub = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    jar.settle()
    made = ec2.create_transit_gateway_policy_table(TransitGatewayId=hub)["TransitGatewayPolicyTable"]
    key = made["TransitGatewayPolicyTableId"]
    assert (made["State"], made["TransitGatewayId"], key[:8]) == ("pending", hub, "tgw-ptb-")
    jar.settle()
    ec2.create_tags(Resources=[key], Tags=[{"Key": "a", "Value": "b"}])
    [shown] = ec2.describe_transit_gateway_policy_tables(Filters=[{"Name": "tag:a", "Values": ["b"]}])[
        "TransitGatewayPolicyTables"]
    assert (shown["State"], shown["TransitGatewayPolicyTableId"]) == ("available", key)
    named = {"TransitGatewayPolicyTableId": key}
    assert ec2.get_transit_gateway_policy_table_entries(**named)["TransitGatewayPolicyTableEntries"] == []
    assert ec2.get_transit_gateway_policy_table_associations(**named)["Associations"] == []
    assert code(ec2.delete_transit_gateway, TransitGatewayId=hub) == "IncorrectState"
    gone = ec2.delete_transit_gateway_policy_table(**named)["TransitGatewayPolicyTable"]
    assert gone["State"] == "deleting"
    jar.settle()
    assert code(ec2.delete_transit_gateway_policy_table, **named) == "InvalidTransitGatewayPolicyTableId.NotFound"
    ec2.delete_transit_gateway(TransitGatewayId=hub)
    jar.advance(hours=2)
    assert ec2.describe_transit_gateway_policy_tables()["TransitGatewayPolicyTables"] == []
