"""External access: who outside of the zone of trust may use a resource."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cloudjar.auth.organization import Organization
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import by_noun
from cloudjar.services.accessanalyzer.findings.resources import Resource, all_of, expanded
from cloudjar.services.accessanalyzer.reach.outside import Zone, known_outsiders
from cloudjar.services.accessanalyzer.records import Analyzer


class Seen(NamedTuple):
    """One access as it is now; `place` tells whether it was seen before."""

    place: str
    resource: Resource
    principal: dict[str, str]
    actions: tuple[str, ...]
    condition: dict[str, str]
    public: bool
    sources: tuple[dict[str, Any], ...]


def zone_of(ctx: Ctx, analyzer: Analyzer) -> Zone:
    """Whom an analyzer trusts: its account, or every account of its organization."""
    if analyzer.type.startswith("ACCOUNT"):
        return Zone(frozenset((analyzer.account,)))
    return organization_of(ctx, analyzer.account) or Zone(frozenset((analyzer.account,)))


def organization_of(ctx: Ctx, account: str) -> Zone | None:
    """The organization of an account with all its accounts; None when it is in none."""
    port: Organization | None = ctx.world.ports["organization"]()
    standing = port.standing(account) if port is not None else None
    declared = by_noun("organizations", "account") if standing is not None else None
    if standing is None or declared is None:
        return None
    members = ctx.at(standing.management_account, "").db[declared.type].all()
    return Zone(frozenset(member.id for member in members), standing.id)


def seen(ctx: Ctx, analyzer: Analyzer) -> Iterator[Seen]:
    """Every access from outside to the resources of the zone."""
    zone = zone_of(ctx, analyzer)
    for account in sorted(zone.accounts):
        for resource in all_of(ctx, account, analyzer.region):
            yield from of_resource(resource, zone)


def of_resource(resource: Resource, zone: Zone) -> Iterator[Seen]:
    """Access from outside to one resource, as all its documents together say."""
    found: dict[str, Seen] = {}
    own = _own(resource, zone)
    for document, source in resource.documents:
        if source["type"] == "S3_ACCESS_POINT" and not own:
            continue
        for who, patterns in known_outsiders(document, zone):
            actions = {action for pattern in patterns for action in expanded(pattern, resource.noun)}
            condition = dict(who.condition)
            place = json.dumps([resource.arn, who.kind, who.name, condition])
            before = found.get(place)
            merged = actions | set(before.actions if before is not None else ())
            held = before.sources if before is not None else ()
            sources = held if source in held else (*held, source)
            found[place] = Seen(
                place, resource, {who.kind: who.name}, tuple(sorted(merged)), condition, who.public, sources
            )
    yield from found.values()


def _own(resource: Resource, zone: Zone) -> bool:
    """Whether the resource's own policy lets anybody in from outside: without that an access point does not either."""
    return any(said.source["type"] == "POLICY" and known_outsiders(said.document, zone) for said in resource.documents)
