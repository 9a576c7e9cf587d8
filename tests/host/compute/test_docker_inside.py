"""Docker inside a machine: what the whole Hands-on Project stands on."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from cloudjar.planes.compute.container import ContainerCompute
from tests.host.compute.conftest import spec, until
from tests.host.compute.guestnet import guest_network, resolvers

pytestmark = [pytest.mark.host, pytest.mark.slow]

APP = """
set -e
mkdir -p /root/app/www && cd /root/app
cat > Dockerfile <<'X'
FROM scratch
COPY busybox /busybox
COPY www /www
STOPSIGNAL SIGKILL
CMD ["/busybox", "httpd", "-f", "-p", "8000", "-h", "/www"]
X
cat > docker-compose.yml <<'X'
version: "3"
services:
  web:
    build: .
    restart: always
    ports: ["8000:8000"]
X
echo '[{"id": 1}]' > www/tasks
cp /bin/busybox busybox
docker-compose up -d --build
"""


def fetch(address: str) -> bytes:
    try:
        with urllib.request.urlopen(f"http://{address}:8000/tasks", timeout=2) as answer:
            body: bytes = answer.read()
            return body
    except OSError:
        return b""


def test_compose_builds_serves_and_comes_back_after_a_stop(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(17, instance="i-dock", public_key=key[1], nat=True) as ip:
        machine = spec(17, "i-dock", resolver=resolvers())
        host.start(machine)
        code, said = host.run("i-dock", ["apt-get", "update"], timeout=120)
        if code or b"Err:" in said:
            pytest.skip("a guest cannot reach Debian's packages from this host")
        install = "DEBIAN_FRONTEND=noninteractive apt-get install -y docker.io docker-compose busybox-static"
        code, said = host.run("i-dock", ["sh", "-c", install], timeout=240)
        assert code == 0, said[-2000:]
        code, said = host.run("i-dock", ["sh", "-c", APP], timeout=120)
        assert code == 0, said[-2000:]
        until(lambda: fetch(ip) == b'[{"id": 1}]\n')
        code, said = host.run("i-dock", ["docker", "info", "--format", "{{.Driver}}"])
        assert said.split()[-1] == b"overlay2"
        code, said = host.run("i-dock", ["docker", "run", "--rm", "-m", "64m", "app_web", "/busybox", "id"])
        assert (code, said.split()[0]) == (0, b"uid=0"), said
        host.stop("i-dock")
        assert fetch(ip) == b""
        host.start(machine)
        until(lambda: fetch(ip) == b'[{"id": 1}]\n', seconds=30)
