"""Streams: records a second, and what it costs to read a shard that holds much.

    python -m bench.kinesis [--seconds 3] [--deep 1000000]

The server is a real one in a process of its own on one core, durable, asked by an IAM user; the client uses another
core. Rates "per core" are by the processor time that the server used. The stream has as many shards as an account may
have, so that their limits of a thousand records a second hold nobody up.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import tempfile
from pathlib import Path
from statistics import median

from bench.http_server import measure, pin, signed_post
from bench.pipeline import administrator, client, cpu_seconds
from bench.sqs import ACCOUNT, REGION, ROUNDS, Asking, connect, line, rate, serving, whoami
from cloudjar.app import Jar
from cloudjar.base.caller import root
from cloudjar.base.settings import Settings
from cloudjar.kit.context import Ctx
from cloudjar.planes.compute.sim import SimCompute
from cloudjar.planes.network.sim import SimNetwork

BODY = base64.b64encode(b"x" * 100).decode()
SHARDS, BATCH = 400, 500


class Stream(Asking):
    """Signed requests about one stream of a running server."""

    name = "rate"

    def call(self, operation: str, **members: object) -> bytes:
        """The bytes of a call."""
        body = json.dumps(members).encode()
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": f"Kinesis_20131202.{operation}"}
        host = f"127.0.0.1:{self.port}"
        return signed_post(
            body, service="kinesis", credentials=self.who, region=REGION, host=host, headers=headers
        )


def record(n: int) -> dict[str, str]:
    """One of a hundred bytes that falls anywhere."""
    return {"Data": BODY, "PartitionKey": f"key-{n}"}


def fill(folder: Path, name: str, count: int) -> None:
    """Put records into a shard of a jar that does not run."""
    from datetime import timedelta

    from cloudjar.services.kinesis import finding, writing

    jar = Jar(
        Settings(home=folder, planes="sim", durable=False, throttle=False), network=SimNetwork(), compute=SimCompute()
    )
    ctx = Ctx(jar.world, ACCOUNT, REGION, root(ACCOUNT))
    assert jar.world.invoke is not None
    jar.world.invoke("kinesis", "CreateStream", {"StreamName": name, "ShardCount": 1}, root(ACCOUNT), REGION)
    jar.runner.advance(timedelta(seconds=2))
    found = finding.stream(ctx, {"StreamName": name})
    records = [{"Data": b"x" * 100, "PartitionKey": "k"}] * BATCH
    for _ in range(0, count, 10_000):
        with jar.world.state.database.transaction():
            for _ in range(min(count, 10_000) // BATCH):
                writing.put(ctx, found, records)
    jar.database.checkpoint()
    jar.close()


async def takes(asking: Stream, name: str, times: int, pid: int) -> float:
    """Microseconds of the server's processor time of reading a hundred records from a shard's middle."""
    talk = await connect(asking.port)
    shard = {"StreamName": name, "ShardId": f"shardId-{0:012d}"}
    at = json.loads(await talk.ask(asking.call("GetShardIterator", **shard, ShardIteratorType="TRIM_HORIZON")))
    begin = at["ShardIterator"]
    read = asking.call("GetRecords", ShardIterator=begin, Limit=100)
    spent, done = 0.0, 0
    while done < times:
        before = cpu_seconds(pid)
        for _ in range(5):  # as many as a shard gives in a second
            answer = await talk.ask(read)
            done += 1
        spent += cpu_seconds(pid) - before
        assert len(json.loads(answer)["Records"]) == 100
        await asyncio.sleep(1.1)
    return spent / done * 1e6


def throughput(port: int, pid: int, asking: Stream, seconds: float) -> None:
    """One record a call, five hundred a call."""
    each = seconds / ROUNDS
    floor = rate(pid, lambda: measure(port, [whoami(port, asking.who)], seconds=each).answers).per_core
    print(f"{'the cheapest signed call there is (sts:GetCallerIdentity)':<58} {floor:10,.2f} /s")
    singles = [asking.call("PutRecord", StreamName="rate", **record(n)) for n in range(200)]
    found = rate(pid, lambda: measure(port, singles, seconds=each).answers)
    line(f"PutRecord, per core {found}", found.per_core, 3000, "/s")
    batches = [
        asking.call("PutRecords", StreamName="rate", Records=[record(k * BATCH + n) for n in range(BATCH)])
        for k in range(40)
    ]
    found = rate(pid, lambda: measure(port, batches, seconds=each).answers * BATCH)
    line(f"records in batches of {BATCH}, per core {found}", found.per_core, 30_000, "/s")


def main() -> None:
    """The report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--deep", type=int, default=1_000_000)
    asked = parser.parse_args()
    pin(1)
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), "shallow", 1_000)
        fill(Path(folder), "deep", asked.deep)
        with serving(folder) as (port, pid):
            who = administrator(port)
            kinesis = client(port, "kinesis")
            kinesis.create_stream(StreamName="rate", ShardCount=SHARDS)
            kinesis.get_waiter("stream_exists").wait(StreamName="rate", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
            asking = Stream(port, who, "rate")
            throughput(port, pid, asking, asked.seconds)
            costs: dict[str, list[float]] = {"shallow": [], "deep": []}
            for _ in range(3):
                for name, found in costs.items():
                    found.append(asyncio.run(takes(asking, name, 15, pid)))
            few, many = median(costs["shallow"]), median(costs["deep"])
            name = f"a read at {asked.deep:,} ({many:.0f} us) to one at 1,000 ({few:.0f} us)"
            line(name, many / few, 1.3, "times", most=True)


if __name__ == "__main__":
    main()
