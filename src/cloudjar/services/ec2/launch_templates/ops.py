"""Launch templates and their versions: create, describe, set the default, delete.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.launch_templates.finding import by_name, need_template, need_version, number_of
from cloudjar.services.ec2.launch_templates.records import (
    TEMPLATES_PER_REGION,
    VERSIONS_PER_TEMPLATE,
    LaunchTemplate,
    LaunchTemplateVersion,
    ref,
)
from cloudjar.services.ec2.launch_templates.views import show_template, show_version

Data = dict[str, Any]
_DELETED_AT_ONCE = 200


@op("CreateLaunchTemplate")
def create_launch_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A template with its first version; what it says is proved when something is launched with it."""
    if by_name(ctx, req["LaunchTemplateName"]) is not None:
        raise AwsError("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
    if ctx.db[LaunchTemplate].count() >= TEMPLATES_PER_REGION:
        raise _too_many(f"launch templates ({TEMPLATES_PER_REGION})")
    template = ctx.db[LaunchTemplate].add(
        LaunchTemplate(
            id=ctx.new_id("lt"),
            name=req["LaunchTemplateName"],
            created=ctx.now,
            created_by=ctx.caller.arn,
            tags=tags.specified(req, "launch-template"),
        )
    )
    _add(ctx, template, 1, req, plain(req["LaunchTemplateData"]))
    return {"LaunchTemplate": show_template(template)}


@op("CreateLaunchTemplateVersion")
def create_launch_template_version(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A further version: what is given, above what the source version says, if one is named."""
    template = need_template(ctx, req)
    data = plain(req["LaunchTemplateData"])
    if req.get("SourceVersion"):
        data = {**need_version(ctx, template, req["SourceVersion"]).data, **data}
    if ctx.db[LaunchTemplateVersion].count(template_id=template.id) >= VERSIONS_PER_TEMPLATE:
        raise _too_many(f"versions of a launch template ({VERSIONS_PER_TEMPLATE})")
    number = template.made + 1
    changed = ctx.db[LaunchTemplate].put(replace(template, made=number, latest=number))
    return {"LaunchTemplateVersion": show_version(changed, _add(ctx, changed, number, req, data))}


def _too_many(what: str) -> AwsError:
    return AwsError("LaunchTemplateLimitExceeded", f"You have reached the maximum number of {what}.")


def _add(ctx: Ctx, template: LaunchTemplate, number: int, req: Data, data: Data) -> LaunchTemplateVersion:
    return ctx.db[LaunchTemplateVersion].add(
        LaunchTemplateVersion(
            ref=ref(template.id, number),
            template_id=template.id,
            number=number,
            description=req.get("VersionDescription") or "",
            created=ctx.now,
            created_by=ctx.caller.arn,
            data=data,
        )
    )


def plain(data: Mapping[str, Any]) -> Data:
    """Template data as it is kept: without what was not given, instants as text."""
    return {name: _plain(value) for name, value in data.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


@op("ModifyLaunchTemplate")
def modify_launch_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Say which version is the default one."""
    template = need_template(ctx, req)
    if not req.get("DefaultVersion"):
        raise errors.missing_one("DefaultVersion")
    version = need_version(ctx, template, req["DefaultVersion"])
    changed = ctx.db[LaunchTemplate].put(replace(template, default=version.number))
    return {"LaunchTemplate": show_template(changed)}


@op("DeleteLaunchTemplate")
def delete_launch_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a template with all its versions; what was launched with it stays."""
    template = need_template(ctx, req)
    for version in ctx.db[LaunchTemplateVersion].all(template_id=template.id):
        ctx.db[LaunchTemplateVersion].drop(version)
    ctx.db[LaunchTemplate].drop(template)
    return {"LaunchTemplate": show_template(template)}


@op("DeleteLaunchTemplateVersions")
def delete_launch_template_versions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove versions, each for itself; their numbers are never given again. The default one stays."""
    template = need_template(ctx, req)
    if len(req["Versions"]) > _DELETED_AT_ONCE:
        raise errors.invalid_value(f"At most {_DELETED_AT_ONCE} versions can be deleted in one request.")
    done: list[Data] = []
    failed: list[Data] = []
    for text in dict.fromkeys(req["Versions"]):
        number = number_of(template, text)
        about = {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionNumber": number,
        }
        why = _delete_version(ctx, template, number)
        if why is None:
            done.append(about)
        else:
            failed.append({**about, "ResponseError": why})
    left = ctx.db[LaunchTemplateVersion].all(template_id=template.id)
    ctx.db[LaunchTemplate].put(replace(template, latest=max(version.number for version in left)))
    return {
        "SuccessfullyDeletedLaunchTemplateVersions": done,
        "UnsuccessfullyDeletedLaunchTemplateVersions": failed,
    }


def _delete_version(ctx: Ctx, template: LaunchTemplate, number: int) -> Data | None:
    """Remove one version; why not, when it cannot be."""
    version = ctx.db[LaunchTemplateVersion].get(ref(template.id, number))
    if version is None:
        why = f"The specified launch template version {number} does not exist."
        return {"Code": "launchTemplateVersionDoesNotExist", "Message": why}
    if number == template.default:
        return {"Code": "unexpectedError", "Message": "The default version of a launch template cannot be deleted."}
    ctx.db[LaunchTemplateVersion].drop(version)
    return None


