"""Access logs of load balancers: asked about when they are turned on, delivered every five minutes."""

from __future__ import annotations

import gzip
import json
from typing import Any

from cloudjar.planes.proxy.port import Request
from tests.jar import ACCOUNT, TestJar
from tests.services.elbv2.site import Site, refused

FOLDER = f"web/AWSLogs/{ACCOUNT}"


def bucket(jar: TestJar, principal: dict[str, str] | None) -> Any:
    s3 = jar.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    if principal is not None:
        let_in(s3, principal)
    return s3


def let_in(s3: Any, principal: dict[str, str]) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::logs/{FOLDER}/*",
    }
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def turn_on(site: Site, arn: str) -> None:
    site.elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn,
        Attributes=[
            {"Key": "access_logs.s3.enabled", "Value": "true"},
            {"Key": "access_logs.s3.bucket", "Value": "logs"},
            {"Key": "access_logs.s3.prefix", "Value": "web"},
        ],
    )
    site.jar.settle()


def request(jar: TestJar, **more: Any) -> Request:
    plain: dict[str, Any] = {
        "begun": jar.clock.real().timestamp(), "client": "198.18.0.9:4711", "listener": 80, "group": "",
        "target": "172.31.0.5:80", "waited": 0.001, "answered": 0.02, "sent": 0.0, "status": 200, "received": 100,
        "given": 2000, "line": "GET http://web.example:80/a?b=c HTTP/1.1", "agent": 'curl "x"', "host": "web.example",
        "trace": "Root=1-2-3", "cipher": "-", "protocol": "-", "rule": 0,
    }  # fmt: skip
    return Request(**{**plain, **more})


def objects(s3: Any) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket="logs").get("Contents", [])]


def test_files_come_every_five_minutes(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]
    group = site.group()
    site.listener(arn, group)
    jar.settle()
    s3 = bucket(jar, None)
    with refused("InvalidConfigurationRequest", "Access Denied for bucket: logs. Please check S3bucket permission"):
        turn_on(site, arn)
    let_in(s3, {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"})
    turn_on(site, arn)
    assert objects(s3) == [f"{FOLDER}/ELBAccessLogTestFile"]
    node = site.nodes()[0]
    assert jar.proxy.node(node).logs
    name = jar.proxy.node(node).groups[0].id
    failed = {"target": "", "waited": -1, "answered": -1, "sent": -1, "status": 503}
    jar.proxy.serve(node, request(jar, group=name), request(jar, group=name, **failed))
    jar.advance(minutes=5)
    (key,) = [one for one in objects(s3) if one.endswith(".log.gz")]
    path = arn.rpartition("loadbalancer/")[2]
    begin = f"{FOLDER}/elasticloadbalancing/eu-west-3/2026/01/15/{ACCOUNT}_elasticloadbalancing_eu-west-3_"
    assert key.startswith(f"{begin}{path.replace('/', '.')}_20260115T1205Z_")
    text = gzip.decompress(s3.get_object(Bucket="logs", Key=key)["Body"].read()).decode()
    good, bad = text.splitlines()
    assert good.startswith("http 2026-01-15T12:0")
    assert f"Z {path} 198.18.0.9:4711 172.31.0.5:80 0.001 0.020 0.000 200 200 100 2000 " in good
    assert f'"GET http://web.example:80/a?b=c HTTP/1.1" "curl \\x22x\\x22" - - {group} "Root=1-2-3" "-" "-" 0 ' in good
    assert good.endswith('"forward" "-" "-" "172.31.0.5:80" "200" "-" "-" -')
    assert " - -1 -1 -1 503 - 100 2000 " in bad
    jar.advance(minutes=10)
    assert len(objects(s3)) == 2  # nothing is delivered twice, and no empty files


def test_the_regions_account_of_old_may_be_let_in(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]
    s3 = bucket(jar, {"AWS": "arn:aws:iam::009996457667:root"})
    turn_on(site, arn)
    assert objects(s3) == [f"{FOLDER}/ELBAccessLogTestFile"]
