"""Group commit under kill -9: several clients write at once, and each has what it was told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.crash.client import Client, Crashed
from tests.crash.server import ServerProcess
from tests.crash.test_kill import assert_audited_once, rows

CLIENTS = 6


@pytest.mark.parametrize("enough", [1, 23, 60])
def test_what_any_of_them_was_told_is_there(tmp_path: Path, enough: int) -> None:
    server = ServerProcess(tmp_path / "home")
    server.start()
    clients = [Client(server) for _ in range(CLIENTS)]
    for client in clients:
        client.call("sts", "get_caller_identity")
    told: list[str] = []

    def write(number: int) -> None:
        try:
            for n in range(1000):
                name = f"u{number}-{n}"
                clients[number].call("iam", "create_user", UserName=name)
                told.append(name)
                if len(told) >= enough:
                    server.kill()
        except Crashed:
            return

    threads = [threading.Thread(target=write, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert server.dead
    server.start()
    try:
        found = {user["UserName"] for user in clients[0].call("iam", "list_users", MaxItems=1000)["Users"]}
        assert set(told) <= found
        assert len(told) >= enough
        assert len(found) <= len(told) + CLIENTS, "each client had at most one call on its way"
        assert server.stop() == 0
        everything = Client(server)
        everything.acknowledged = [call for client in clients for call in client.acknowledged]
        assert_audited_once(server, everything)
        assert rows(server, "PRAGMA integrity_check") == [("ok",)]
    finally:
        server.kill()
