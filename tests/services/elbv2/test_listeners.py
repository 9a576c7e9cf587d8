"""Listeners, rules, target groups: what is asked arrives at the proxies, and what is contradictory is refused."""

from __future__ import annotations

from typing import Any

from cloudjar.planes.proxy.port import Condition, FixedResponse, Forward, Redirect, TargetHealth
from tests.jar import TestJar
from tests.services.elbv2.site import Site, refused

FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403", "MessageBody": "no"}}


def path(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "Values": list(values)}


def test_rules_reach_the_nodes_in_the_order_of_their_priorities(jar: TestJar) -> None:
    site = Site(jar)
    balancer, blue, green = site.balancer()["LoadBalancerArn"], site.group("blue"), site.group("green")
    listener = site.listener(balancer, blue)
    weighted = {"TargetGroups": [{"TargetGroupArn": blue, "Weight": 1}, {"TargetGroupArn": green, "Weight": 3}]}
    redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    second = site.elb.create_rule(ListenerArn=listener, Priority=20, Conditions=[path("/b*")],
                                  Actions=[{"Type": "forward", "ForwardConfig": weighted}])["Rules"][0]  # fmt: skip
    site.elb.create_rule(ListenerArn=listener, Priority=10, Conditions=[path("/a")], Actions=[FIXED])
    query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1"}]}}
    site.elb.create_rule(ListenerArn=listener, Priority=30, Conditions=[query],
                         Actions=[{"Type": "redirect", "RedirectConfig": redirect}])  # fmt: skip
    jar.settle()
    for name in site.nodes():
        rules = jar.proxy.node(name).listeners[0].rules
        assert [type(rule.action) for rule in rules] == [FixedResponse, Forward, Redirect, Forward]
        assert rules[0].conditions == (Condition(field="path-pattern", values=("/a",)),)
        assert isinstance(rules[1].action, Forward)
        assert [weight for _, weight in rules[1].action.groups] == [1, 3]
        assert rules[2].conditions == (Condition(field="query-string", pairs=(("v", "1"),)),)
    with refused("ValidationError", "A rule ARN and a priority must be specified"):
        site.elb.set_rule_priorities(RulePriorities=[])
    site.elb.set_rule_priorities(RulePriorities=[{"RuleArn": second["RuleArn"], "Priority": 5}])
    shown = site.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [(rule["Priority"], rule["IsDefault"]) for rule in shown] == [
        ("5", False), ("10", False), ("30", False), ("default", True)]  # fmt: skip


def test_what_rules_and_listeners_refuse(jar: TestJar) -> None:
    site = Site(jar)
    balancer, group = site.balancer()["LoadBalancerArn"], site.group()
    listener = site.listener(balancer, group)

    def rule(priority: int, conditions: list[Any], *actions: Any) -> str:
        made = site.elb.create_rule(
            ListenerArn=listener, Priority=priority, Conditions=conditions, Actions=list(actions)
        )
        return str(made["Rules"][0]["RuleArn"])

    arn = rule(1, [path("/a")], FIXED)
    with refused("PriorityInUse", "The specified priority is in use"):
        rule(1, [path("/a")], FIXED)
    with refused("DuplicateListener", "A listener already exists on this port"):
        site.listener(balancer, group)
    with refused("UnsupportedOperation", "Authentication"):
        oidc = dict.fromkeys(("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "ClientId"), "x")
        rule(2, [path("/a")], {"Type": "authenticate-oidc", "AuthenticateOidcConfig": oidc, "Order": 1}, FIXED)
    with refused("ValidationError", "Condition field 'colour'"):
        rule(2, [{"Field": "colour", "Values": ["x"]}], FIXED)
    with refused("ValidationError"):
        rule(2, [{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/33"]}}], FIXED)
    with refused("ResourceInUse", "is currently in use by a listener or a rule"):
        site.elb.delete_target_group(TargetGroupArn=group)
    other = site.balancer("other")["LoadBalancerArn"]
    with refused("TargetGroupAssociationLimit", "cannot be associated with more than one load balancer"):
        site.listener(other, group)
    default = site.elb.describe_rules(ListenerArn=listener)["Rules"][-1]["RuleArn"]
    with refused("OperationNotPermitted", "cannot be deleted"):
        site.elb.delete_rule(RuleArn=default)
    site.elb.delete_rule(RuleArn=arn)
    with refused("RuleNotFound", "One or more rules not found"):
        site.elb.describe_rules(RuleArns=[arn])
    with refused("ListenerNotFound", "One or more listeners not found"):
        site.elb.describe_listeners(ListenerArns=[listener + "0"])
    with refused("ValidationError", "A certificate must be specified for HTTPS listeners"):
        site.elb.modify_listener(ListenerArn=listener, Protocol="HTTPS")


def test_the_health_of_targets_from_registration_to_the_end(jar: TestJar) -> None:
    site = Site(jar)
    group = site.group()
    targets = [{"Id": "172.31.0.200"}, {"Id": "172.31.0.201"}]
    site.elb.register_targets(TargetGroupArn=group, Targets=targets)
    assert site.health(group) == dict.fromkeys(("172.31.0.200", "172.31.0.201"), ("unused", "Target.NotInUse"))
    site.listener(site.balancer()["LoadBalancerArn"], group)
    assert site.health(group)["172.31.0.200"] == ("initial", "Elb.RegistrationInProgress")
    jar.proxy.found("172.31.0.201:80", TargetHealth(state="unhealthy", why="code", code=500))
    jar.settle()
    assert site.health(group)["172.31.0.201"] == ("initial", "Elb.InitialHealthChecking")
    jar.advance(seconds=61)
    assert site.health(group) == {
        "172.31.0.200": ("healthy", ""), "172.31.0.201": ("unhealthy", "Target.ResponseCodeMismatch")}  # fmt: skip
    jar.proxy.found("172.31.0.201:80", TargetHealth(state="unhealthy", why="timeout"))
    jar.settle()
    assert site.health(group)["172.31.0.201"] == ("unhealthy", "Target.Timeout")
    site.elb.deregister_targets(TargetGroupArn=group, Targets=targets[:1])
    jar.settle()
    assert site.health(group)["172.31.0.200"] == ("draining", "Target.DeregistrationInProgress")
    for name in site.nodes():
        assert [t.name for t in jar.proxy.node(name).groups[0].targets] == ["172.31.0.201:80"]
    jar.advance(seconds=299)
    assert "172.31.0.200" in site.health(group)
    jar.advance(seconds=2)
    assert list(site.health(group)) == ["172.31.0.201"]
    asked = site.elb.describe_target_health(TargetGroupArn=group, Targets=targets[:1])["TargetHealthDescriptions"]
    assert asked[0]["TargetHealth"]["Reason"] == "Target.NotRegistered"


def test_instances_are_targets_by_their_private_address(jar: TestJar) -> None:
    site = Site(jar)
    group = site.group(TargetType="instance")
    image = site.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    vm = site.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
    with refused("InvalidTarget", "are not in a running state and cannot be registered"):
        site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": vm["InstanceId"]}])
    jar.settle()
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": vm["InstanceId"], "Port": 8080}])
    site.listener(site.balancer()["LoadBalancerArn"], group)
    jar.settle()
    targets = jar.proxy.node(site.nodes()[0]).groups[0].targets
    assert [t.name for t in targets] == [f"{vm['PrivateIpAddress']}:8080"]
    site.elb.get_waiter("target_in_service").wait(TargetGroupArn=group)
    assert site.health(group) == {vm["InstanceId"]: ("healthy", "")}


def test_target_groups_are_checked_changed_and_named(jar: TestJar) -> None:
    site = Site(jar)
    group = site.group()
    shown = site.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    assert (shown["HealthCheckPath"], shown["Matcher"], shown["HealthyThresholdCount"]) == ("/", {"HttpCode": "200"}, 5)
    assert site.group() == group
    with refused("DuplicateTargetGroupName", "exists, but with different settings"):
        site.group(Port=81)
    with refused("ValidationError"):
        site.group("other", Matcher={"HttpCode": "600"})
    with refused("UnsupportedOperation", "lambda"):
        site.elb.create_target_group(Name="fn", TargetType="lambda")
    site.listener(site.balancer()["LoadBalancerArn"], group)
    site.elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/up", Matcher={"HttpCode": "200-299"})
    sticky = [{"Key": "stickiness.enabled", "Value": "true"}]
    site.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=sticky)
    jar.settle()
    planned = jar.proxy.node(site.nodes()[0]).groups[0]
    assert planned.check is not None
    assert (planned.check.path, planned.check.codes, planned.cookie_seconds) == ("/up", "200-299", 86400)
    with refused("ValidationError", "outside the VPC"):
        site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.99.0.1"}])
