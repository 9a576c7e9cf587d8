"""Templates by id or name, versions by number, ``$Latest`` or ``$Default``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.launch_templates.records import LaunchTemplate, LaunchTemplateVersion, ref
from cloudjar.services.ec2.lookup import need

DEFAULT, LATEST = "$Default", "$Latest"


def by_name(ctx: Ctx, name: str) -> LaunchTemplate | None:
    """The template of this name in the caller's account and region."""
    found = ctx.db[LaunchTemplate].all(name=name)
    return found[0] if found else None


def need_by_name(ctx: Ctx, name: str) -> LaunchTemplate:
    """The template of this name; raises InvalidLaunchTemplateName.NotFoundException."""
    found = by_name(ctx, name)
    if found is None:
        raise AwsError(
            "InvalidLaunchTemplateName.NotFoundException",
            f"The specified launch template, with template name {name}, does not exist.",
        )
    return found


def need_template(ctx: Ctx, asked: Mapping[str, Any]) -> LaunchTemplate:
    """The template that ``LaunchTemplateId`` or ``LaunchTemplateName`` of a request names: exactly one of them."""
    key, name = asked.get("LaunchTemplateId"), asked.get("LaunchTemplateName")
    if key and name:
        raise errors.combination("Only one of 'launchTemplateId' and 'launchTemplateName' may be specified.")
    if key:
        return need(ctx, LaunchTemplate, key)
    if name:
        return need_by_name(ctx, name)
    raise errors.missing("Either 'launchTemplateId' or 'launchTemplateName' must be specified.")


def number_of(template: LaunchTemplate, text: str) -> int:
    """The number that ``$Latest``, ``$Default`` or a number means; raises InvalidParameterValue for other text."""
    if text == LATEST:
        return template.latest
    if text == DEFAULT:
        return template.default
    if text.isascii() and text.isdigit():
        return int(text)
    raise errors.invalid_parameter(
        text, "version", "A version is a positive number, '$Latest' or '$Default'."
    )


def need_version(ctx: Ctx, template: LaunchTemplate, text: str = DEFAULT) -> LaunchTemplateVersion:
    """A version of a template; raises InvalidLaunchTemplateId.VersionNotFound."""
    number = number_of(template, text)
    found = ctx.db[LaunchTemplateVersion].get(ref(template.id, number))
    if found is None:
        raise AwsError(
            "InvalidLaunchTemplateId.VersionNotFound",
            f"Could not find the specified version {number} for the launch template with ID {template.id}.",
        )
    return found
