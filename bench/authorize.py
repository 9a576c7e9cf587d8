"""What authorisation costs a request, and whether it stays so as a jar fills: `python -m bench.authorize`.

The real Authorizer with the real IAM behind it: a user with ten managed policies of fifty statements each, asking for
what the last statement allows, and for what one denies. Once in a jar with 10 users and policies, once with 5,000 of
each. The bar is 15 us a request, and the same in both (ratio near 1).
"""

from __future__ import annotations

import json
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

from cloudjar.app import Jar
from cloudjar.auth.authorize import Denied
from cloudjar.base.caller import Caller, root
from cloudjar.base.clock import SimClock
from cloudjar.base.settings import Settings
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant
from cloudjar.planes.compute.sim import SimCompute
from cloudjar.planes.network.sim import SimNetwork
from cloudjar.wire.message import Request

ACCOUNT, REGION, BAR = "000000000000", "eu-west-3", 15.0
ALLOWED = Grant("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders-9-49", {"aws:resourcetag/team": "blue"})
DENIED = Grant("sqs:DeleteQueue", f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders-9-49")
NOUNS = ("instance", "volume", "network-interface", "subnet", "security-group", "image")
SEVERAL = tuple(Grant("ec2:RunInstances", f"arn:aws:ec2:{REGION}:{ACCOUNT}:{noun}/x-1") for noun in NOUNS)
ROUNDS, CALLS = 25, 1_000


class Row(NamedTuple):
    """Microseconds of one question in one jar."""

    allowed: float
    conditions: float
    several: float
    denied: float
    after_write: float


def fifty(number: int) -> str:
    """A policy of fifty statements with actions, wildcards, resources, variables and conditions of every sort."""
    statements = [_kinds(number, i)[i % 5] for i in range(49)]
    last: dict[str, Any] = {"Effect": "Allow", "Action": "sqs:Send*", "Resource": f"arn:aws:sqs:*:*:orders-{number}-*"}
    if number == 8:
        last = {"Effect": "Allow", "Action": "ec2:Run*", "Resource": "*"}
    if number == 9:
        last["Condition"] = {
            "StringEquals": {"aws:ResourceTag/team": "blue"},
            "IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
        }
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements, last]}, separators=(",", ":"))


def _kinds(number: int, i: int) -> tuple[dict[str, Any], ...]:
    name, tagged = f"{number}-{i}", {"StringLike": {"aws:PrincipalTag/t": "a*"}}
    return (
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": f"arn:aws:sqs:*:*:jobs-{name}"},
        {"Effect": "Allow", "Action": f"s{i}:Get*", "Resource": f"arn:aws:s{i}:::b-{name}/*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::h{name}/${{aws:username}}/*"},
        {"Effect": "Deny", "Action": f"iam:Put{i}*", "Resource": "*"},
        {"Effect": "Allow", "Action": f"sns:P{i}", "Resource": "*", "Condition": tagged},
    )


class Bench:
    """A jar in this process, and its user `dev`."""

    def __init__(self, home: Path) -> None:
        settings = Settings(home=home, planes="sim", durable=False)
        self.jar = Jar(settings, clock=SimClock(), network=SimNetwork(), compute=SimCompute())
        self.authorize = self.jar.pipeline._authorize
        self.filled = 0
        key = self.make_dev()
        identity = self.jar.world.ports["identity"]()
        found = identity.key(key)
        assert found is not None
        self.caller: Caller = found.caller

    def iam(self, operation: str, **params: Any) -> dict[str, Any]:
        """A call as root."""
        assert self.jar.world.invoke is not None
        return self.jar.world.invoke("iam", operation, params, root(ACCOUNT), "us-east-1")

    def make_dev(self) -> str:
        """The user whose ten policies have fifty statements each; an access key of his."""
        self.iam("CreateUser", UserName="dev")
        for number in range(10):
            made = self.iam("CreatePolicy", PolicyName=f"p{number}", PolicyDocument=fifty(number))
            self.iam("AttachUserPolicy", UserName="dev", PolicyArn=made["Policy"]["Arn"])
        return str(self.iam("CreateAccessKey", UserName="dev")["AccessKey"]["AccessKeyId"])

    def fill(self, count: int) -> None:
        """Users with a policy of their own each, until there are `count`."""
        for number in range(self.filled, count):
            self.iam("CreateUser", UserName=f"user{number}")
            text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get%d","Resource":"*"}]}'
            self.iam("PutUserPolicy", UserName=f"user{number}", PolicyName="own", PolicyDocument=text % number)
        self.filled = count

    def ask(self, service: str, *needs: Grant) -> None:
        """One request's authorisation, as the pipeline asks for it."""
        request = Request("POST", "/", "", {"host": "x", "user-agent": "bench"}, b"", peer="10.1.2.3")
        self.authorize(Ctx(self.jar.world, ACCOUNT, REGION, self.caller, "r", request), service, needs)

    def refused(self) -> None:
        """A request that is refused, with the error made and worded."""
        try:
            self.ask("sqs", DENIED)
        except Denied:
            return
        raise AssertionError("this must be refused")

    def after_write(self) -> None:
        """The first request after somebody changed IAM: everything is read again."""
        self.iam("TagUser", UserName="user1", Tags=[{"Key": "a", "Value": "b"}])
        self.ask("sqs", ALLOWED)

    def measure(self) -> Row:
        """The report's line of this jar."""
        plain = Grant("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs-0-0")
        tag = best(lambda: self.iam("TagUser", UserName="user1", Tags=[{"Key": "a", "Value": "b"}]), 100)
        return Row(
            best(lambda: self.ask("sqs", plain), CALLS),
            best(lambda: self.ask("sqs", ALLOWED), CALLS),
            best(lambda: self.ask("ec2", *SEVERAL), CALLS // 4),
            best(self.refused, CALLS // 10),
            max(0.0, best(self.after_write, 100) - tag),
        )


def best(work: Callable[[], object], number: int) -> float:
    """Microseconds per call, the best of some rounds."""
    work()
    return min(timeit.repeat(work, number=number, repeat=ROUNDS, timer=process_time)) / number * 1e6


def main() -> None:
    """The report."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        rows: list[Row] = []
        for count in (10, 4_999):  # with `dev`, all that IAM admits
            bench.fill(count)
            rows.append(bench.measure())
        few, many = rows
        print(f"a user with ten policies of fifty statements, us a request{'':14}     10  5,000 users  ratio")
        names = {
            "allowed": "allowed by the first policy",
            "conditions": "allowed by the last statement of the last, two conditions",
            "several": "six resources at once (RunInstances)",
            "denied": "refused, worded and explained",
            "after_write": "the first after a write to IAM",
        }
        for field, name in names.items():
            small, large = getattr(few, field), getattr(many, field)
            print(f"{name:<72} {small:6.1f} {large:6.1f} {'':6} {large / max(small, 0.1):5.2f}")
        worst = max(few.allowed, few.conditions, many.allowed, many.conditions)
        flat = max(many.allowed / few.allowed, many.conditions / few.conditions)
        print(f"{'bar':<72} {BAR:6.1f}        {'met' if worst < BAR and flat < 1.25 else 'NOT MET'}")
        bench.jar.close()


if __name__ == "__main__":
    main()
