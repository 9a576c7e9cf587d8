"""Who may sit at a serial console: whoever has the admin token, where the account allows it, one at a time."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.wire import websocket
from tests.jar import TestJar
from tests.services.ec2.asking import launch
from tests.services.ssm.agent_client import MASK, Refused, connected

STEADY = pytest.mark.parametrize("jar", ["steady"], indirect=True)


def sit(jar: TestJar, machine: str, token: str = "") -> Any:
    given = token or (jar.home / "admin-token").read_text()
    url = f"{jar.endpoint}/_cloudjar/serial/{machine}".replace("http", "ws")
    return connected(url, None, **{"x-cloudjar-token": given})


@STEADY
def test_a_seat_at_the_console(jar: TestJar, ec2: Any) -> None:
    jar.host.let_in = True
    machine = launch(ec2)
    ec2.enable_serial_console_access()
    with pytest.raises(Refused, match="409"):
        sit(jar, machine)
    jar.settle()
    with pytest.raises(Refused, match="403"):
        sit(jar, machine, "nonsense")
    with pytest.raises(Refused, match="404"):
        sit(jar, "i-0123456789abcdef0")
    seat = sit(jar, machine)
    seat.sendall(websocket.frame(websocket.PING, b"", MASK))
    assert seat.recv(2) == websocket.frame(websocket.PONG, b"")
    with pytest.raises(Refused, match="409"):
        sit(jar, machine)
    seat.close()


def test_the_account_must_allow_it(jar: TestJar, ec2: Any) -> None:
    jar.host.let_in = True
    machine = launch(ec2)
    jar.settle()
    with pytest.raises(Refused, match="403"):
        sit(jar, machine)
    assert jar.host.lines == []
