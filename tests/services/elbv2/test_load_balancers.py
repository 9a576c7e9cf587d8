"""Load balancers, their nodes and what they cost."""

from __future__ import annotations

from datetime import timedelta

from cloudjar.kit import quantities
from tests.jar import TestJar
from tests.services.elbv2.site import Site, refused


def test_a_load_balancer_has_a_node_in_each_zone_behind_an_interface_of_its_own(jar: TestJar) -> None:
    site = Site(jar)
    made = site.balancer()
    assert made["State"]["Code"] == "provisioning"
    assert made["DNSName"].startswith("web-")
    assert made["DNSName"].endswith(".eu-west-3.elb.amazonaws.com")
    assert made["CanonicalHostedZoneId"] == "Z3Q77PNBQS71R4"
    assert [z["SubnetId"] for z in made["AvailabilityZones"]] == site.subnets[:2]
    jar.settle()
    site.elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[made["LoadBalancerArn"]])
    assert len(site.nodes()) == 2
    filters = [{"Name": "requester-id", "Values": ["amazon-elb"]}]
    enis = site.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert {eni["SubnetId"] for eni in enis} == set(site.subnets[:2])
    for eni in enis:
        assert eni["Description"] == made["LoadBalancerArn"].replace(
            made["LoadBalancerArn"].partition("app/")[0], "ELB "
        )
        assert eni["Attachment"]["InstanceOwnerId"] == "amazon-elb"
        assert "InstanceId" not in eni["Attachment"]
        assert eni["Association"]["PublicIp"]
    assert set(jar.network.guests()) == set(site.nodes())


def test_deleted_it_leaves_nothing_and_stops_costing(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]
    site.listener(arn, site.group())
    jar.settle()
    jar.advance(hours=2)
    site.elb.delete_load_balancer(LoadBalancerArn=arn)
    jar.settle()
    jar.advance(hours=5)
    with refused("LoadBalancerNotFound", "One or more load balancers not found"):
        site.elb.describe_load_balancers(LoadBalancerArns=[arn])
    assert site.nodes() == []
    assert site.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert jar.usage("LoadBalancerUsage") == timedelta(hours=2)
    site.elb.delete_load_balancer(LoadBalancerArn=arn)  # once more is nothing


def test_what_its_nodes_carry_is_counted_once(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]
    jar.settle()
    for node in site.nodes():
        jar.proxy.carry(node, 3 << 30)

    def counted() -> int:
        now = jar.clock.now()
        rows = jar.jar.quantities.rows(now - timedelta(days=40), now + timedelta(hours=1))
        assert {(r.owner.resource, r.tally.usage_type, r.tally.operation) for r in rows} <= {
            (arn, "LCUUsage", "LoadBalancing:Application")}  # fmt: skip
        return sum(int(r.units) for r in rows)

    assert counted() == 0
    jar.advance(hours=6)
    assert counted() == 6
    quantities.collect(jar.jar.world)
    assert counted() == 6
    jar.proxy.carry(site.nodes()[0], 1 << 30)
    site.elb.delete_load_balancer(LoadBalancerArn=arn)
    jar.settle()
    assert counted() == 7


def test_what_create_refuses(jar: TestJar) -> None:
    site = Site(jar)
    with refused("ValidationError", "At least two subnets in two different Availability Zones must be specified"):
        site.balancer(Subnets=site.subnets[:1])
    with refused("SubnetNotFound", "The subnet ID 'subnet-0123456789abcdef0' does not exist"):
        site.balancer(Subnets=["subnet-0123456789abcdef0", site.subnets[0]])
    with refused("ValidationError", "cannot be longer than '32' characters"):
        site.balancer("x" * 33)
    with refused("ValidationError"):
        site.balancer("-x")
    with refused("InvalidSecurityGroup"):
        site.balancer(SecurityGroups=["sg-0123456789abcdef0"])
    with refused("UnsupportedOperation", "type gateway"):
        site.balancer(Type="gateway")
    with refused("UnsupportedOperation", "dualstack"):
        site.balancer(IpAddressType="dualstack")
    with refused("ValidationError", "network load balancers only"):
        mappings = [{"SubnetId": s, "AllocationId": "eipalloc-1"} for s in site.subnets[:2]]
        site.balancer(Subnets=[], SubnetMappings=mappings)
    gateway = site.ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"]
    site.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=site.vpc)
    with refused("InvalidSubnet", f"VPC {site.vpc} has no internet gateway"):
        site.balancer()
    internal = site.balancer(Scheme="internal")
    assert internal["DNSName"].startswith("internal-web-")


def test_the_same_request_gives_the_same_one_and_another_is_refused(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]
    assert site.balancer()["LoadBalancerArn"] == arn
    with refused("DuplicateLoadBalancerName", "with the same name 'web' exists, but with different settings"):
        site.balancer(Scheme="internal")


def test_deletion_protection_and_other_attributes(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]

    def modify(key: str, value: str) -> None:
        site.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value}])

    modify("deletion_protection.enabled", "true")
    with refused("OperationNotPermitted", "because deletion protection is enabled"):
        site.elb.delete_load_balancer(LoadBalancerArn=arn)
    modify("deletion_protection.enabled", "false")
    modify("idle_timeout.timeout_seconds", "7")
    jar.settle()
    assert jar.proxy.node(site.nodes()[0]).idle_seconds == 7
    shown = site.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "7"} in shown
    with refused("ValidationError"):
        modify("idle_timeout.timeout_seconds", "4001")
    with refused("ValidationError", "is not recognized"):
        modify("colour", "blue")
    modify("access_logs.s3.bucket", "logs")
    with refused("InvalidConfigurationRequest", "Access Denied for bucket: logs"):
        modify("access_logs.s3.enabled", "true")


def test_its_security_groups_are_its_interfaces(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]
    made = site.ec2.create_security_group(GroupName="lb", Description="lb", VpcId=site.vpc)["GroupId"]
    site.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[made])
    enis = site.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert [[g["GroupId"] for g in eni["Groups"]] for eni in enis] == [[made], [made]]
    assert site.elb.describe_load_balancers(Names=["web"])["LoadBalancers"][0]["SecurityGroups"] == [made]


def test_tags_of_everything(jar: TestJar) -> None:
    site = Site(jar)
    balancer = site.balancer(Tags=[{"Key": "env", "Value": "test"}])["LoadBalancerArn"]
    group = site.group()
    site.elb.add_tags(ResourceArns=[balancer, group], Tags=[{"Key": "team", "Value": "a"}])
    site.elb.remove_tags(ResourceArns=[balancer], TagKeys=["env"])
    found = site.elb.describe_tags(ResourceArns=[balancer, group])["TagDescriptions"]
    assert [d["Tags"] for d in found] == [[{"Key": "team", "Value": "a"}]] * 2
    with refused("TargetGroupNotFound"):
        site.elb.describe_tags(ResourceArns=[group + "0"])
