"""Who comes in to a real PostgreSQL without its password, on the real host: IAM's tokens."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.pair import Pair
from tests.host.jar.served import REGION, real_jar, until
from tests.jar import ACCOUNT

pytestmark = [pytest.mark.host, pytest.mark.timeout(600)]

FAILED = 'PAM authentication failed for user "jane"'


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """One jar with one Multi-AZ instance that takes tokens, and its user jane who has no password."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        made = Pair(jar)
        made.create(MultiAZ=True, EnableIAMDatabaseAuthentication=True)
        made.answer("CREATE ROLE jane LOGIN; GRANT rds_iam TO jane")
        yield made


class Person:
    """A user of IAM who may connect as jane."""

    def __init__(self, pair: Pair, name: str) -> None:
        self.pair = pair
        iam = pair.jar.client("iam")
        resource = pair.show()["DbiResourceId"]
        iam.create_user(UserName=name)
        connect = f"arn:aws:rds-db:{REGION}:{ACCOUNT}:dbuser:{resource}/jane"
        self.policy = [
            {"Effect": "Allow", "Action": "rds-db:connect", "Resource": connect},
            {"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "*"},
        ]
        document = {"Version": "2012-10-17", "Statement": self.policy}
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.key, self.secret = key["AccessKeyId"], key["SecretAccessKey"]

    def token(self, user: str = "jane", *, rds: Any = None, host: str = "", port: int = 5432) -> str:
        """As a customer's tools make it."""
        client = rds or self.pair.jar.client("rds", self.key, self.secret)
        made = client.generate_db_auth_token(
            DBHostname=host or self.pair.endpoint(), Port=port, DBUsername=user, Region=REGION
        )
        return str(made)

    def session(self) -> Any:
        """RDS as one of the user's sessions sees it: its tokens are long."""
        sts = self.pair.jar.client("sts", self.key, self.secret)
        document = json.dumps({"Version": "2012-10-17", "Statement": self.policy})
        made = sts.get_federation_token(Name="guest", Policy=document)["Credentials"]
        return self.pair.jar.client("rds", made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])


def test_jane_comes_in_by_a_token_alone_wherever_the_engine_runs(pair: Pair) -> None:
    person = Person(pair, "app")
    good = person.token()
    assert pair.said("SELECT current_user", user="jane", password=good) == (0, "jane")
    long = person.token(rds=person.session())
    assert len(long) > 512
    assert pair.said("SELECT current_user", user="jane", password=long) == (0, "jane")
    for wrong in (person.token("boss"), good[:-1] + ("0" if good[-1] != "0" else "1"), "correct-horse-9"):
        assert FAILED in pair.said("SELECT 1", user="jane", password=wrong)[1]
    assert "no encryption" in pair.said("SELECT 1", user="jane", password=good, sslmode="disable")[1]
    assert pair.answer("SELECT current_user") == "boss"  # whose password is as good as it was
    before = pair.zones()
    pair.failover()
    until(lambda: pair.zones() == before[::-1], "the standby to take over", 120)

    def lets_in() -> bool:
        return pair.said("SELECT current_user", user="jane", password=person.token()) == (0, "jane")

    until(lets_in, "the other machine to take tokens", 60, 0.2)
    knock = pair.client(user="jane", password=good)
    pair.jar.kill()
    done = subprocess.run(knock, input="SELECT 1", capture_output=True, text=True, timeout=120, check=False)
    assert FAILED in done.stderr  # nobody is there who could say yes
    pair.jar.start()
    asked = ["getent", "ahostsv4", pair.endpoint()]
    until(lambda: pair.jar.compute.run(pair.backend, asked, 30)[0] == 0, "names to mean something again")
    until(lets_in, "tokens to be taken again", 60, 0.2)
    pair.rds.modify_db_instance(
        DBInstanceIdentifier="shop", EnableIAMDatabaseAuthentication=False, ApplyImmediately=True
    )
    pair.reach("shop", "available")
    until(lambda: not lets_in(), "tokens to be taken no more", 60, 0.2)


def test_who_may_not_connect_as_jane_does_not(pair: Pair) -> None:
    other = Person(pair, "other")
    pair.rds.modify_db_instance(
        DBInstanceIdentifier="shop", EnableIAMDatabaseAuthentication=True, ApplyImmediately=True
    )
    pair.reach("shop", "available")

    def comes() -> int:
        return pair.said("SELECT 1", user="jane", password=other.token())[0]

    until(lambda: comes() == 0, "tokens to be taken", 60, 0.2)
    pair.jar.client("iam").delete_user_policy(UserName="other", PolicyName="own")
    assert comes() != 0
