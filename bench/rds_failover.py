"""A Multi-AZ database loses its engine, its machine or its zone: for how long a writer that retries gets no
acknowledgement, and whether all that was acknowledged is there; on real planes.

    sudo .venv/bin/python bench/rds_failover.py [--times 3] [--forced 10]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloudjar.base.clock import monotonic
from tests.host.jar.pair import KILL, RUIN, Pair, Writer, forced_failovers
from tests.host.jar.served import real_jar, until

ENGINE, ZONE = 5.0, 10.0
"""Seconds without an acknowledgement, at most."""


def once(pair: Pair, what: str, blow: Callable[[], Callable[[], None]], moves: bool) -> float:
    """One misfortune under load, told on the standard output; the longest time without an acknowledgement."""
    until(pair.synced, "the standby to be in sync", 300)
    before = pair.zones()
    with Writer(pair) as writer:
        began = monotonic()
        mend = blow()
        if moves:
            until(lambda: pair.zones() == before[::-1], f"the standby to take over ({what})", 120)
        writer.more(50)
        gap = writer.gap(began)
        mend()
    lost = writer.missing()
    print(f"  {what:34} {gap:6.2f} s, {len(writer.acknowledged)} acknowledged, {len(lost)} lost", flush=True)
    if lost:
        raise SystemExit(f"lost: {sorted(lost)[:20]}")
    return gap


def _inside(pair: Pair, script: str) -> Callable[[], Callable[[], None]]:
    def blow() -> Callable[[], None]:
        pair.jar.inside(pair.primary(), script)
        return lambda: None

    return blow


def _machine(pair: Pair) -> Callable[[], None]:
    pair.jar.compute.stop(pair.primary(), force=True)
    return lambda: None


def _zone(pair: Pair) -> Callable[[], None]:
    fault = pair.fault(pair.zones()[0])
    return lambda: pair.mend(fault)


def _forced(pair: Pair) -> Callable[[], None]:
    pair.failover()
    return lambda: None


def main() -> int:
    """0 when every bar was kept and nothing was lost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--forced", type=int, default=10)
    asked = parser.parse_args()
    missed = []
    with real_jar() as jar:
        pair = Pair(jar)
        pair.create(MultiAZ=True)
        trials: tuple[tuple[str, Callable[[], Callable[[], None]], bool, float], ...] = (
            ("engine killed, comes back", _inside(pair, KILL), False, ENGINE),
            ("engine killed, does not come back", _inside(pair, RUIN), True, ENGINE),
            ("machine lost", lambda: _machine(pair), True, ENGINE),
            ("zone without power", lambda: _zone(pair), True, ZONE),
            ("reboot with failover", lambda: _forced(pair), True, ZONE),
        )
        for what, blow, moves, bar in trials:
            worst = max(once(pair, what, blow, moves) for _ in range(asked.times))
            print(f"{what}: {worst:.2f} s at worst (bar {bar:.0f} s)", flush=True)
            if worst > bar:
                missed.append(what)
        found = forced_failovers(pair, asked.forced)
        print(f"{asked.forced} forced failovers, the jar killed in every second: {found.acknowledged} acknowledged, "
              f"{len(found.lost)} lost, {found.gap:.2f} s without an acknowledgement at worst")  # fmt: skip
    return 1 if missed or found.lost else 0


if __name__ == "__main__":
    sys.exit(main())
