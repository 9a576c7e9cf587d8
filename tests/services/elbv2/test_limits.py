"""How much there may be of everything: each limit has its own refusal."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.db import Db
from cloudjar.kit.quota import AppliedQuota
from tests.jar import ACCOUNT, TestJar
from tests.planes.proxy.authorities import make
from tests.services.elbv2.site import Site, refused
from tests.services.elbv2.test_trust_stores import PLACE, bucket


def test_listeners_and_rules(jar: TestJar) -> None:
    site = Site(jar)
    balancer, group = site.balancer()["LoadBalancerArn"], site.group()
    listener = site.listener(balancer, group, 1000)
    for n in range(1, 50):
        site.listener(balancer, group, 1000 + n)
    with refused("TooManyListeners"):
        site.listener(balancer, group, 2000)
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    many = [{"Field": "path-pattern", "Values": [f"/{n}" for n in range(6)]}]
    with refused("TooManyRules"):
        site.elb.create_rule(ListenerArn=listener, Priority=1, Conditions=many, Actions=forward)
    several = [{"TargetGroupArn": group, "Weight": n} for n in range(6)]
    with refused("TooManyUniqueTargetGroupsPerLoadBalancer"):
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": several}}
        site.elb.create_rule(ListenerArn=listener, Priority=1, Actions=[action],
                             Conditions=[{"Field": "path-pattern", "Values": ["/"]}])  # fmt: skip


def test_targets_and_tags(jar: TestJar) -> None:
    site = Site(jar)
    group = site.group()
    targets = [{"Id": f"172.31.{n // 250}.{4 + n % 250}"} for n in range(1001)]
    with refused("TooManyTargets"):
        site.elb.register_targets(TargetGroupArn=group, Targets=targets)
    tags = [{"Key": f"k{n}", "Value": "v"} for n in range(51)]
    site.elb.add_tags(ResourceArns=[group], Tags=tags[:50])
    with refused("TooManyTags"):
        site.elb.add_tags(ResourceArns=[group], Tags=tags[50:])
    with refused("TooManyTags"):
        site.group("another", Tags=tags)
    with refused("DuplicateTagKeys"):
        site.group("another", Tags=tags[:1] * 2)


def test_targets_of_one_load_balancer(jar: TestJar) -> None:
    site = Site(jar)
    balancer = site.balancer()["LoadBalancerArn"]
    groups = [site.group(f"g{n}") for n in range(2)]
    addresses = [{"Id": f"172.31.{n // 250}.{4 + n % 250}"} for n in range(1000)]
    several = [{"TargetGroupArn": arn, "Weight": 1} for arn in groups]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": several}}
    site.elb.register_targets(TargetGroupArn=groups[0], Targets=addresses)
    made = site.elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[action])
    with refused("TooManyTargets"):
        site.elb.register_targets(TargetGroupArn=groups[1], Targets=addresses[:1])
    site.elb.modify_listener(ListenerArn=made["Listeners"][0]["ListenerArn"],
                             DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[0]}])  # fmt: skip
    site.elb.register_targets(TargetGroupArn=groups[1], Targets=addresses[:1])
    with refused("TooManyTargets"):
        site.listener(balancer, groups[1], 81)
    with refused("TooManyTargets"):
        site.elb.create_rule(ListenerArn=made["Listeners"][0]["ListenerArn"], Priority=1, Actions=[action],
                             Conditions=[{"Field": "path-pattern", "Values": ["/"]}])  # fmt: skip


def test_a_target_of_many_ports(jar: TestJar) -> None:
    site = Site(jar)
    balancer = site.balancer()["LoadBalancerArn"]
    raise_quota(jar, "L-7E6692B2", 2000)
    groups = [site.group(f"g{n}") for n in range(2)]
    several = [{"TargetGroupArn": arn, "Weight": 1} for arn in groups]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": several}}
    site.elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[action])
    ports = [{"Id": "172.31.0.9", "Port": n} for n in range(1, 1001)]
    site.elb.register_targets(TargetGroupArn=groups[0], Targets=ports)
    with refused("TooManyRegistrationsForTargetId"):
        site.elb.register_targets(TargetGroupArn=groups[1], Targets=ports[:1])


def test_targets_in_one_zone_of_a_network_load_balancer(jar: TestJar) -> None:
    site = Site(jar)
    balancer = site.balancer("net", Type="network")["LoadBalancerArn"]
    group = site.group("tcp", Protocol="TCP")
    site.elb.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=80,
                             DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])  # fmt: skip
    near = [{"Id": f"172.31.{n // 250}.{4 + n % 250}"} for n in range(501)]
    site.elb.register_targets(TargetGroupArn=group, Targets=near[:500])
    with refused("TooManyTargets", "in 'eu-west-3a'"):
        site.elb.register_targets(TargetGroupArn=group, Targets=near[500:])
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "172.31.16.9"}])


def test_listeners_and_interfaces_of_network_load_balancers(steady_jar: TestJar) -> None:
    site = Site(jar := steady_jar)
    balancer = site.balancer("net", Type="network")["LoadBalancerArn"]
    group = site.group("tcp", Protocol="TCP")
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    asked = {"LoadBalancerArn": balancer, "Protocol": "TCP", "DefaultActions": forward}
    for n in range(50):
        site.elb.create_listener(Port=1000 + n, **asked)
    with refused("TooManyListeners"):
        site.elb.create_listener(Port=2000, **asked)
    lower(jar, "L-23568085", 3)
    site.elb.set_subnets(LoadBalancerArn=balancer, Subnets=site.subnets[:3])
    with refused("InvalidConfigurationRequest", "network interfaces"):
        site.balancer("second", Type="network")
    site.balancer("third")  # an application load balancer's are not of these
    lower(jar, "L-23568085", 2)
    with refused("InvalidConfigurationRequest", "network interfaces"):
        site.elb.set_subnets(LoadBalancerArn=balancer, Subnets=site.subnets[:3])


def test_one_kind_of_load_balancer_does_not_count_for_the_other(jar: TestJar) -> None:
    site = Site(jar)
    lower(jar, "L-53DA6B97", 1)
    site.balancer()
    with refused("TooManyLoadBalancers"):
        site.balancer("second")
    assert site.balancer("net", Type="network")["Type"] == "network"


def raise_quota(jar: TestJar, quota: str, value: int) -> None:
    jar.client("service-quotas").request_service_quota_increase(
        ServiceCode="elasticloadbalancing", QuotaCode=quota, DesiredValue=value)  # fmt: skip
    jar.advance(minutes=10)


def lower(jar: TestJar, quota: str, value: int) -> None:
    """A quota that is smaller than AWS's, which nobody can ask for."""
    state = jar.jar.world.state
    with state.database.transaction():
        table = Db(state, ACCOUNT, "eu-west-3")[AppliedQuota]
        held = AppliedQuota(code=f"elasticloadbalancing/{quota}", value=value)
        before = table.get(held.code)
        if before is None:
            table.add(held)
        else:
            table.put(replace(before, value=float(value)))


def test_trust_stores_and_their_authorities(jar: TestJar) -> None:
    site, s3 = Site(jar), bucket(jar)
    pem = make("root", ca=True).pem
    s3.put_object(Bucket="trust", Key="bundle.pem", Body=(pem * 26).encode())
    with refused("InvalidCaCertificatesBundle", "too many"):
        site.elb.create_trust_store(Name="clients", **PLACE)
    s3.put_object(Bucket="trust", Key="bundle.pem", Body=pem.encode())
    made: list[Any] = [site.elb.create_trust_store(Name=f"s{n}", **PLACE)["TrustStores"] for n in range(20)]
    with refused("TooManyTrustStores"):
        site.elb.create_trust_store(Name="another", **PLACE)
    assert len(made) == 20


def test_an_elastic_ip_that_is_not_there(jar: TestJar) -> None:
    site = Site(jar)
    mapped = [{"SubnetId": site.subnets[0], "AllocationId": "eipalloc-0123456789abcdef0"}]
    with refused("AllocationIdNotFound"):
        site.elb.create_load_balancer(Name="net", Type="network", SubnetMappings=mapped)
