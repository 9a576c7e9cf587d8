"""Finding parameters and their versions."""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.services.ssm import errors
from cloudjar.services.ssm.records import Parameter, Version, version_key
from cloudjar.services.ssm.rules import Asked, asked


def find(ctx: Ctx, text: str) -> Parameter | None:
    """The parameter that a request names; another account's by ARN only."""
    named = asked(text)
    if named.region not in ("", ctx.region):
        return None
    found = ctx.db.at(named.account or ctx.account, ctx.region)[Parameter].get(named.path)
    if found is None or (not named.account and found.name != named.name):
        return None
    return found


def need(ctx: Ctx, text: str) -> Parameter:
    """The same, or ParameterNotFound."""
    found = find(ctx, text)
    if found is None:
        raise errors.not_found()
    return found


def versions(ctx: Ctx, parameter: Parameter) -> list[Version]:
    """All versions that are kept, oldest first."""
    found = ctx.db.at(parameter.account, parameter.region)[Version].all(path=parameter.path)
    return sorted(found, key=lambda version: version.number)


def version(ctx: Ctx, parameter: Parameter, number: int) -> Version | None:
    """A version by its number."""
    return ctx.db.at(parameter.account, parameter.region)[Version].get(version_key(parameter.path, number))


def selected(ctx: Ctx, parameter: Parameter, named: Asked) -> Version:
    """The version that a request means: by number, by label, else the latest."""
    found: Version | None
    if not named.selector:
        found = version(ctx, parameter, parameter.version)
    elif named.selector.isdigit():
        found = version(ctx, parameter, int(named.selector))
    else:
        found = next((one for one in versions(ctx, parameter) if named.selector in one.labels), None)
    if found is None:
        raise errors.version_not_found(parameter.name, named.selector)
    return found
