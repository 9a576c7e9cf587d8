"""What authorisation asks of Organizations, answered from memory: `auth.organization.Organization`.

Everything is derived from records and forgotten at any write to one of Organizations' tables. A reader that began
before a write files its answer in the memory that the write has replaced.
"""

from __future__ import annotations

from cloudjar.auth.organization import Standing
from cloudjar.kit.context import World
from cloudjar.kit.db import Db
from cloudjar.policy.document import parse
from cloudjar.policy.evaluate import Policy
from cloudjar.policy.grammar import Flavour
from cloudjar.services.organizations.managed import policy_arn
from cloudjar.services.organizations.records import RCP, SCP
from cloudjar.services.organizations.tree import Node, Org, of_account

_CACHE_LIMIT = 4096
_PORT = "organizations"
_FLAVOURS = {SCP: Flavour.SCP, RCP: Flavour.RCP}


def standing(world: World) -> Standings:
    """The one view of Organizations that a world has."""
    found: Standings | None = world.ports.get(_PORT)
    if found is None:
        found = world.ports[_PORT] = Standings(world)
    return found


class Standings:
    """The Organizations service as `auth` sees it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._places: dict[str, Standing | None] = {}
        world.state.watchers.setdefault("organizations", []).append(self._forget)

    def _forget(self) -> None:
        self._places = {}

    def standing(self, account: str) -> Standing | None:
        """The account's place in its organization with the policies that bound it; None for one without."""
        known = self._places
        try:
            return known[account]
        except KeyError:
            found = self._read(account)
        if len(known) >= _CACHE_LIMIT:
            known.clear()
        known[account] = found
        return found

    def _read(self, account: str) -> Standing | None:
        found = of_account(Db(self._world.state, account, ""), account)
        if found is None:
            return None
        org, member = found
        branch = org.branch(member)
        return Standing(
            org.id,
            org.management,
            "/".join([org.id, *(step.id for step in branch[:-1])]) + "/",
            _levels(org, branch, SCP),
            _levels(org, branch, RCP),
        )


def _levels(org: Org, branch: list[Node], type_: str) -> tuple[tuple[Policy, ...], ...] | None:
    """What is attached to each step of the way down; None while the type is not enabled."""
    if not org.has_all_features or type_ not in org.root.types:
        return None
    flavour = _FLAVOURS[type_]
    return tuple(
        tuple(
            Policy(parse(policy.content, flavour), policy.name, policy_arn(policy))
            for policy in org.attached(node.id, type_)
        )
        for node in branch
    )
