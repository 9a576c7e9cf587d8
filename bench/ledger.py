"""A year of 1,000 resources in the ledger: `python -m bench.ledger`. The bars: a query under 200 ms, stored in 200 MB.

500 machines and disks that run all year, and 500 queues that are used every hour, each another number of times: 4.4
million hourly rows. A hundred of the machines are reserved, and half of the others are under a Savings Plan. Daily
costs by service over the year, as Cost Explorer asks for them; also after a restart.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from cloudjar.billing.ledger import Step, ledger
from cloudjar.kit.commitments import COMPUTE_PLAN, RESERVATION, Terms
from cloudjar.kit.quantities import Owner, Tally
from cloudjar.kit.usage import Meter
from tests.jar import ACCOUNT, TestJar, running

START, DAYS, EACH = datetime(2025, 1, 15, tzinfo=UTC), 365, 500
REGION, BAR_MS, BAR_MB = "eu-west-3", 200.0, 200.0
BOUGHT = 100
CALLS = Tally("AWSQueueService", "Requests-Tier1", "", "Requests", 1)
BOX = Meter("AmazonEC2", "BoxUsage:t3.micro", "RunInstances", "Hrs")
DISK = Meter("AmazonEC2", "EBS:VolumeUsage.gp3", "", "GB-Mo", Decimal(8))


def fill(jar: TestJar) -> None:
    """A year of use."""
    jar.clock.time = START
    database, end = jar.jar.database, START + timedelta(days=DAYS)
    with database.transaction():
        for number in range(EACH // 2):
            jar.jar.usage.used(ACCOUNT, REGION, f"i-{number}", BOX, START, end)
            jar.jar.usage.used(ACCOUNT, REGION, f"vol-{number}", DISK, START, end)
        for number in range(BOUGHT):
            _buy(jar, f"ri-{number}", RESERVATION, type="t3.micro", region=REGION, hourly=Decimal("0.0074"))
        _buy(jar, "sp", COMPUTE_PLAN, commitment=Decimal("0.65"), hourly=Decimal("0.65"), share=Decimal("0.73"))
        for number in range(EACH):
            jar.jar.quantities.add(Owner(ACCOUNT, REGION, f"q-{number}"), CALLS, number, START)
    numbers = [row[0] for row in database.query("SELECT number FROM usage_counted WHERE resource LIKE 'q-%'")]
    first = int(START.timestamp())
    for day in range(DAYS):
        hours = range(first + day * 86400 + (0 if day else 3600), first + (day + 1) * 86400, 3600)
        with database.transaction():  # the rows that `add` would write one by one
            rows: list[tuple[int, ...]] = [(hour, n, n + hour % 97) for hour in hours for n in numbers]
            database.executemany("INSERT INTO usage_quantity VALUES (?,?,?)", rows)
    jar.clock.time = end + timedelta(days=1)


def _buy(jar: TestJar, key: str, kind: str, **more: Any) -> None:
    """A commitment of three years, as a write of its record would note it."""
    terms = Terms(
        arn=f"arn:{key}", kind=kind, fee=("AmazonEC2", f"HeavyUsage:{key}", ""), seconds=3 * DAYS * 86400, option="",
        start=START, end=START + timedelta(days=3 * DAYS), **more,
    )  # fmt: skip
    jar.jar.database.execute(
        "INSERT INTO commitment (account, region, resource, terms, start) VALUES (?,?,?,?,?)",
        (ACCOUNT, REGION, key, msgspec.json.encode(terms), START.timestamp()),
    )


def ask(jar: TestJar, step: Step) -> float:
    """Milliseconds of one question."""
    start = perf_counter()
    ledger(jar.jar.world).sums(
        START, START + timedelta(days=DAYS), step, keep=lambda _: True, key=lambda line: line.service
    )
    return (perf_counter() - start) * 1000


def main() -> int:
    """Print a table; 1 when a bar is missed."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as jar:
        fill(jar)
        print(f"first, adding all months up: {ask(jar, 'DAILY'):8.0f} ms")
        daily = min(ask(jar, "DAILY") for _ in range(5))
        print(f"days by service:             {daily:8.0f} ms (bar {BAR_MS:.0f})")
        print(f"months by service:           {min(ask(jar, 'MONTHLY') for _ in range(5)):8.0f} ms")
        jar.crash()
        print(f"first after a restart:       {ask(jar, 'DAILY'):8.0f} ms")
        jar.on_loop(_emptied(jar))
        size = (Path(folder) / "cloudjar.db").stat().st_size / 1e6
        print(f"stored:                      {size:8.0f} MB (bar {BAR_MB:.0f})")
        return int(daily > BAR_MS or size > BAR_MB)


async def _emptied(jar: TestJar) -> None:
    """All of the write-ahead log into the file."""
    jar.jar.database.query("PRAGMA wal_checkpoint(TRUNCATE)")


if __name__ == "__main__":
    sys.exit(main())
