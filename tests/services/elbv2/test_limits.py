"""How much there may be of everything: each limit has its own refusal."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
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
