"""DNS names that services give out: whoever gives out names under a domain says what they mean.

The resolvers of VPCs ask here, on a thread of their own. A service declares at import and is imported at the start
when it has records, so names that are in the store are known.
"""

from __future__ import annotations

from collections.abc import Callable

from cloudjar.kit.context import World

Resolve = Callable[[World, str, str], tuple[str, ...]]
"""(world, id of the VPC that asks ("" for the host), lower-case name without final dot) -> addresses of either family;
none when there is no such name. Of ``.in-addr.arpa`` names, the names that stand there; none leaves it to the
network."""

Say = Callable[[World, str], tuple[str, ...]]
"""(world, lower-case name without final dot) -> what TXT records of public zones say there."""

_SAYERS: list[Say] = []


def publishes(say: Say) -> Say:
    """Decorator: who has public zones (Route 53)."""
    _SAYERS.append(say)
    return say


def texts(world: World, name: str) -> tuple[str, ...]:
    """What the public DNS of this jar says at a name; nothing while no service has zones."""
    world.load("route53")
    return tuple(text for say in _SAYERS for text in say(world, name.lower().rstrip(".")))


_DOMAINS: dict[str, Resolve] = {}


def resolves(domain: str) -> Callable[[Resolve], Resolve]:
    """Decorator: who answers for the names that end with `domain` (``.elb.amazonaws.com``). Called from any thread,
    outside any transaction: whoever reads the store holds its lock."""

    def declare(function: Resolve) -> Resolve:
        _DOMAINS[domain] = function
        return function

    return declare


def addresses(world: World, vpc_id: str, name: str) -> tuple[str, ...] | None:
    """What a name means; None when no service answers for its domain."""
    for domain, resolve in _DOMAINS.items():
        if name.endswith(domain):
            return resolve(world, vpc_id, name)
    return None
