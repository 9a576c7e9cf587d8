"""Unused access: roles, keys, passwords and permissions that nobody used for some days, from the audit.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings-remediate.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cloudjar.auth.identity import Identity
from cloudjar.base.caller import Caller
from cloudjar.kit import activity
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Record, arn_of, by_noun
from cloudjar.policy.document import Document, Statement
from cloudjar.policy.evaluate import PolicySet
from cloudjar.services.accessanalyzer.findings.external import zone_of
from cloudjar.services.accessanalyzer.reach import globs
from cloudjar.services.accessanalyzer.reach.statements import actions_of
from cloudjar.services.accessanalyzer.records import Analyzer, Unused
from cloudjar.services.accessanalyzer.validation.actions import named

Fields = dict[str, Any]


def seen(ctx: Ctx, analyzer: Analyzer) -> Iterator[Fields]:
    """What is unused in the zone now, as fields of findings. `kit.activity.follow` first."""
    excluded = {account for exclusion in analyzer.exclusions for account in exclusion.accounts}
    tags = [wanted for exclusion in analyzer.exclusions for wanted in exclusion.tags]
    before = ctx.now - timedelta(days=analyzer.age)
    for account in sorted(zone_of(ctx, analyzer).accounts - excluded):
        there = ctx.at(account, "")
        for noun in ("role", "user"):
            for item in _all(there, "iam", noun):
                if not any(wanted.items() <= item.tags.items() for wanted in tags):
                    yield from _of_role(there, item, before) if noun == "role" else _of_user(there, item, before)


def _all(ctx: Ctx, service: str, noun: str, **where: str) -> list[Any]:
    ctx.world.load("iam")
    declared = by_noun(service, noun)
    return [] if declared is None else ctx.db[declared.type].all(**where)


def _of_role(ctx: Ctx, role: Any, before: datetime) -> Iterator[Fields]:
    """Roles of services are the services' own business."""
    if role.linked_service:
        return
    used = activity.of(ctx, role.account, role.id)
    last = max((access.at for access in used), default=None)
    if role.created < before and (last is None or last < before):
        yield _fields("UnusedIAMRole", role, "AWS::IAM::Role", last=last)
    elif role.created < before:
        yield from _permissions(ctx, role, "AWS::IAM::Role", before)


def _of_user(ctx: Ctx, user: Any, before: datetime) -> Iterator[Fields]:
    for key in _all(ctx, "iam", "access-key", user=user.name):
        use = next((u for u in _all(ctx, "iam-use", "access-key") if u.id == key.id), None)
        last = None if use is None else use.at
        if key.created < before and (last is None or last < before):
            yield _fields("UnusedIAMUserAccessKey", user, "AWS::IAM::User", last=last, key=key.id)
    for profile in _all(ctx, "iam", "login-profile"):
        stale = user.password_used is None or user.password_used < before
        if profile.user == user.name and profile.created < before and stale:
            yield _fields("UnusedIAMUserPassword", user, "AWS::IAM::User", last=user.password_used)
    if user.created < before:
        yield from _permissions(ctx, user, "AWS::IAM::User", before)


def _fields(kind: str, item: Record, type_: str, **more: Any) -> Fields:
    arn = arn_of(item)
    place = f"{kind} {arn} {more.get('key', '')}"
    return {"place": place, "type": kind, "resource": arn, "resource_type": type_, "owner": item.account, **more}


# Permissions ----------------------------------------------------------------------------------------


def _permissions(ctx: Ctx, item: Any, type_: str, before: datetime) -> Iterator[Fields]:
    granted = granted_to(policies_of(ctx, item))
    if not granted:
        return
    last: dict[str, dict[str, datetime]] = defaultdict(dict)
    for access in activity.of(ctx, item.account, item.id):
        last[access.service][access.action.lower()] = access.at
    unused = tuple(
        found for service in sorted(granted) if (found := _unused(service, granted[service], last[service], before))
    )
    if unused:
        yield _fields("UnusedPermission", item, type_, unused=unused)


def _unused(service: str, granted: frozenset[str], last: dict[str, datetime], before: datetime) -> Unused | None:
    """What of a service's permissions was not used; None when all was."""
    newest = max(last.values(), default=None)
    if newest is None or newest < before:
        return Unused(service=service, last=newest)
    stale = tuple((name, last.get(name.lower())) for name in sorted(granted) if _is_stale(last, name, before))
    return Unused(service=service, last=newest, actions=stale) if stale else None


def _is_stale(last: dict[str, datetime], name: str, before: datetime) -> bool:
    at = last.get(name.lower())
    return at is None or at < before


def policies_of(ctx: Ctx, item: Any) -> PolicySet:
    """The policies of a user or a role."""
    identity: Identity = ctx.world.ports["identity"]()
    arn = arn_of(item)
    if arn.split(":")[5].startswith("role/"):
        return identity.policies(
            Caller(kind="role", account=item.account, arn=arn, unique_id=item.id, role_arn=arn, session_name="-")
        )
    return identity.policies(
        Caller(kind="user", account=item.account, arn=arn, unique_id=item.id, user_name=item.name)
    )


def granted_to(policies: PolicySet) -> dict[str, frozenset[str]]:
    """The actions that identity policies allow, by service prefix; conditions and resources apart."""
    found: dict[str, set[str]] = defaultdict(set)
    for policy in policies.identity:
        for action in allowed_by(policy.document):
            service, _, name = action.partition(":")
            found[service].add(name)
    return {service: frozenset(names) for service, names in found.items()}


@lru_cache(maxsize=512)
def allowed_by(document: Document) -> frozenset[str]:
    """The actions that a document allows on something and does not forbid altogether."""
    denied = [actions_of(s) for s in document.statements if not s.allows and s.everything and not s.conditions]
    found = {action for s in document.statements if s.allows for action in _named_by(s)}
    return frozenset(a for a in found if not any(side.covers(globs.exact(a.lower())) for side in denied))


def _named_by(statement: Statement) -> Iterator[str]:
    if not statement.negates_actions:
        for text in statement.actions.texts:
            yield from named(text)
        return
    side = actions_of(statement)
    for action in named("*"):
        if side.covers(globs.exact(action.lower())):
            yield action
