"""An authenticator app, as people carry it: RFC 6238 worked out anew, so that tests do not ask the product."""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import b32decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.jar import TestJar


class Watch:
    """The machine's clock as a test has it: it begins at the true time, since signatures are made by that, and is
    moved by hand. Requests stay within the minutes that a signature is fresh."""

    def __init__(self, jar: TestJar, monkeypatch: pytest.MonkeyPatch) -> None:
        begin = int(datetime.now(UTC).timestamp()) // 30 * 30 + 5
        self.time = datetime.fromtimestamp(begin, UTC)
        monkeypatch.setattr(jar.clock, "real", lambda: self.time)

    def tick(self, steps: int = 1) -> None:
        """Let some steps of 30 seconds pass."""
        self.time += timedelta(seconds=30 * steps)


class Phone:
    """Shows codes for one seed; `fast` is how many steps its own clock is ahead."""

    def __init__(self, watch: Watch, made: dict[str, Any], fast: int = 0) -> None:
        self.watch = watch
        self.serial: str = made["VirtualMFADevice"]["SerialNumber"]
        self.fast = fast
        self._seed = b32decode(made["VirtualMFADevice"]["Base32StringSeed"])

    def code(self, later: int = 0) -> str:
        """What it shows now, or some steps later."""
        step = int(self.watch.time.timestamp()) // 30 + self.fast + later
        digest = hmac.new(self._seed, struct.pack(">Q", step), hashlib.sha1).digest()
        start = digest[19] & 15
        return f"{(struct.unpack_from('>I', digest, start)[0] & 0x7FFFFFFF) % 10**6:06d}"

    def two(self) -> dict[str, str]:
        """The last code and the present one, as EnableMFADevice and ResyncMFADevice want them."""
        return {"AuthenticationCode1": self.code(-1), "AuthenticationCode2": self.code()}


def phone(watch: Watch, iam: Any, name: str = "phone", **more: Any) -> Phone:
    """A new device that nobody has."""
    return Phone(watch, iam.create_virtual_mfa_device(VirtualMFADeviceName=name, **more))


def phone_of(watch: Watch, iam: Any, user: str, name: str = "") -> Phone:
    """A new device that a user has, ready to show its next code."""
    made = phone(watch, iam, name or user)
    iam.enable_mfa_device(UserName=user, SerialNumber=made.serial, **made.two())
    watch.tick()
    return made
