"""Order, held against a model: random producers, splits, merges, crashes and time, and a consumer that reads as the
Kinesis Client Library does: a shard to its end, then its children."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.jar import TestJar, running
from tests.services.kinesis.streams import listed, made, ready

SEEDS, STEPS = 20, 50


class History:
    """One random history of a stream, and what it owes its consumer: of every key, everything in order."""

    def __init__(self, jar: TestJar, seed: int) -> None:
        self.jar, self.chance = jar, random.Random(seed)
        self.kinesis = made(jar, ShardCount=self.chance.randint(1, 4))
        self.owed: dict[str, list[bytes]] = defaultdict(list)
        self.numbers: dict[str, list[int]] = defaultdict(list)
        self.count = 0

    def open_shards(self) -> list[dict[str, Any]]:
        return [one for one in listed(self.kinesis) if "EndingSequenceNumber" not in one["SequenceNumberRange"]]

    def put(self) -> None:
        """A batch, or one record; of some producers, each with a key of its own."""
        batch: list[dict[str, Any]] = []
        for _ in range(self.chance.choice((1, 1, 7, 20))):
            key = f"producer-{self.chance.randrange(8)}"
            self.count += 1
            batch.append({"Data": b"%s %d" % (key.encode(), self.count), "PartitionKey": key})
        if len(batch) == 1:
            told = [self.kinesis.put_record(StreamName="s", **batch[0])]
        else:
            told = self.kinesis.put_records(StreamName="s", Records=batch)["Records"]
        for record, one in zip(batch, told, strict=True):
            self.owed[record["PartitionKey"]].append(record["Data"])
            self.numbers[one["ShardId"]].append(int(one["SequenceNumber"]))

    def split(self) -> None:
        shard = self.chance.choice(self.open_shards())
        lo, hi = (int(shard["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
        cut = self.chance.randint(lo + 2, hi - 1)
        self.kinesis.split_shard(StreamName="s", ShardToSplit=shard["ShardId"], NewStartingHashKey=str(cut))

    def merge(self) -> None:
        there = sorted(self.open_shards(), key=lambda one: int(one["HashKeyRange"]["StartingHashKey"]))
        if len(there) > 1:
            at = self.chance.randrange(len(there) - 1)
            pair = [there[at]["ShardId"], there[at + 1]["ShardId"]]
            self.chance.shuffle(pair)
            self.kinesis.merge_shards(StreamName="s", ShardToMerge=pair[0], AdjacentShardToMerge=pair[1])

    def scale(self) -> None:
        now = len(self.open_shards())
        count = self.chance.randint(-(-now // 2), 2 * now)
        self.kinesis.update_shard_count(StreamName="s", TargetShardCount=count, ScalingType="UNIFORM_SCALING")

    def run(self) -> None:
        """Many puts among changes; what is begun may be under way during the next puts."""
        changes = (self.split, self.split, self.merge, self.merge, self.scale)
        scaled = 0
        for _ in range(STEPS):
            drawn = self.chance.random()
            if drawn < 0.7:
                self.put()
            elif drawn < 0.85:
                ready(self.jar)
                change = self.chance.choice(changes)
                if change != self.scale or scaled < 10:
                    scaled += change == self.scale
                    change()
            elif drawn < 0.93:
                self.jar.crash()
            else:
                self.jar.advance(minutes=self.chance.randint(1, 10))
        ready(self.jar)

    def consumed(self) -> dict[str, list[bytes]]:
        """Everything, read as a consumer does that knows only what it is told."""
        found: dict[str, list[bytes]] = defaultdict(list)
        done: set[str] = set()
        roots = [one["ShardId"] for one in listed(self.kinesis) if "ParentShardId" not in one]
        todo, parents = list(roots), {name: set[str]() for name in roots}
        while todo:
            self.chance.shuffle(todo)
            name = next(one for one in todo if parents[one] <= done)
            todo.remove(name)
            for child in self._read(name, found):
                parents[child["ShardId"]] = set(child["ParentShards"])
                if child["ShardId"] not in todo:
                    todo.append(child["ShardId"])
            done.add(name)
        assert done == {one["ShardId"] for one in listed(self.kinesis)}
        return found

    def _read(self, name: str, found: dict[str, list[bytes]]) -> list[dict[str, Any]]:
        asked = {"StreamName": "s", "ShardId": name, "ShardIteratorType": "TRIM_HORIZON"}
        at: str | None = self.kinesis.get_shard_iterator(**asked)["ShardIterator"]
        numbers = []
        while at:
            told = self.kinesis.get_records(ShardIterator=at, Limit=self.chance.randint(1, 50))
            for record in told["Records"]:
                found[record["PartitionKey"]].append(record["Data"])
                numbers.append(int(record["SequenceNumber"]))
            at = told.get("NextShardIterator")
            if at and not told["Records"] and not told["MillisBehindLatest"]:
                at = None
        assert numbers == self.numbers[name] == sorted(set(numbers))
        return list(told.get("ChildShards", []))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_key_is_read_in_the_order_in_which_it_was_put(tmp_path: Path, seed: int) -> None:
    with running(tmp_path) as jar:
        history = History(jar, seed)
        history.run()
        assert history.consumed() == history.owed
