"""HTTPS listeners: certificates, security policies, attributes; what they ask arrives at the proxies."""

from __future__ import annotations

from typing import Any

from cryptography import x509

from tests.jar import TestJar
from tests.services.elbv2.site import Site, refused


def https(site: Site, balancer: str, group: str, certificate: str, **more: Any) -> str:
    made = site.elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}], **more,
    )  # fmt: skip
    return str(made["Listeners"][0]["ListenerArn"])


def in_use(site: Site, arn: str) -> list[str]:
    found: list[str] = site.jar.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"]
    return found


def planned(site: Site) -> Any:
    site.jar.settle()
    return site.jar.proxy.node(site.nodes()[0]).listeners[0]


def test_a_listener_serves_with_its_certificates_and_follows_them(jar: TestJar) -> None:
    site = Site(jar)
    balancer, group, first = site.balancer()["LoadBalancerArn"], site.group(), site.certificate()
    listener = https(site, balancer, group, first)
    shown = site.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]
    assert shown["Certificates"] == [{"CertificateArn": first}]
    assert (shown["SslPolicy"], shown["MutualAuthentication"]) == ("ELBSecurityPolicy-2016-08", {"Mode": "off"})
    assert in_use(site, first) == [balancer]
    certificate = jar.client("acm").get_certificate(CertificateArn=first)["Certificate"]
    assert planned(site).certificates[0].startswith(certificate)
    assert "PRIVATE KEY" in planned(site).certificates[0]
    second = site.certificate("shop.example.com")
    added = site.elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    assert added["Certificates"] == [{"CertificateArn": second, "IsDefault": False}]
    listed = site.elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert listed == [{"CertificateArn": first, "IsDefault": True}, {"CertificateArn": second, "IsDefault": False}]
    assert len(planned(site).certificates) == 2
    with refused("OperationNotPermitted"):
        site.elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": first}])
    site.elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    assert in_use(site, second) == []
    site.elb.modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    assert (in_use(site, first), in_use(site, second)) == ([], [balancer])
    jar.advance(days=154)  # renewed
    renewed = jar.client("acm").get_certificate(CertificateArn=second)["Certificate"]
    assert planned(site).certificates[0].startswith(renewed)
    assert x509.load_pem_x509_certificate(renewed.encode()).not_valid_after_utc > jar.clock.now()
    site.elb.modify_listener(ListenerArn=listener, Protocol="HTTP", Port=80)
    assert (planned(site).certificates, in_use(site, second)) == ((), [])
    again = {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": second}]}
    site.elb.modify_listener(ListenerArn=listener, **again)
    site.elb.delete_load_balancer(LoadBalancerArn=balancer)
    assert in_use(site, second) == []
    jar.client("acm").delete_certificate(CertificateArn=second)


def test_security_policies_are_what_the_proxies_speak(jar: TestJar) -> None:
    site = Site(jar)
    policies = {p["Name"]: p for p in site.elb.describe_ssl_policies()["SslPolicies"]}
    assert policies["ELBSecurityPolicy-2016-08"]["SslProtocols"] == ["TLSv1", "TLSv1.1", "TLSv1.2"]
    first = {"Name": "ECDHE-ECDSA-AES128-GCM-SHA256", "Priority": 1}
    assert policies["ELBSecurityPolicy-2016-08"]["Ciphers"][0] == first
    assert policies["ELBSecurityPolicy-TLS13-1-3-2021-06"]["SslProtocols"] == ["TLSv1.3"]
    with refused("SSLPolicyNotFound"):
        site.elb.describe_ssl_policies(Names=["mine"])
    balancer, group, certificate = site.balancer()["LoadBalancerArn"], site.group(), site.certificate()
    listener = https(site, balancer, group, certificate, SslPolicy="ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
    tls = planned(site).tls
    assert (tls.least, tls.most, len(tls.ciphers), len(tls.suites)) == ("TLSv1.2", "TLSv1.3", 4, 3)
    site.elb.modify_listener(ListenerArn=listener, SslPolicy="ELBSecurityPolicy-2016-08")
    assert planned(site).tls.least == "TLSv1.0"
    with refused("SSLPolicyNotFound"):
        site.elb.modify_listener(ListenerArn=listener, SslPolicy="mine")


def test_what_https_listeners_refuse(jar: TestJar) -> None:
    site = Site(jar)
    balancer, group, certificate = site.balancer()["LoadBalancerArn"], site.group(), site.certificate()
    with refused("CertificateNotFound"):
        https(site, balancer, group, certificate[:-1] + ("0" if certificate[-1] != "0" else "1"))
    acm = jar.client("acm")
    waiting = acm.request_certificate(DomainName="x.example.com", ValidationMethod="DNS")["CertificateArn"]
    with refused("UnsupportedCertificate"):
        https(site, balancer, group, waiting)
    with refused("ValidationError", "Mutual authentication is not supported for HTTP listeners"):
        site.elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=81,
                                 MutualAuthentication={"Mode": "passthrough"},
                                 DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])  # fmt: skip
    with refused("ValidationError", "A certificate cannot be specified for HTTP listeners"):
        site.elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80,
                                 Certificates=[{"CertificateArn": certificate}],
                                 DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])  # fmt: skip
    listener = site.listener(balancer, group)
    with refused("ValidationError", "not supported for HTTP listeners"):
        site.elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": certificate}])


def test_attributes_of_listeners_become_headers(jar: TestJar) -> None:
    site = Site(jar)
    listener = https(site, site.balancer()["LoadBalancerArn"], site.group(), site.certificate())
    asked = {"routing.http.response.server.enabled": "false",
             "routing.http.response.strict_transport_security.header_value": "max-age=1",
             "routing.http.request.x_amzn_tls_version.header_name": "X-Tls"}  # fmt: skip
    site.elb.modify_listener_attributes(
        ListenerArn=listener, Attributes=[{"Key": key, "Value": value} for key, value in asked.items()]
    )
    shown = {a["Key"]: a["Value"] for a in site.elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]}
    assert asked.items() <= shown.items()
    made = planned(site)
    assert (made.headers, made.names_server, made.tls_version_header) == (
        (("strict-transport-security", "max-age=1"),), False, "X-Tls")  # fmt: skip
    with refused("ValidationError", "is not recognized"):
        site.elb.modify_listener_attributes(ListenerArn=listener, Attributes=[{"Key": "colour", "Value": "blue"}])


def test_stickiness_slow_start_and_least_numbers_reach_the_proxies(jar: TestJar) -> None:
    site = Site(jar)
    balancer, group, other = site.balancer()["LoadBalancerArn"], site.group(), site.group("other")
    site.listener(balancer, group)

    def modify(**asked: str) -> None:
        site.elb.modify_target_group_attributes(
            TargetGroupArn=group, Attributes=[{"Key": k.replace("__", "."), "Value": v} for k, v in asked.items()]
        )

    with refused("ValidationError", "application cookie name"):
        modify(stickiness__enabled="true", stickiness__type="app_cookie")
    with refused("ValidationError", "reserved"):
        modify(stickiness__enabled="true", stickiness__type="app_cookie", stickiness__app_cookie__cookie_name="AWSALBx")
    modify(stickiness__enabled="true", stickiness__type="app_cookie", stickiness__app_cookie__cookie_name="SID",
           slow_start__duration_seconds="60")  # fmt: skip
    front = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
    modify(**{f"{front}percentage": "50"})
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": f"172.31.0.{n}"} for n in range(201, 206)])
    jar.settle()
    made = jar.proxy.node(site.nodes()[0]).groups[0]
    assert (made.app_cookie, made.cookie_seconds, made.slow_start, made.least_healthy) == ("SID", 86400, 60, 3)
    with refused("ValidationError", "Slow start"):
        modify(slow_start__duration_seconds="5")
    with refused("ValidationError", "Slow start cannot be used"):
        modify(load_balancing__algorithm__type="least_outstanding_requests")
    weighted = [{"TargetGroupArn": arn, "Weight": 1} for arn in (group, other)]
    sticky = {"Enabled": True, "DurationSeconds": 60}
    config = {"TargetGroups": weighted, "TargetGroupStickinessConfig": sticky}
    listener = site.elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    site.elb.modify_listener(ListenerArn=listener, DefaultActions=[{"Type": "forward", "ForwardConfig": config}])
    assert planned(site).rules[-1].action.sticky_seconds == 60
    with refused("ValidationError", "stickiness duration"):
        config["TargetGroupStickinessConfig"] = {"Enabled": True}
        site.elb.modify_listener(ListenerArn=listener, DefaultActions=[{"Type": "forward", "ForwardConfig": config}])


def test_limits_are_told(jar: TestJar) -> None:
    site = Site(jar)
    limits = {item["Name"]: item["Max"] for item in site.elb.describe_account_limits()["Limits"]}
    assert limits["application-load-balancers"] == "50"
    assert limits["target-groups"] == "3000"
    arn = site.balancer()["LoadBalancerArn"]
    assert site.elb.describe_capacity_reservation(LoadBalancerArn=arn)["CapacityReservationState"] == []
    with refused("LoadBalancerNotFound"):
        site.elb.describe_capacity_reservation(LoadBalancerArn=arn + "0")
