"""Tests of the real host: they follow each other on one worker, and where they cannot run, the report says why."""

from __future__ import annotations

import os
import sys
from functools import cache

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

HOSTED = ("tests/host/", "tests/stories/test_hands_on_project.py")
"""Where tests with the marker `host` are: who deals out tests knows names only."""


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


class FilesAndHost(LoadScopeScheduling):
    """A file goes to one worker, and all of the host's to the same: packets are timed, tools and ports shared."""

    def _split_scope(self, nodeid: str) -> str:
        return "host" if nodeid.startswith(HOSTED) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesAndHost:
    """How `pytest -n` deals out the tests."""
    config.option.loadscopereorder = False  # the order of the collection, below
    return FilesAndHost(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The host's tests take longest, so they come first; where they cannot run, they are skipped aloud."""
    hosted = [item for item in items if item.get_closest_marker("host")]
    strays = [item.nodeid for item in hosted if not item.nodeid.startswith(HOSTED)]
    if strays:
        raise pytest.UsageError(f"tests of the host belong below {HOSTED}: {strays}")
    items.sort(key=lambda item: not item.nodeid.startswith(HOSTED))
    for item in hosted:
        if obstacle():
            item.add_marker(pytest.mark.skip(reason=f"host: {obstacle()}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Nobody takes a green run without the real host for a whole one."""
    skipped = [r for r in terminalreporter.stats.get("skipped", ()) if "host" in getattr(r, "keywords", {})]
    if skipped:
        reason = obstacle() or "see the reasons above"
        terminalreporter.write_line(f"NOT RUN: {len(skipped)} tests of the real host: {reason}", yellow=True)
