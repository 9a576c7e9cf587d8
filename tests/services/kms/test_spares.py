"""RSA keys that are made before anybody asks."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.kit.record import meta
from cloudjar.services.kms.records import Spare
from tests.jar import TestJar
from tests.services.iam.people import refused
from tests.services.kms.test_keys import made

RSA = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}


def spare(jar: TestJar) -> Spare | None:
    """The one of 2048 bits."""
    return jar.jar.world.state.tables.get(meta(Spare).spec, "", "", "RSA_2048")


def public(kms: Any) -> bytes:
    """The public half of a new key."""
    found: bytes = kms.get_public_key(KeyId=made(kms, **RSA)["KeyId"])["PublicKey"]
    return found


def test_a_spare_is_used_once_and_made_again(jar: TestJar) -> None:
    kms = jar.client("kms")
    halves = [public(kms)]
    first = spare(jar)
    assert first is not None
    assert first.sealed == b""
    jar.settle()
    ready = spare(jar)
    assert ready is not None
    assert ready.sealed
    halves += [public(kms)]
    taken = spare(jar)
    assert taken is not None
    assert taken.sealed == b""
    halves += [public(kms)]  # made while the caller waits
    jar.settle()
    halves += [public(kms)]
    assert len(set(halves)) == 4


def test_a_spare_of_a_call_that_failed_is_not_lost(steady_jar: TestJar, monkeypatch: pytest.MonkeyPatch) -> None:
    kms = steady_jar.client("kms")
    made(kms, **RSA)
    steady_jar.settle()
    before = spare(steady_jar)
    monkeypatch.setattr(steady_jar.jar.world.state.quotas, "limit", lambda *_: 1)  # the account is full
    with refused("LimitExceededException", "maximum number of KMS keys (1)"):
        made(kms, **RSA)
    assert spare(steady_jar) == before
