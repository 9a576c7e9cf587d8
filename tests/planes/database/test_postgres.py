"""What PostgreSQL is told: verifiers, configuration, who may come in, SQL that says names as they are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import tarfile

import pytest

from cloudjar.planes.database import postgres
from cloudjar.planes.database.port import Engine


def engine(**more: object) -> Engine:
    """An engine with what it must have."""
    asked = {"machine": "db-1", "kind": "postgres", "major": "15", "port": 5432, "master": "boss"}
    return Engine(**{**asked, "certificate": "CRT", "key": "KEY", **more})  # type: ignore[arg-type]  # plain values


def test_a_verifier_is_what_rfc_5803_says() -> None:
    salt = bytes(range(16))
    name, iterations, keys = postgres.scram("pencil", salt).split("$")
    rounds, _, kept = iterations.partition(":")
    stored, _, server = keys.partition(":")
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", base64.b64decode(kept), int(rounds))
    client = hmac.digest(salted, b"Client Key", "sha256")
    assert (name, base64.b64decode(kept)) == ("SCRAM-SHA-256", salt)
    assert base64.b64decode(stored) == hashlib.sha256(client).digest()
    assert base64.b64decode(server) == hmac.digest(salted, b"Server Key", "sha256")


def test_what_the_host_decides_cannot_be_set() -> None:
    text = postgres.configuration(engine(settings=(("work_mem", "64"), ("hba_file", "/etc/passwd"), ("ssl", "off"))))
    assert "work_mem = '64'\n" in text
    assert "/etc/passwd" not in text
    assert text.count("ssl = ") == 1
    with pytest.raises(ValueError, match="one line"):
        postgres.configuration(engine(settings=(("application_name", "a\nssl = off"),)))


def test_without_tls_nobody_comes_in_unless_it_may_be_left_out() -> None:
    assert "hostssl all all all scram-sha-256\n" in postgres.admission(engine())
    assert "\nhost all all all" not in postgres.admission(engine())
    assert "\nhost all all all scram-sha-256\n" in postgres.admission(engine(needs_tls=False))
    first = postgres.admission(engine(needs_tls=False)).splitlines()[:4]
    assert first[2:] == ["host all rdsadmin all reject", "host rdsadmin all all reject"]


def test_names_and_strings_are_said_as_they_are() -> None:
    assert postgres.identifier('we"ird') == '"we""ird"'
    assert postgres.literal("it's") == "'it''s'"
    assert postgres.literal("a\\'b") == "E'a\\\\''b'"
    said = postgres.setup(engine(master="Boss", database="Shop", verifier="SCRAM-SHA-256$x"))
    assert "CREATE DATABASE \"Shop\" OWNER \"Boss\"" in said
    assert "ALTER ROLE \"Boss\" PASSWORD 'SCRAM-SHA-256$x';" in said
    assert "PASSWORD 'SCRAM" not in postgres.setup(engine())


def test_all_goes_in_one_archive() -> None:
    with tarfile.open(fileobj=io.BytesIO(postgres.archive(engine()))) as packed:
        names = packed.getnames()
        assert all(one.mode == 0o600 for one in packed.getmembers())
    assert {"conf/server.key", "conf/pg_hba.conf", "setup.sql"} <= set(names)
