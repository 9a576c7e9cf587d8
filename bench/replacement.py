"""A web server of an Auto Scaling group loses its power: how long until its successor serves behind the load balancer,
and which requests failed meanwhile; on real planes.

    sudo .venv/bin/python bench/replacement.py [--times 3]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloudjar.base.clock import monotonic
from tests.host.jar.scaled import Scaled, Visitor, scaled
from tests.host.jar.served import until

BAR = 5.0
"""Seconds until a successor serves."""


def once(group: Scaled) -> float:
    """One replacement, told on the standard output; seconds until the successor served."""
    visitor = Visitor(group.address)
    visitor.start()
    until(lambda: len({a.body for a in visitor.asked if a.status == 200}) == 2, "both to serve")
    victim = min(m for m, state in group.members().items() if state == "InService")
    began = monotonic()
    times = group.replaced(victim)
    failed = [a for a in visitor.close() if a.status != 200]
    for what, seconds in times.items():
        print(f"  {what:26} {seconds:6.2f} s")
    last = f", the last sent after {failed[-1].sent - began:.2f} s" if failed else ""
    print(f"  {len(visitor.asked)} requests, {len(failed)} failed{last}")
    return times["successor serves"]


def main() -> int:
    """0 when every replacement served within the bar."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=3)
    with scaled() as group:
        found = [once(group) for _ in range(parser.parse_args().times)]
    print(f"serves again after {max(found):.2f} s at worst (bar {BAR:.0f} s)")
    return 0 if max(found) < BAR else 1


if __name__ == "__main__":
    sys.exit(main())
