"""What authorisation asks of AWS Organizations: a port, so that it does not know the service."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from cloudjar.policy.evaluate import Policy


class Standing(NamedTuple):
    """An account's place in its organization.

    `scps` and `rcps` are levels from the root down to the account, each of which must allow; None while the policy
    type is not enabled. `path` is ``o-1/r-1/ou-1/`` (``aws:PrincipalOrgPaths``).
    """

    id: str
    management_account: str
    path: str
    scps: tuple[tuple[Policy, ...], ...] | None
    rcps: tuple[tuple[Policy, ...], ...] | None


class Organization(Protocol):
    """The Organizations service as seen from here."""

    def standing(self, account: str) -> Standing | None:
        """The account's place, None for an account without an organization; cached until something changes."""
        ...
