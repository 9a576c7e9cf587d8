"""Starting imports nothing that nobody called for: the bar is 0.35 s to the first answer (`bench/cold_start`)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# What costs tens of milliseconds or megabytes, and is for the one call that needs it.
SLOW = ("awscrt", "boto3", "botocore", "click", "cryptography", "dnslib", "pyroute2", "urllib.request")

_SERVER = """
import sys
from pathlib import Path
import cloudjar.cli.serve, uvloop
from cloudjar.app import Jar
from cloudjar.base.settings import Settings

async def run():
    jar = Jar(Settings(home=Path(sys.argv[1]), port=0, planes="sim", durable=False))
    await jar.start()
    await jar.stop()

uvloop.run(run())
print(*sys.modules)
"""

_HANDS = """
import sys
import cloudjar.planes.compute.container, cloudjar.planes.network.linux
print(*sys.modules)
"""


def _imported(code: str, *args: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code, *args], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("code", [_SERVER, _HANDS], ids=["a simulated jar", "the linux planes"])
def test_a_start_imports_nothing_slow(code: str, tmp_path: Path) -> None:
    assert not _imported(code, str(tmp_path)) & set(SLOW)


def test_a_start_loads_no_service(tmp_path: Path) -> None:
    services = {name for name in _imported(_SERVER, str(tmp_path)) if name.startswith("cloudjar.services.")}
    assert services == set()
