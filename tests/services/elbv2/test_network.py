"""Network Load Balancers: addresses, zones, protocols, and who their targets see."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import names
from cloudjar.planes.proxy.port import TargetHealth
from tests.jar import TestJar
from tests.services.elbv2.site import Site, refused


def network(site: Site, name: str = "net", **more: Any) -> dict[str, Any]:
    return site.balancer(name, Type="network", **more)


def group(site: Site, name: str = "tcp", protocol: str = "TCP", **more: Any) -> str:
    return site.group(name, Protocol=protocol, **more)


def listener(site: Site, balancer: str, to: str, protocol: str = "TCP", port: int = 80, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = site.elb.create_listener(
        LoadBalancerArn=balancer, Protocol=protocol, Port=port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": to}], **more,
    )["Listeners"][0]  # fmt: skip
    return made


def test_a_network_load_balancer_has_static_addresses_and_may_do_without_groups(jar: TestJar) -> None:
    site = Site(jar)
    elastic = site.ec2.allocate_address(Domain="vpc")
    mapping = {"SubnetId": site.subnets[0], "AllocationId": elastic["AllocationId"]}
    made = network(site, Subnets=[], SubnetMappings=[mapping])
    arn = made["LoadBalancerArn"]
    assert ":loadbalancer/net/net/" in arn
    assert (made["Type"], made["CanonicalHostedZoneId"]) == ("network", "Z1CMS0P5QUZ6D5")
    assert made["DNSName"].endswith(".elb.eu-west-3.amazonaws.com")
    assert "SecurityGroups" not in made
    address = {"IpAddress": elastic["PublicIp"], "AllocationId": elastic["AllocationId"]}
    assert made["AvailabilityZones"][0]["LoadBalancerAddresses"] == [address]
    eni = site.ec2.describe_network_interfaces()["NetworkInterfaces"][0]
    assert (eni["InterfaceType"], eni["Groups"]) == ("network_load_balancer", [])
    jar.settle()
    laid = jar.network._vpcs[site.vpc].interfaces[0]
    assert (laid.relays, laid.unguarded) == (True, True)
    assert names.addresses(jar.jar.world, "", made["DNSName"]) == (elastic["PublicIp"],)
    assert names.addresses(jar.jar.world, "", f"eu-west-3a.{made['DNSName']}") == (elastic["PublicIp"],)
    assert names.addresses(jar.jar.world, "", f"eu-west-3b.{made['DNSName']}") == ()
    with refused("InvalidConfigurationRequest", "created without any"):
        site.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=["sg-1"])
    with refused("ResourceInUse"):
        network(site, "other", Subnets=[],
                SubnetMappings=[{"SubnetId": site.subnets[1], "AllocationId": elastic["AllocationId"]}])  # fmt: skip
    site.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert "AssociationId" not in site.ec2.describe_addresses()["Addresses"][0]


def test_an_internal_one_has_the_private_address_that_was_asked_for(jar: TestJar) -> None:
    site = Site(jar)
    mapping = {"SubnetId": site.subnets[0], "PrivateIPv4Address": "172.31.0.77"}
    made = network(site, Subnets=[], SubnetMappings=[mapping], Scheme="internal")
    assert made["AvailabilityZones"][0]["LoadBalancerAddresses"] == [{"PrivateIPv4Address": "172.31.0.77"}]
    assert names.addresses(jar.jar.world, "", made["DNSName"]) == ("172.31.0.77",)
    with refused("InvalidSubnet"):
        network(site, "other", Subnets=[], SubnetMappings=[mapping], Scheme="internal")
    with refused("InvalidConfigurationRequest", "internal load balancers only"):
        network(site, "other", Subnets=[], SubnetMappings=[mapping])


def test_relays_reach_the_nodes_and_targets_stay_in_their_zone(jar: TestJar) -> None:
    site = Site(jar)
    balancer = network(site)["LoadBalancerArn"]
    tcp, both = group(site), group(site, "both", "TCP_UDP", Port=53)
    assert listener(site, balancer, tcp)["ListenerArn"].startswith(balancer.replace("loadbalancer", "listener"))
    listener(site, balancer, both, "TCP_UDP", 53)
    site.elb.register_targets(TargetGroupArn=tcp, Targets=[{"Id": "172.31.0.200"}, {"Id": "172.31.16.200"}])
    jar.settle()
    first, second = (jar.proxy.node(name) for name in site.nodes())
    assert [(r.port, r.protocol) for r in first.relays] == [(53, "tcp_udp"), (80, "tcp")]
    assert [g.keeps_source for g in sorted(first.groups, key=lambda g: g.id)] == [True, False]
    of = {n.id[-1]: [t.address for g in n.groups if g.id.startswith("tcp") for t in g.targets] for n in (first, second)}
    assert of == {"a": ["172.31.0.200"], "b": ["172.31.16.200"]}
    dns = site.elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]["DNSName"]
    assert len(names.addresses(jar.jar.world, "", dns) or ()) == 2
    jar.advance(minutes=5)  # it is new no more
    jar.proxy.found("172.31.0.200:80", TargetHealth(state="unhealthy", why="refused"))
    jar.settle()
    of_b = names.addresses(jar.jar.world, "", f"eu-west-3b.{dns}")
    assert names.addresses(jar.jar.world, "", dns) == of_b  # nobody is sent where nobody answers
    attribute = {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
    site.elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=[attribute])
    site.elb.modify_target_group_attributes(TargetGroupArn=tcp, Attributes=[
        {"Key": "preserve_client_ip.enabled", "Value": "true"}, {"Key": "proxy_protocol_v2.enabled", "Value": "true"},
        {"Key": "stickiness.enabled", "Value": "true"}])  # fmt: skip
    jar.settle()
    made = next(g for g in jar.proxy.node(first.id).groups if g.id.startswith("tcp"))
    assert len(made.targets) == 2
    assert (made.keeps_source, made.announces, made.source_sticky) == (True, True, True)
    jar.advance(hours=2, minutes=55)
    assert jar.usage("LoadBalancerUsage").total_seconds() == 3 * 3600


def test_tls_ends_at_the_load_balancer(jar: TestJar) -> None:
    site = Site(jar)
    balancer, to, certificate = network(site)["LoadBalancerArn"], group(site), site.certificate()
    given = {"Certificates": [{"CertificateArn": certificate}], "AlpnPolicy": ["HTTP2Preferred"]}
    made = listener(site, balancer, to, "TLS", 443, **given)
    assert (made["AlpnPolicy"], made["SslPolicy"]) == (["HTTP2Preferred"], "ELBSecurityPolicy-2016-08")
    jar.settle()
    relay = jar.proxy.node(site.nodes()[0]).relays[0]
    assert (relay.protocol, relay.alpn, len(relay.certificates)) == ("tls", ("h2", "http/1.1"), 1)
    with refused("ALPNPolicyNotFound"):
        site.elb.modify_listener(ListenerArn=made["ListenerArn"], AlpnPolicy=["Mine"])


def test_what_network_load_balancers_refuse(jar: TestJar) -> None:
    site = Site(jar)
    balancer, tcp, http = network(site)["LoadBalancerArn"], group(site), site.group("http")
    with refused("IncompatibleProtocols"):
        listener(site, balancer, http)
    with refused("ValidationError", "must be one of 'TCP, UDP, TLS, TCP_UDP' for a network load balancer"):
        listener(site, balancer, http, "HTTP")
    with refused("IncompatibleProtocols"):
        listener(site, balancer, tcp, "UDP")
    with refused("InvalidLoadBalancerAction"):
        fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
        site.elb.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=80, DefaultActions=[fixed])
    arn = listener(site, balancer, tcp)["ListenerArn"]
    with refused("ValidationError", "Rules are not supported"):
        site.elb.create_rule(ListenerArn=arn, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/"]}],
                             Actions=[{"Type": "forward", "TargetGroupArn": tcp}])  # fmt: skip
    with refused("IncompatibleProtocols"):
        site.listener(site.balancer()["LoadBalancerArn"], tcp)
    with refused("ValidationError", "not supported for TCP health checks"):
        group(site, "other", HealthCheckPath="/")
    shown = site.elb.describe_target_groups(TargetGroupArns=[tcp])["TargetGroups"][0]
    assert (shown["HealthCheckProtocol"], shown["HealthCheckTimeoutSeconds"]) == ("TCP", 10)
    assert "Matcher" not in shown
    site.elb.modify_target_group(TargetGroupArn=tcp, HealthCheckProtocol="HTTP", HealthCheckPath="/up")
    shown = site.elb.describe_target_groups(TargetGroupArns=[tcp])["TargetGroups"][0]
    assert (shown["HealthCheckPath"], shown["Matcher"]) == ("/up", {"HttpCode": "200-399"})
    with refused("ValidationError"):
        hide = [{"Key": "preserve_client_ip.enabled", "Value": "false"}]
        site.elb.modify_target_group_attributes(TargetGroupArn=group(site, "udp", "UDP"), Attributes=hide)


def test_zones_come_and_go(jar: TestJar) -> None:
    site = Site(jar)
    arn = network(site, Subnets=site.subnets[:1])["LoadBalancerArn"]
    jar.settle()
    before = site.nodes()
    given = site.elb.set_subnets(LoadBalancerArn=arn, Subnets=site.subnets[:3])["AvailabilityZones"]
    assert [z["SubnetId"] for z in given] == site.subnets[:3]
    jar.settle()
    assert len(site.nodes()) == 3
    assert set(before) < set(site.nodes())
    site.elb.set_subnets(LoadBalancerArn=arn, Subnets=site.subnets[1:2])
    jar.settle()
    assert len(site.nodes()) == 1
    assert len(site.ec2.describe_network_interfaces()["NetworkInterfaces"]) == 1
    with refused("UnsupportedOperation"):
        site.elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="dualstack")
    assert site.elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="ipv4")["IpAddressType"] == "ipv4"


def test_instances_that_stop_are_unused_and_those_that_end_are_no_targets(jar: TestJar) -> None:
    site = Site(jar)
    to = group(site, TargetType="instance")
    image = site.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    run = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, "SubnetId": site.subnets[0]}
    vm = site.ec2.run_instances(**run)["Instances"][0]["InstanceId"]
    jar.settle()
    site.elb.register_targets(TargetGroupArn=to, Targets=[{"Id": vm}])
    balancer = network(site, Subnets=site.subnets[1:2])["LoadBalancerArn"]
    listener(site, balancer, to)
    jar.settle()
    assert site.health(to) == {vm: ("unused", "Target.NotInUse")}  # not one of its zones
    site.elb.set_subnets(LoadBalancerArn=balancer, Subnets=site.subnets[:2])
    jar.settle()
    assert site.health(to) == {vm: ("healthy", "")}
    site.ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    assert site.health(to) == {vm: ("unused", "Target.InvalidState")}
    assert [g.targets for name in site.nodes() for g in jar.proxy.node(name).groups] == [(), ()]
    site.ec2.start_instances(InstanceIds=[vm])
    jar.settle()
    assert site.health(to) == {vm: ("healthy", "")}
    site.ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    assert site.health(to) == {}
