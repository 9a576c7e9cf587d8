"""What authentication and authorisation ask of IAM: a port, so that neither knows the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from cloudjar.base.caller import Caller


class Key(NamedTuple):
    """A user's access key."""

    caller: Caller
    secret: str
    active: bool


class Policies(NamedTuple):
    """Every policy that bears on a principal, compiled; each list may be empty.

    `scps` and `rcps` are levels from the organisation's root to the account; an empty tuple means that the account is
    in no organisation. `boundary` is None when the principal has none.
    """

    identity: Sequence[Any]
    boundary: Any | None = None
    session: Sequence[Any] | None = None
    scps: Sequence[Sequence[Any]] = ()
    rcps: Sequence[Sequence[Any]] = ()


class Identity(Protocol):
    """The IAM service as seen from here."""

    def key(self, access_key_id: str) -> Key | None:
        """A user's key by its id."""
        ...

    def policies(self, caller: Caller) -> Policies:
        """The policies that bear on a caller now."""
        ...

    def exists(self, caller: Caller) -> bool:
        """False when the user or role behind credentials has been deleted."""
        ...

    def key_used(self, access_key_id: str, service: str, region: str) -> None:
        """Note that a user's key was used (for GetAccessKeyLastUsed)."""
        ...
