"""RDS Proxy: what it says of itself, what its poolers are told, what it costs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from cloudjar.services.rds import tokens
from cloudjar.services.rds.proxies import noticing
from tests.jar import ACCOUNT, TestJar
from tests.services.iam import people
from tests.services.iam.people import allow
from tests.services.rds.site import PASSWORD, Site, refused


class Proxied(Site):
    """An instance, a secret of its master, a role that reads it."""

    def __init__(self, jar: TestJar) -> None:
        super().__init__(jar)
        self.available()
        self.secrets, iam = jar.client("secretsmanager"), jar.client("iam")
        self.secret = self._secret("boss", "boss", PASSWORD)
        trusted = people.trust_service("rds.amazonaws.com")
        self.role = iam.create_role(RoleName="proxy", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
        document = people.policy(allow("secretsmanager:GetSecretValue", on=self.secret))
        iam.put_role_policy(RoleName="proxy", PolicyName="own", PolicyDocument=document)

    def _secret(self, name: str, user: str, password: str) -> str:
        said = json.dumps({"username": user, "password": password})
        return str(self.secrets.create_secret(Name=name, SecretString=said)["ARN"])

    def asked(self, **more: Any) -> dict[str, Any]:
        """What `proxy` asks for."""
        return {
            "DBProxyName": "Front", "EngineFamily": "POSTGRESQL", "RoleArn": self.role, "VpcSubnetIds": self.subnets,
            "Auth": [{"AuthScheme": "SECRETS", "SecretArn": self.secret, "IAMAuth": "DISABLED"}], **more,
        }  # fmt: skip

    def proxy(self, **more: Any) -> dict[str, Any]:
        """A new proxy that is available."""
        self.rds.create_db_proxy(**self.asked(**more))
        self.jar.settle()
        return self.proxies()[0]

    def proxies(self) -> list[dict[str, Any]]:
        """All of them."""
        found: list[dict[str, Any]] = self.rds.describe_db_proxies()["DBProxies"]
        return found

    def register(self) -> dict[str, Any]:
        """The instance behind the proxy."""
        self.rds.register_db_proxy_targets(DBProxyName="front", DBInstanceIdentifiers=["shop"])
        self.jar.settle()
        return self.target()

    def target(self) -> dict[str, Any]:
        """As it is told."""
        (found,) = self.rds.describe_db_proxy_targets(DBProxyName="front")["Targets"]
        return dict(found)

    def look(self) -> None:
        """A minute passes on the host."""
        for minute in self.jar.jar.world.at_minute:
            minute()
        self.jar.settle()

    def told(self) -> list[Any]:
        """What the poolers were told last."""
        self.look()
        return list(noticing.poolers(self.jar.jar.world).told.values())  # type: ignore[attr-defined]  # the simulated ones


def test_a_proxy_has_a_pooler_in_each_zone_that_knows_its_target(jar: TestJar) -> None:
    site = Proxied(jar)
    made = site.rds.create_db_proxy(**site.asked(Tags=[{"Key": "team", "Value": "shop"}]))["DBProxy"]
    assert (made["DBProxyName"], made["Status"], made["RequireTLS"]) == ("front", "creating", False)
    assert made["DBProxyArn"].startswith(f"arn:aws:rds:eu-west-3:{ACCOUNT}:db-proxy:prx-")
    assert made["Auth"][0]["ClientPasswordAuthType"] == "POSTGRES_SCRAM_SHA_256"
    jar.settle()
    (shown,) = site.proxies()
    assert (shown["Status"], shown["IdleClientTimeout"]) == ("available", 1800)
    assert shown["Endpoint"].startswith("front.proxy-")
    site.rds.register_db_proxy_targets(DBProxyName="front", DBInstanceIdentifiers=["shop"])
    jar.settle()
    target = site.target()
    assert target["TargetHealth"] == {"State": "AVAILABLE"}
    assert (target["RdsResourceId"], target["Type"], target["Role"]) == ("shop", "RDS_INSTANCE", "READ_WRITE")
    told = site.told()
    assert len(told) == 2
    assert {one.users[0].password for one in told} == {PASSWORD}
    assert {one.paused for one in told} == {False}
    assert sum(one.connections for one in told) == 112  # what the engine takes
    assert [e["IsDefault"] for e in site.rds.describe_db_proxy_endpoints()["DBProxyEndpoints"]] == [True]
    assert site.rds.list_tags_for_resource(ResourceName=shown["DBProxyArn"])["TagList"] == [
        {"Key": "team", "Value": "shop"}
    ]


def test_it_follows_secret_pool_and_instance(jar: TestJar) -> None:
    site = Proxied(jar)
    site.proxy()
    site.register()
    changed = {"MaxConnectionsPercent": 50, "ConnectionBorrowTimeout": 9, "InitQuery": "SET x.y = 1"}
    group = site.rds.modify_db_proxy_target_group(
        DBProxyName="front", TargetGroupName="default", ConnectionPoolConfig=changed
    )["DBProxyTargetGroup"]
    assert group["ConnectionPoolConfig"]["MaxIdleConnectionsPercent"] == 50
    site.secrets.put_secret_value(
        SecretId=site.secret, SecretString=json.dumps({"username": "boss", "password": "another-one-1"})
    )
    told = site.told()
    assert {(one.users[0].password, one.borrow_seconds, one.begin) for one in told} == {
        ("another-one-1", 9, "SET x.y = 1")
    }
    assert sum(one.connections for one in told) == 56
    site.rds.stop_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    assert {one.paused for one in site.told()} == {True}
    assert site.target()["TargetHealth"]["State"] == "UNAVAILABLE"
    site.rds.start_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    assert {one.paused for one in site.told()} == {False}
    assert site.target()["TargetHealth"]["State"] == "AVAILABLE"


def test_a_role_that_may_not_read_the_secret_lets_nobody_in(jar: TestJar) -> None:
    site = Proxied(jar)
    site.proxy()
    site.register()
    jar.client("iam").delete_role_policy(RoleName="proxy", PolicyName="own")
    assert {one.users for one in site.told()} == {()}
    health = site.target()["TargetHealth"]
    assert (health["State"], health["Reason"]) == ("UNAVAILABLE", "AUTH_FAILURE")


def test_it_costs_by_the_hour_for_each_vcpu_of_its_target(jar: TestJar) -> None:
    site = Proxied(jar)
    site.proxy()
    jar.advance(hours=3)
    assert jar.usage("RDS:ProxyUsage") == timedelta(0)
    site.register()
    jar.advance(hours=5)
    assert jar.usage("RDS:ProxyUsage") == timedelta(hours=5)
    site.rds.delete_db_proxy(DBProxyName="front")
    jar.settle()
    jar.advance(hours=5)
    assert jar.usage("RDS:ProxyUsage") == timedelta(hours=5)


def test_it_goes_without_a_trace(jar: TestJar) -> None:
    site = Proxied(jar)
    before = len(site.ec2.describe_network_interfaces()["NetworkInterfaces"])
    site.proxy()
    site.rds.create_db_proxy_endpoint(DBProxyName="front", DBProxyEndpointName="side", VpcSubnetIds=site.subnets)
    jar.settle()
    endpoints = site.rds.describe_db_proxy_endpoints(DBProxyName="front")["DBProxyEndpoints"]
    assert [(one["DBProxyEndpointName"], one["Status"]) for one in endpoints] == [
        ("default", "available"), ("side", "available"),
    ]  # fmt: skip
    assert endpoints[1]["Endpoint"].startswith("side.endpoint.proxy-")
    assert len(site.ec2.describe_network_interfaces()["NetworkInterfaces"]) == before + 4
    site.rds.delete_db_proxy_endpoint(DBProxyEndpointName="side")
    jar.settle()
    with refused("DBProxyEndpointNotFoundFault"):
        site.rds.delete_db_proxy_endpoint(DBProxyEndpointName="side")
    site.rds.delete_db_proxy(DBProxyName="front")
    jar.settle()
    with refused("DBProxyNotFoundFault", "front"):
        site.rds.describe_db_proxies(DBProxyName="front")
    assert len(site.ec2.describe_network_interfaces()["NetworkInterfaces"]) == before
    assert not [name for name in jar.host.machines() if name.startswith("db-proxy-")]


def test_tokens_are_taken_of_who_the_secret_is_of(jar: TestJar) -> None:
    site = Proxied(jar)
    auth = [{"AuthScheme": "SECRETS", "SecretArn": site.secret, "IAMAuth": "REQUIRED"}]
    shown = site.proxy(Auth=auth, RequireTLS=True)
    site.register()
    resource = shown["DBProxyArn"].rpartition(":")[2]
    connect = f"arn:aws:rds-db:eu-west-3:{ACCOUNT}:dbuser:{resource}/*"
    may = people.user(jar, "may", allow("rds-db:connect", on=connect)).client("rds")

    def comes(user: str, host: str = shown["Endpoint"]) -> bool:
        text = may.generate_db_auth_token(DBHostname=host, Port=5432, DBUsername=user)
        site.look()
        answers = tokens.doors(jar.jar.world).answers  # type: ignore[attr-defined]  # the simulated ones
        answer = next(answers[name] for name in answers if name.startswith("db-proxy-"))
        return bool(answer(user, text))

    assert comes("boss")
    assert not comes("jane")
    assert not comes("boss", site.show()["Endpoint"]["Address"])


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"EngineFamily": "MYSQL"}, "UnsupportedOperation", "ProxySQL"),
        ({"Auth": []}, "InvalidParameterValue", "at least one secret"),
        ({"IdleClientTimeout": 0}, "InvalidParameterValue", "IdleClientTimeout"),
        ({"DefaultAuthScheme": "IAM_AUTH"}, "UnsupportedOperation", "IAM_AUTH"),
    ],
)
def test_what_a_proxy_cannot_be(jar: TestJar, asked: dict[str, Any], code: str, said: str) -> None:
    site = Proxied(jar)
    with refused(code, said):
        site.rds.create_db_proxy(**site.asked(**asked))


def test_states_and_names_are_kept(jar: TestJar) -> None:
    site = Proxied(jar)
    with refused("InvalidSubnet", "Availability Zone"):
        site.rds.create_db_proxy(**site.asked(VpcSubnetIds=site.subnets[:1]))
    site.rds.create_db_proxy(**site.asked())
    with refused("InvalidDBProxyStateFault"):
        site.rds.register_db_proxy_targets(DBProxyName="front", DBInstanceIdentifiers=["shop"])
    with refused("DBProxyAlreadyExistsFault"):
        site.rds.create_db_proxy(**site.asked(DBProxyName="front"))
    jar.settle()
    with refused("DBInstanceNotFound"):
        site.rds.register_db_proxy_targets(DBProxyName="front", DBInstanceIdentifiers=["none"])
    site.register()
    with refused("DBProxyTargetAlreadyRegisteredFault"):
        site.rds.register_db_proxy_targets(DBProxyName="front", DBInstanceIdentifiers=["shop"])
    with refused("DBProxyTargetNotFoundFault"):
        site.rds.deregister_db_proxy_targets(DBProxyName="front", DBInstanceIdentifiers=["none"])
    site.rds.deregister_db_proxy_targets(DBProxyName="front", DBInstanceIdentifiers=["shop"])
    assert site.rds.describe_db_proxy_targets(DBProxyName="front")["Targets"] == []
    with refused("DBProxyTargetGroupNotFoundFault"):
        site.rds.describe_db_proxy_targets(DBProxyName="front", TargetGroupName="other")


def test_who_makes_a_proxy_must_pass_its_role_to_the_service(jar: TestJar) -> None:
    site = Proxied(jar)
    to = {"StringEquals": {"iam:PassedToService": "rds.amazonaws.com"}}
    able = people.user(jar, "able", allow("rds:*", "ec2:*"), allow("iam:PassRole", on=site.role, Condition=to))
    unable = people.user(jar, "unable", allow("rds:*", "ec2:*"))
    with refused("AccessDenied", "iam:PassRole"):
        unable.client("rds").create_db_proxy(**site.asked())
    made = able.client("rds").create_db_proxy(**site.asked())["DBProxy"]
    jar.settle()
    one = people.user(jar, "one", allow("rds:ModifyDBProxy", on=made["DBProxyArn"]))
    other = people.user(jar, "other", allow("rds:ModifyDBProxy", on=made["DBProxyArn"] + "0"))
    assert one.client("rds").modify_db_proxy(DBProxyName="front", RequireTLS=True)["DBProxy"]["RequireTLS"] is True
    jar.settle()
    with refused("AccessDenied", "rds:ModifyDBProxy"):
        other.client("rds").modify_db_proxy(DBProxyName="front", RequireTLS=False)
