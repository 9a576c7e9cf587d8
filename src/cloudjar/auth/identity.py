"""What authentication and authorisation ask of IAM: a port, so that neither knows the service."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from cloudjar.base.caller import Caller
from cloudjar.policy.evaluate import PolicySet


class Key(NamedTuple):
    """A user's access key."""

    caller: Caller
    secret: str
    active: bool


class Identity(Protocol):
    """The IAM service as seen from here."""

    def key(self, access_key_id: str) -> Key | None:
        """A user's key by its id."""
        ...

    def policies(self, caller: Caller) -> PolicySet:
        """Identity, boundary, session and organisation policies that bear on a caller now, compiled and cached."""
        ...

    def exists(self, caller: Caller) -> bool:
        """False when the user or role behind credentials has been deleted."""
        ...

    def key_used(self, access_key_id: str, service: str, region: str) -> None:
        """Note that a user's key was used (for GetAccessKeyLastUsed)."""
        ...

    def role_used(self, caller: Caller, region: str) -> None:
        """Note that a role's session made a call (for GetRole)."""
        ...
