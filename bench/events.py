"""What rules that do not match cost: `python -m bench.events`.

Microseconds to find the rules of a bus that an event is for, with few and with many rules that are for others, beside
the time of holding the event against each of them one after the other. Of several rounds the quickest counts.
"""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec.structs import replace

from cloudjar.app import Jar
from cloudjar.base.caller import root
from cloudjar.base.settings import Settings
from cloudjar.kit.context import Ctx
from cloudjar.services.events import arriving, checks
from cloudjar.services.events.records import Rule

ACCOUNT, REGION = "000000000000", "eu-west-3"
PLACE = (ACCOUNT, REGION, "default")
TARGET = {"Id": "t", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}
FEW, MANY = 10, 3000


def pattern(number: int) -> str:
    """One of a team's rules: it names its source or its detail type."""
    named: dict[str, Any] = {"source": [f"app.{number}"]} if number % 2 else {"detail-type": [f"Order {number} Placed"]}
    return json.dumps({**named, "detail": {"state": [{"prefix": "run"}], "size": [{"numeric": [">", 10]}]}})


def event(number: int) -> dict[str, Any]:
    """An event for rule `number`."""
    source, kind = f"app.{number}", f"Order {number} Placed"
    detail = {"state": "running", "size": 11}
    return {"source": source, "detail-type": kind, "detail": detail, "resources": []}


def quickest(work: Callable[[], object]) -> float:
    """Microseconds of one run."""
    return min(timeit.repeat(work, number=200, repeat=7)) / 200 * 1e6


def main() -> None:
    """Print the figures."""
    with TemporaryDirectory() as home:
        jar = Jar(Settings(home=Path(home), port=0, planes="sim"))
        jar.services.load("events")
        table = Ctx(jar.world, ACCOUNT, REGION, root(ACCOUNT)).db[Rule]
        figures: dict[int, float] = {}
        made = 0
        for count in (FEW, MANY):
            with jar.database.transaction():
                for number in range(made, count):
                    rule = Rule(path=f"r{number}", name=f"r{number}", bus="default", pattern=pattern(number))
                    # As stored, without the quota of rules: a bus may have been granted many.
                    placed = replace(rule, targets=[TARGET], account=ACCOUNT, region=REGION)
                    table._write(None, placed)
            made = count
            found = arriving.matching(jar.world, PLACE, event(5))
            assert [rule.name for rule in found] == ["r5"]
            figures[count] = quickest(lambda: arriving.matching(jar.world, PLACE, event(5)))
            print(f"{count} rules: {figures[count]:.1f} us an event")
        patterns = [checks.compiled(pattern(number)) for number in range(MANY)]
        wanted = event(5)
        all_of_them = min(timeit.repeat(lambda: [p.matches(wanted) for p in patterns], number=3, repeat=5)) / 3 * 1e6
        longer = all_of_them / figures[MANY]
        print(f"{MANY} rules, one after the other: {all_of_them:.0f} us ({longer:.0f} times as long)")
        print(f"{MANY // FEW} times the rules take {figures[MANY] / figures[FEW]:.2f} times the time")
        jar.close()


if __name__ == "__main__":
    main()
