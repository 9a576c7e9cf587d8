"""Tests of the real host: they follow each other on one worker, and where they cannot run, the report says why."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache

import pytest


@cache
def obstacle() -> str:
    """Why real networks and machines cannot be had here; empty when they can."""
    if sys.platform != "linux":
        return "this is not Linux"
    if os.geteuid() != 0:
        return "they need root (sudo make test)"
    from cloudjar.planes.compute import doctor as compute
    from cloudjar.planes.network import doctor as network

    bad = [f"{f.what}: {f.why}. Try: {f.hint}" for f in network.doctor() if not f.ok]
    bad += [f"{f.what}: {f.why}. Try: {f.hint}" for f in compute.doctor() if not f.ok]
    return "; ".join(bad)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Packets are timed and tools are many: two tests of the host at once would be in each other's way."""
    hosted = [item for item in items if item.get_closest_marker("host")]
    for item in hosted:
        item.add_marker(pytest.mark.xdist_group("host"))
        if obstacle():
            item.add_marker(pytest.mark.skip(reason=f"host: {obstacle()}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Nobody takes a green run without the real host for a whole one."""
    skipped = [r for r in terminalreporter.stats.get("skipped", ()) if "host" in getattr(r, "keywords", {})]
    if skipped:
        reason = obstacle() or "see the reasons above"
        terminalreporter.write_line(f"NOT RUN: {len(skipped)} tests of the real host: {reason}", yellow=True)
