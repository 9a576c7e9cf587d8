"""A proxy in front of a real Multi-AZ database, on the real host: who holds a connection to it keeps it, whatever
becomes of the database."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.pair import PASSWORD, Pair
from tests.host.jar.served import real_jar, until
from tests.jar import ACCOUNT

pytestmark = [pytest.mark.host, pytest.mark.timeout(600)]

TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"},
}


class Proxied(Pair):
    """The pair, with a proxy before it that has the master's secret."""

    def front(self) -> None:
        """The proxy, once it leads to the instance."""
        said = json.dumps({"username": "boss", "password": PASSWORD})
        self.secret = self.jar.client("secretsmanager").create_secret(Name="boss", SecretString=said)["ARN"]
        iam = self.jar.client("iam")
        role = iam.create_role(RoleName="front", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        may = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": self.secret}
        document = json.dumps({"Version": "2012-10-17", "Statement": may})
        iam.put_role_policy(RoleName="front", PolicyName="own", PolicyDocument=document)
        group = self.rds.describe_db_subnet_groups(DBSubnetGroupName="private")["DBSubnetGroups"][0]
        mine = self.account.group(group["VpcId"], "front", 5432, peer=self.backend_group)
        self.rds.create_db_proxy(
            DBProxyName="front", EngineFamily="POSTGRESQL", RoleArn=role, RequireTLS=True,
            VpcSubnetIds=[subnet["SubnetIdentifier"] for subnet in group["Subnets"]], VpcSecurityGroupIds=[mine],
            Auth=[{"AuthScheme": "SECRETS", "SecretArn": self.secret, "IAMAuth": "DISABLED"}],
        )  # fmt: skip
        until(lambda: self.proxy()["Status"] == "available", "the proxy to be available", 400, 0.2)
        self.rds.register_db_proxy_targets(DBProxyName="front", DBInstanceIdentifiers=["shop"])
        until(lambda: self.health().get("Reason") == "UNREACHABLE", "the database to be out of reach", 90, 0.2)
        self.account.authorize(self.group, 5432, peer=mine)
        until(lambda: self.health()["State"] == "AVAILABLE", "the database to be reached", 90, 0.2)

    def proxy(self) -> dict[str, Any]:
        """As it is told."""
        found: dict[str, Any] = self.rds.describe_db_proxies(DBProxyName="front")["DBProxies"][0]
        return found

    def health(self) -> dict[str, Any]:
        """Of its target."""
        (target,) = self.rds.describe_db_proxy_targets(DBProxyName="front")["Targets"]
        return dict(target["TargetHealth"])

    def through(self, **more: str) -> list[str]:
        """The command of a client of the proxy."""
        name = self.proxy()["Endpoint"]
        address = self.jar.inside(self.backend, f"getent ahostsv4 {name}").split()[0]
        return self.client(host=name, hostaddr=address, **more)

    def asked(self, sql: str, **more: str) -> tuple[int, str]:
        """(code, output and errors) of one client of the proxy."""
        done = subprocess.run(
            self.through(**more), input=sql, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        return done.returncode, (done.stdout + done.stderr).strip()


@pytest.fixture(scope="module")
def pair() -> Iterator[Proxied]:
    """One jar with one Multi-AZ instance behind a proxy."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        made = Proxied(jar)
        made.create(MultiAZ=True)
        made.front()
        yield made


def test_who_holds_a_connection_keeps_it_while_the_instance_fails_over(pair: Proxied) -> None:
    pair.answer("CREATE TABLE seen (n int)")
    before = pair.zones()
    with subprocess.Popen(
        pair.through(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as held:
        assert held.stdin is not None
        assert held.stdout is not None

        def say(sql: str) -> str:
            assert held.stdin is not None
            assert held.stdout is not None
            held.stdin.write(f"{sql};\n")
            held.stdin.flush()
            return held.stdout.readline().strip()

        assert say("INSERT INTO seen VALUES (1) RETURNING n") == "1"
        pair.failover()
        until(lambda: pair.zones() == before[::-1], "the standby to take over", 180)
        assert say("INSERT INTO seen VALUES (2) RETURNING n") == "2"
        pair.jar.kill()
        assert say("SELECT count(*) FROM seen") == "2"  # the proxy's machines live on without the server
        pair.jar.start()
        until(lambda: pair.health()["State"] == "AVAILABLE", "the proxy to be known again", 90, 0.2)
        assert say("SELECT sum(n) FROM seen") == "3"
        held.stdin.close()
        assert held.wait(60) == 0


def test_only_who_has_a_secret_comes_in_and_nobody_finds_what_others_set(pair: Proxied) -> None:
    assert pair.asked("SET search_path = elsewhere; SELECT 1") == (0, "1")
    assert pair.asked("SHOW search_path") == (0, '"$user", public')
    assert pair.asked("SELECT 1", password="wrong")[0] != 0
    assert pair.asked("SELECT 1", user="somebody")[0] != 0
    assert pair.asked("SELECT 1", sslmode="disable")[0] != 0


def test_tokens_are_taken_in_the_place_of_passwords(pair: Proxied) -> None:
    pair.rds.modify_db_proxy(
        DBProxyName="front", Auth=[{"AuthScheme": "SECRETS", "SecretArn": pair.secret, "IAMAuth": "REQUIRED"}]
    )
    iam = pair.jar.client("iam")
    iam.create_user(UserName="app")
    resource = pair.proxy()["DBProxyArn"].rpartition(":")[2]
    may = {"Effect": "Allow", "Action": "rds-db:connect", "Resource": f"arn:aws:rds-db:*:{ACCOUNT}:dbuser:{resource}/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": may})
    iam.put_user_policy(UserName="app", PolicyName="own", PolicyDocument=document)
    key = iam.create_access_key(UserName="app")["AccessKey"]
    rds = pair.jar.client("rds", key["AccessKeyId"], key["SecretAccessKey"])

    def token(user: str = "boss") -> str:
        made = rds.generate_db_auth_token(DBHostname=pair.proxy()["Endpoint"], Port=5432, DBUsername=user)
        return str(made)

    until(lambda: pair.asked("SELECT current_user", password=token()) == (0, "boss"), "a token to be taken", 90, 0.2)
    assert pair.asked("SELECT 1")[0] != 0  # the password is none any more
    assert pair.asked("SELECT 1", user="jane", password=token("jane"))[0] != 0
    machines = pair.machines()
    pair.rds.delete_db_proxy(DBProxyName="front")
    until(lambda: not pair.rds.describe_db_proxies()["DBProxies"], "the proxy to go", 90, 0.2)
    assert len(pair.machines()) == len(machines) - 2
