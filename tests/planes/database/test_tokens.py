"""Who comes by a token, in the engine's words; the door at which the host is asked."""

from __future__ import annotations

import pytest

from cloudjar.planes.database import postgres, tokens
from cloudjar.planes.database.doors import Allowance
from tests.planes.database.test_postgres import engine


def test_members_of_the_role_come_by_a_token_alone() -> None:
    lines = postgres.admission(engine()).splitlines()
    asks = lines.index("hostssl all +rds_iam all pam pamservice=rds")
    assert asks < lines.index("hostssl all all all scram-sha-256")
    assert lines.index("host all rdsadmin all reject") < asks
    assert not [line for line in lines if line.startswith('hostssl all "boss"')]
    assert tokens.ROLE in postgres.setup(engine())


def test_from_16_on_who_hands_the_role_on_keeps_his_password() -> None:
    lines = postgres.admission(engine(major="17", release="17")).splitlines()
    master = lines.index('hostssl all "boss" all scram-sha-256')
    assert master < lines.index("hostssl all +rds_iam all pam pamservice=rds")
    said = postgres.setup(engine(major="17", release="17"))
    assert 'GRANT rds_iam TO "boss" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;' in said
    assert "GRANT rds_iam" not in postgres.setup(engine())


def test_a_build_without_pam_lets_none_of_them_in() -> None:
    assert "hostssl all +rds_iam all reject\n" in postgres.admission(engine(major="16", release="16.9"))


@pytest.mark.parametrize(("kind", "release", "can"), [("postgres", "15", True), ("mariadb", "10.11", False)])
def test_which_builds_ask(kind: str, release: str, can: bool) -> None:
    assert tokens.understood(kind, release) is can


def test_so_many_at_once_and_so_many_a_second() -> None:
    now = [0.0]
    allowance = Allowance(3, 2, lambda: now[0])
    assert [allowance.take() for _ in range(5)] == [True, True, True, False, False]
    now[0] = 1.0
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    now[0] = 1000.0
    assert [allowance.take() for _ in range(4)] == [True, True, True, False]
