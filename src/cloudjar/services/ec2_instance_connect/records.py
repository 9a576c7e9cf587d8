"""What is stored of pushed keys: the metadata service shows the guest its own, serial consoles ask for theirs."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record


class PushedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key, and until when its user may come in with it."""

    user: str
    key: str
    until: datetime


@record("ec2-instance-connect", "pushed-keys", key="instance_id")
class PushedKeys(Record, frozen=True, kw_only=True):
    """The keys of an instance; those that are over are dropped with the next push."""

    instance_id: str
    keys: tuple[PushedKey, ...] = ()

    def active(self, now: datetime) -> dict[str, list[str]]:
        """Keys by user."""
        found: dict[str, list[str]] = {}
        for one in self.keys:
            if now < one.until:
                found.setdefault(one.user, []).append(one.key)
        return found


@record("ec2-instance-connect", "serial-keys", key="instance_id")
class SerialKeys(Record, frozen=True, kw_only=True):
    """The keys of an instance's serial console, whose user is its port; those that are over go with the next push."""

    instance_id: str
    keys: tuple[PushedKey, ...] = ()

    def admits(self, user: str, key: str, now: datetime) -> bool:
        """Whether a key lets its holder in now."""
        return any(one.user == user and one.key == key and now < one.until for one in self.keys)
