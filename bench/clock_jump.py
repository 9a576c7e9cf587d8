"""How long a jump of AWS time takes: `python -m bench.clock_jump [--resources 1000] [--schedules 100] [--days 365]
[--daily] [--rules]`.

A jar with simulated planes holds so many resources (running instances with a volume each, loose volumes, security
groups) and so many schedules (or rules of EventBridge that have one), each once a week (or a day), at different hours,
that send a message to a queue. The clock is moved on by a year. The bar is 10 s of one processor: it is measured
without what else the machine does. Beside it: the same year without schedules, and what one firing costs.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import Any

from cloudjar.app import Jar
from cloudjar.base.caller import root
from cloudjar.base.clock import SimClock
from cloudjar.base.settings import Settings
from cloudjar.kit.context import Ctx

ACCOUNT, REGION, BAR = "000000000000", "eu-west-3", 10.0
_WEEK = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


class World:
    """A jar in this process, asked through its pipeline."""

    def __init__(self, home: Path) -> None:
        self.clock = SimClock()
        settings = Settings(home=home, port=0, planes="sim", durable=False, throttle=False)
        self.jar = Jar(settings, clock=self.clock)
        self.ctx = Ctx(self.jar.world, ACCOUNT, REGION, root(ACCOUNT))

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """An operation as root."""
        return self.ctx.call(service, operation, params)

    def advance(self, **by: float) -> float:
        """Move the clock on; the seconds of a processor that it took."""
        began = process_time()
        self.jar.runner.advance(timedelta(**by))
        return process_time() - began


def fill(world: World, resources: int) -> None:
    """One instance and its disk, two loose volumes and a group of every five."""
    wanted = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A", "DesiredValue": 2 * resources}
    world.call("service-quotas", "RequestServiceQuotaIncrease", **wanted)
    world.advance(minutes=10)
    image = world.call("ec2", "DescribeImages", Owners=["amazon"])["Images"][0]["ImageId"]
    count = resources // 5
    for _ in range(0, count, 20):
        world.call("ec2", "RunInstances", ImageId=image, InstanceType="t3.micro", MinCount=20, MaxCount=20)
    for number in range(count):
        world.call("ec2", "CreateSecurityGroup", GroupName=f"g{number}", Description="bench")
        for _ in range(2):
            world.call("ec2", "CreateVolume", AvailabilityZone=f"{REGION}a", Size=1)
    world.advance(minutes=10)


def schedule(world: World, count: int, *, daily: bool, rules: bool) -> None:
    """Schedules, or rules, that fire once a week, or a day."""
    trust = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["scheduler.amazonaws.com",'
        '"events.amazonaws.com"]},"Action":"sts:AssumeRole"}]}'
    )
    allowed = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}'
    role = world.call("iam", "CreateRole", RoleName="bench", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    world.call("iam", "PutRolePolicy", RoleName="bench", PolicyName="p", PolicyDocument=allowed)
    world.call("sqs", "CreateQueue", QueueName="bench")
    target = {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:bench", "RoleArn": role, "Input": "{}"}
    for number in range(count):
        name, when = f"s{number}", f"cron({number % 60} {number % 24} ? * {'*' if daily else _WEEK[number % 7]} *)"
        if rules:
            world.call("events", "PutRule", Name=name, ScheduleExpression=when)
            world.call("events", "PutTargets", Rule=name, Targets=[{"Id": "q", **target}])
        else:
            world.call(
                "scheduler", "CreateSchedule", Name=name, FlexibleTimeWindow={"Mode": "OFF"}, Target=target,
                ScheduleExpression=when,
            )  # fmt: skip


def main() -> int:
    """Print the figures; 1 when the bar is missed."""
    options = argparse.ArgumentParser()
    options.add_argument("--resources", type=int, default=1000)
    options.add_argument("--schedules", type=int, default=100)
    options.add_argument("--days", type=int, default=365)
    options.add_argument("--daily", action="store_true")
    options.add_argument("--rules", action="store_true")
    options.add_argument("--profile", action="store_true")
    asked = options.parse_args()
    with ExitStack() as stack:
        world = World(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(world.jar.close)
        fill(world, asked.resources)
        idle = world.advance(days=asked.days)
        print(f"{asked.resources} resources, {asked.days} days without schedules: {idle:.2f} s")
        schedule(world, asked.schedules, daily=asked.daily, rules=asked.rules)
        profile = cProfile.Profile(process_time)
        if asked.profile:
            profile.enable()
        took = world.advance(days=asked.days)
        profile.disable()
        fired = asked.schedules * asked.days / (1 if asked.daily else 7)
        each = (took - idle) / fired * 1e3
        print(f"with {asked.schedules} schedules: {took:.2f} s, {each:.2f} ms a firing; the bar is {BAR:.0f} s")
        if asked.profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(60)
    return int(took > BAR)


if __name__ == "__main__":
    sys.exit(main())
