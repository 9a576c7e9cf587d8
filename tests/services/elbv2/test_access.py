"""Who may make which load balancer."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import TestJar
from tests.services.elbv2.site import Site, refused


def user(jar: TestJar, **conditions: Any) -> Any:
    """A client of somebody who may do everything with load balancers under conditions."""
    iam = jar.client("iam")
    iam.create_user(UserName="ann")
    may = [{"Effect": "Allow", "Action": ["elasticloadbalancing:*"], "Resource": "*"}]
    may += [{"Effect": "Deny", "Action": f"elasticloadbalancing:{name}", "Resource": "*", "Condition": condition}
            for name, condition in conditions.items()]  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": may})
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    return jar.client("elbv2", key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def test_conditions_see_what_is_asked_for_and_what_is_left_out(jar: TestJar) -> None:
    site = Site(jar)
    key = "elasticloadbalancing:"
    site.elb = user(
        jar,
        CreateLoadBalancer={"StringNotEquals": {f"{key}Scheme": "internal"}},
        CreateListener={"StringNotEquals": {f"{key}ListenerProtocol": ["HTTPS", "TLS"]}},
        ModifyListener={"StringEquals": {f"{key}SecurityPolicy": "ELBSecurityPolicy-2016-08"}},
        SetSubnets={"ForAnyValue:StringEquals": {f"{key}Subnet": site.subnets[2]}},
        SetSecurityGroups={"Null": {f"{key}SecurityGroup": "false"}},
    )
    with refused("AccessDenied", "explicit deny"):
        site.balancer()
    balancer, group = site.balancer(Scheme="internal")["LoadBalancerArn"], site.group()
    with refused("AccessDenied", "explicit deny"):
        site.listener(balancer, group)
    made = site.elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": site.certificate()}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    with refused("AccessDenied", "explicit deny"):
        site.elb.modify_listener(ListenerArn=made, SslPolicy="ELBSecurityPolicy-2016-08")
    site.elb.modify_listener(ListenerArn=made, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    with refused("AccessDenied", "explicit deny"):
        site.elb.set_subnets(LoadBalancerArn=balancer, Subnets=site.subnets[1:3])
    site.elb.set_subnets(LoadBalancerArn=balancer, Subnets=site.subnets[:2])
    with refused("AccessDenied", "explicit deny"):
        site.elb.set_security_groups(LoadBalancerArn=balancer, SecurityGroups=["sg-0123456789abcdef0"])
