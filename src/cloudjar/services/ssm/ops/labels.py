"""Labels of versions.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-labels.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ssm import errors, events, lookup, names
from cloudjar.services.ssm.records import Parameter, Version

_MOST = 10


@op("LabelParameterVersion")
def label_parameter_version(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Labels put on a version, taken from another that has them; those that cannot be are named and left out."""
    parameter = lookup.need(ctx, req["Name"])
    version = _need_version(ctx, parameter, req.get("ParameterVersion") or parameter.version)
    good = [label for label in dict.fromkeys(req["Labels"]) if names.is_label(label)]
    after = tuple(dict.fromkeys((*version.labels, *good)))
    if len(after) > _MOST:
        raise errors.too_many_labels()
    for other in lookup.versions(ctx, parameter):
        left = after if other.number == version.number else tuple(one for one in other.labels if one not in good)
        ctx.db[Version].put(replace(other, labels=left))
    if good:
        events.changed(ctx, parameter, "LabelParameterVersion", label=good, version=str(version.number))
    bad = [label for label in req["Labels"] if label not in good]
    return {"InvalidLabels": bad, "ParameterVersion": version.number}


@op("UnlabelParameterVersion")
def unlabel_parameter_version(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Labels taken off; those that are not on the version are named."""
    parameter = lookup.need(ctx, req["Name"])
    version = _need_version(ctx, parameter, req["ParameterVersion"])
    gone = [label for label in dict.fromkeys(req["Labels"]) if label in version.labels]
    ctx.db[Version].put(replace(version, labels=tuple(one for one in version.labels if one not in gone)))
    return {"RemovedLabels": gone, "InvalidLabels": [label for label in req["Labels"] if label not in gone]}


def _need_version(ctx: Ctx, parameter: Parameter, number: int) -> Version:
    found = lookup.version(ctx, parameter, number)
    if found is None:
        raise errors.version_not_found(parameter.name, str(number))
    return found
