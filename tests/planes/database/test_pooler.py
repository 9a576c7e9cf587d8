"""What a pooler is told."""

from __future__ import annotations

import io
import tarfile

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.database import pooler
from cloudjar.planes.database.pooler import Pooler, User

BOSS = User(name='the "boss"', password='pass"word')


def told(**more: object) -> Pooler:
    """A pooler with what it must have."""
    asked = {
        "machine": "db-proxy-1", "port": 5432, "address": "10.0.1.5", "engine_port": 6000, "paused": False,
        "users": (BOSS,), "by_token": False, "needs_tls": True, "idle_seconds": 60, "borrow_seconds": 7,
        "connections": 9, "certificate": "CRT", "key": "KEY", "authority": "CA",
    }  # fmt: skip
    return Pooler(**{**asked, **more})  # type: ignore[arg-type]  # plain values


def test_who_has_a_secret_comes_in_as_it_says() -> None:
    with tarfile.open(fileobj=io.BytesIO(pooler.archive(told()))) as files:
        read = {m.name: (files.extractfile(m) or io.BytesIO()).read().decode() for m in files.getmembers()}
    assert read["conf/users"] == '"the ""boss""" "pass""word"\n'
    assert read["conf/hba"] == 'hostssl all "the ""boss""" 0.0.0.0/0 scram-sha-256\n'
    assert pooler.admission(told(needs_tls=False)).startswith("host all ")
    said = read["conf/pgbouncer.ini"]
    assert "* = host='10.0.1.5' port='6000'\n" in said
    assert "auth_type = hba\n" in said
    assert "client_tls_sslmode = require\n" in said
    assert ("query_wait_timeout = 7\n" in said, "max_db_connections = 9\n" in said) == (True, True)


def test_with_tokens_the_engine_still_gets_the_password_of_the_secret() -> None:
    said = pooler.configuration(told(by_token=True, needs_tls=False, users=(User(name="jane", password="it's"),)))
    assert "* = host='10.0.1.5' port='6000' user='jane' password='it''s'\n" in said
    assert "auth_type = pam\n" in said
    assert "client_tls_sslmode = require\n" in said  # nobody says a token in the clear


def test_what_a_session_set_is_undone_but_not_what_is_said_at_its_beginning() -> None:
    said = pooler.configuration(told(begin="SET a = 'b';"))
    assert "connect_query='SET a = ''b'';'" in said
    (again,) = [line for line in said.splitlines() if line.startswith("server_reset_query = ")]
    assert again.endswith("DISCARD SEQUENCES; SET a = 'b'")
    assert "RESET ALL" in again


def test_nothing_that_is_told_begins_a_line_of_its_own() -> None:
    for wrong in ({"begin": "SELECT 1\nauth_type = any"}, {"address": "x\n[users]"}):
        with pytest.raises(PlaneError, match="one line"):
            pooler.configuration(told(**wrong))
    with pytest.raises(PlaneError, match="one line"):
        pooler.archive(told(users=(User(name="a\nb", password="x"),)))
