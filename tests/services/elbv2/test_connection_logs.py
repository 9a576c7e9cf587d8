"""Logs of connections: those to Application Load Balancers, and TLS ones to Network Load Balancers."""

from __future__ import annotations

import gzip
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from cloudjar.planes.proxy.port import Connection
from tests.jar import ACCOUNT, TestJar
from tests.services.elbv2.site import Site, refused
from tests.services.elbv2.test_access_logs import bucket, let_in, objects


def turn_on(site: Site, arn: str, log: str) -> None:
    asked = {f"{log}.s3.enabled": "true", f"{log}.s3.bucket": "logs", f"{log}.s3.prefix": "web"}
    attributes = [{"Key": key, "Value": value} for key, value in asked.items()]
    site.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
    site.jar.settle()


def met(jar: TestJar, **more: Any) -> Connection:
    plain: dict[str, Any] = {
        "begun": jar.clock.real().timestamp(), "client": "198.18.0.9:4711", "listener": 443, "address": "172.31.0.9",
        "protocol": "TLSv1.3", "cipher": "TLS_AES_128_GCM_SHA256", "handshake": 0.004, "id": "ab12",
    }  # fmt: skip
    return Connection(**{**plain, **more})


def read(s3: Any, key: str) -> list[str]:
    return gzip.decompress(s3.get_object(Bucket="logs", Key=key)["Body"].read()).decode().splitlines()


def test_connections_are_told_of_every_five_minutes(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]
    s3 = bucket(jar, None)
    with refused("InvalidConfigurationRequest", "Access Denied for bucket: logs"):
        turn_on(site, arn, "connection_logs")
    let_in(s3, {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"})
    turn_on(site, arn, "connection_logs")
    assert objects(s3) == [f"web/AWSLogs/{ACCOUNT}/ELBConnectionLogTestFile"]
    node = site.nodes()[0]
    dates = {"not_before": "2026-01-01T00:00:00Z", "not_after": "2026-02-01T00:00:00Z", "serial": "0A"}
    refusal = {"protocol": "", "cipher": "", "failure": "revoked", "id": ""}
    jar.proxy.meet(node, met(jar, subject="CN=a", **dates), met(jar, **refusal), met(jar, protocol="", cipher=""))
    jar.advance(minutes=5)
    (key,) = [one for one in objects(s3) if one.endswith(".log.gz")]
    assert f"/conn_log.{ACCOUNT}_elasticloadbalancing_eu-west-3_app.web." in key
    good, bad, plain = read(s3, key)
    assert good.endswith(
        "Z 198.18.0.9 4711 443 TLSv1.3 TLS_AES_128_GCM_SHA256 0.004 \"CN=a\" "
        "NotBefore=2026-01-01T00:00:00Z;NotAfter=2026-02-01T00:00:00Z 0A Success TID_ab12 -"
    )
    assert bad.endswith("Z 198.18.0.9 4711 443 - - - - - - Failed:ClientCertCrlHit - -")
    assert plain.endswith("Z 198.18.0.9 4711 443 - - - - - - - TID_ab12 -")
    jar.advance(minutes=10)
    assert len(objects(s3)) == 2


def test_network_load_balancers_tell_of_tls_alone(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.balancer(Type="network")["LoadBalancerArn"]
    certificate = site.certificate()
    group = site.group(Protocol="TCP", Port=80)
    listener = site.elb.create_listener(
        LoadBalancerArn=arn, Protocol="TLS", Port=443, Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    jar.settle()
    s3 = bucket(jar, None)
    statement = {
        "Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/web/*",
        "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceAccount": ACCOUNT}},
    }  # fmt: skip
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    turn_on(site, arn, "access_logs")
    node = site.nodes()[0]
    assert jar.proxy.node(node).logs
    body = x509.load_pem_x509_certificate(jar.proxy.node(node).relays[0].certificates[0].encode())
    mark = body.fingerprint(hashes.SHA1()).hex()  # a name
    more: dict[str, Any] = {"certificate": mark, "name": "www.example.com", "alpn": "h2", "lasted": 1.5}
    jar.proxy.meet(node, met(jar, received=10, given=20, **more), met(jar, protocol="", cipher="", failure="unmapped"))
    jar.advance(minutes=5)
    (key,) = [one for one in objects(s3) if one.endswith(".log.gz")]
    name = arn.rpartition("loadbalancer/")[2]
    assert f"/{ACCOUNT}_elasticloadbalancing_eu-west-3_{name.replace('/', '.')}_" in key
    good, bad = (line.split(" ") for line in read(s3, key))
    assert good[:2] == ["tls", "2.0"]
    assert good[3:-1] == [
        name, listener.rpartition("/")[2], "198.18.0.9:4711", "172.31.0.9:443", "1500", "4", "10", "20", "-",
        certificate, "-", "TLS_AES_128_GCM_SHA256", "tlsv13", "-", "www.example.com", "h2", "-", "-",
    ]  # fmt: skip
    assert bad[7:] == ["-", "-", "0", "0", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", bad[-1]]
