"""What the laws ask Elastic Load Balancing about: ARNs of its forms, of things that need not exist; and what its
waiters wait for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from cloudjar.kit import certificates
from tests.jar import ACCOUNT, TestJar
from tests.planes.proxy.authorities import make, revoking
from tests.services.elbv2.site import Site

_FRONT = f"arn:aws:elasticloadbalancing:eu-west-3:{ACCOUNT}:"
BALANCER = _FRONT + "loadbalancer/app/law/0123456789abcdef"
LISTENER = _FRONT + "listener/app/law/0123456789abcdef/0123456789abcdef"
RULE = _FRONT + "listener-rule/app/law/0123456789abcdef/0123456789abcdef/0123456789abcdef"
CERTIFICATE = f"arn:aws:acm:eu-west-3:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
GROUP = _FRONT + "targetgroup/law/0123456789abcdef"
STORE = _FRONT + "truststore/law/0123456789abcdef"
_ABOUT: dict[str, dict[str, Any]] = {
    "AddListenerCertificates": {"ListenerArn": LISTENER},
    "AddTrustStoreRevocations": {"TrustStoreArn": STORE},
    "DeleteSharedTrustStoreAssociation": {"TrustStoreArn": STORE},
    "DeleteTrustStore": {"TrustStoreArn": STORE},
    "GetResourcePolicy": {"ResourceArn": STORE},
    "ModifyTrustStore": {"TrustStoreArn": STORE},
    "RemoveTrustStoreRevocations": {"TrustStoreArn": STORE},
    "AddTags": {"ResourceArns": [GROUP]},
    "CreateListener": {"LoadBalancerArn": BALANCER},
    "CreateRule": {"ListenerArn": LISTENER},
    "DeleteListener": {"ListenerArn": LISTENER},
    "DeleteLoadBalancer": {"LoadBalancerArn": BALANCER},
    "DeleteRule": {"RuleArn": RULE},
    "DeleteTargetGroup": {"TargetGroupArn": GROUP},
    "DeregisterTargets": {"TargetGroupArn": GROUP},
    "ModifyCapacityReservation": {"LoadBalancerArn": BALANCER},
    "ModifyListener": {"ListenerArn": LISTENER},
    "ModifyListenerAttributes": {"ListenerArn": LISTENER},
    "ModifyLoadBalancerAttributes": {"LoadBalancerArn": BALANCER},
    "ModifyRule": {"RuleArn": RULE},
    "ModifyTargetGroup": {"TargetGroupArn": GROUP},
    "ModifyTargetGroupAttributes": {"TargetGroupArn": GROUP},
    "RegisterTargets": {"TargetGroupArn": GROUP},
    "RemoveListenerCertificates": {"ListenerArn": LISTENER},
    "RemoveTags": {"ResourceArns": [GROUP]},
    "SetIpAddressType": {"LoadBalancerArn": BALANCER},
    "SetRulePriorities": {"RulePriorities": [{"RuleArn": RULE, "Priority": 1}]},
    "SetSecurityGroups": {"LoadBalancerArn": BALANCER},
    "SetSubnets": {"LoadBalancerArn": BALANCER},
}


_OF_CERTIFICATES = (
    "AddTagsToCertificate", "DeleteCertificate", "DescribeCertificate", "ExportCertificate", "GetCertificate",
    "ImportCertificate", "ListTagsForCertificate", "RemoveTagsFromCertificate", "RenewCertificate",
    "ResendValidationEmail", "UpdateCertificateOptions",
)  # fmt: skip


def scenes() -> dict[str, Callable[[Any], dict[str, Any]]]:
    """By service and operation."""
    found: dict[str, Callable[[Any], dict[str, Any]]] = {
        f"elbv2:{name}": partial(_about, about) for name, about in _ABOUT.items()
    }
    for name in _OF_CERTIFICATES:
        found[f"acm:{name}"] = partial(_about, {"CertificateArn": CERTIFICATE})
    return found


def certificate(jar: TestJar) -> dict[str, Any]:
    """One whose domain is proven."""
    asked = {"DomainName": "www.example.com", "ValidationMethod": "DNS", "KeyAlgorithm": "EC_prime256v1"}
    arn = jar.client("acm").request_certificate(**asked)["CertificateArn"]
    certificates.prove(jar.jar.world, arn)
    return {"CertificateArn": arn}


def _about(about: dict[str, Any], _: Any) -> dict[str, Any]:
    return about


def many(jar: TestJar) -> dict[str, Any]:
    """Several of everything that the service lists in pages, and what its lists must be asked for."""
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]
    groups = [site.group(f"g{n}") for n in range(7)]
    listeners = [site.listener(arn, group, 80 + n) for n, group in enumerate(groups)]
    for n in range(6):
        site.balancer(f"b{n}")
        site.elb.create_rule(
            ListenerArn=listeners[0], Priority=n + 1, Conditions=[{"Field": "path-pattern", "Values": [f"/{n}"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": groups[n]}],
        )  # fmt: skip
    listener = {"ListenerArn": listeners[0]}
    store = {"TrustStoreArn": _stores(site, arn, groups)}
    return {
        "DescribeTrustStoreAssociations": store,
        "DescribeTrustStoreRevocations": store,
        "DescribeListeners": {"LoadBalancerArn": arn},
        "DescribeRules": listener,
        "DescribeListenerCertificates": listener,
    }


def _stores(site: Site, balancer: str, groups: list[str]) -> str:
    """Trust stores; one has revocation lists, and listeners that use it."""
    s3 = site.jar.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="law-trust", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    root = make("root", ca=True)
    s3.put_object(Bucket="law-trust", Key="bundle", Body=root.pem.encode())
    s3.put_object(Bucket="law-trust", Key="list", Body=revoking(root, make("gone", root)).encode())
    bundle = {"CaCertificatesBundleS3Bucket": "law-trust", "CaCertificatesBundleS3Key": "bundle"}
    stores = [site.elb.create_trust_store(Name=f"s{n}", **bundle)["TrustStores"][0] for n in range(7)]
    arn = str(stores[0]["TrustStoreArn"])
    lists = [{"S3Bucket": "law-trust", "S3Key": "list"}] * 7
    site.elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=lists)
    certificate = site.certificate()
    for n in range(3):
        site.elb.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTPS", Port=443 + n, Certificates=[{"CertificateArn": certificate}],
            MutualAuthentication={"Mode": "verify", "TrustStoreArn": arn},
            DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[0]}],
        )  # fmt: skip
    return arn


def balancer(jar: TestJar, *, gone: bool = False) -> dict[str, Any]:
    """A load balancer of the default VPC, for waiters; or one that went."""
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]
    if gone:
        site.elb.delete_load_balancer(LoadBalancerArn=arn)
    return {"LoadBalancerArns": [arn]}


def target(jar: TestJar, *, gone: bool = False) -> dict[str, Any]:
    """A target group with a target behind a load balancer; or one that was deregistered and not waited for."""
    site = Site(jar)
    group = site.group()
    site.listener(site.balancer()["LoadBalancerArn"], group)
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "172.31.0.200"}])
    if gone:
        at_once = [{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
        site.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=at_once)
        site.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "172.31.0.200"}])
        return {"TargetGroupArn": group, "Targets": [{"Id": "172.31.0.200"}]}
    return {"TargetGroupArn": group}


WAITERS: dict[str, Callable[[TestJar], dict[str, Any]]] = {
    "CertificateValidated": certificate,
    "LoadBalancerAvailable": balancer,
    "LoadBalancerExists": balancer,
    "LoadBalancersDeleted": lambda jar: balancer(jar, gone=True),
    "TargetDeregistered": lambda jar: target(jar, gone=True),
    "TargetInService": target,
}
