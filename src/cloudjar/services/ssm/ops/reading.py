"""Reading parameters: one's own, AWS's public ones, and secrets by reference.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ssm import access, errors, filters, lookup, views
from cloudjar.services.ssm.paging import page
from cloudjar.services.ssm.records import SECURE, STANDARD, STRING, Parameter, Version
from cloudjar.services.ssm.rules import Asked, asked, check_path
from cloudjar.services.ssm.sealing import VIA
from cloudjar.spec import public_parameters

_VERSION_ID = re.compile(r"[0-9A-Za-z-]{32,64}")
_MISSING = frozenset(("ParameterNotFound", "ParameterVersionNotFound"))


@op("GetParameter")
def get_parameter(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One parameter by name or ARN, with a version or label if one is asked for."""
    return {"Parameter": _need(ctx, req["Name"], decrypt=bool(req.get("WithDecryption")))}


@op("GetParameters")
def get_parameters(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Up to ten parameters; those that are not there are named, and fail nothing."""
    found, missing = [], []
    for text in dict.fromkeys(req["Names"]):
        try:
            found.append(_need(ctx, text, decrypt=bool(req.get("WithDecryption"))))
        except AwsError as error:
            if error.code not in _MISSING:
                raise
            missing.append(text)
    return {"Parameters": found, "InvalidParameters": missing}


@op("GetParametersByPath", pages=False, keys=access.walking)
def get_parameters_by_path(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The parameters one step below a path, or all below it; with a label, the versions that have it."""
    given = req.get("ParameterFilters") or []
    path, recursive = req["Path"].strip(" "), bool(req.get("Recursive"))
    check_path(path)
    filters.check(given, by_path=True)
    if public_parameters.is_public(path.rstrip("/")):
        public = public_parameters.by_path(path, ctx.region, recursive=recursive)
        admitted = [one for one in public if filters.admits(given, _as_described(one))]
        return page("GetParametersByPath", req, "Parameters", admitted, lambda one: views.show_public(one, ctx.region))
    found = [
        (parameter, version)
        for parameter in sorted(ctx.db[Parameter].all(), key=lambda parameter: parameter.name)
        if filters.below(parameter.name, path, recursive=recursive)
        and (version := _admitted(ctx, parameter, given)) is not None
    ]
    decrypt = bool(req.get("WithDecryption"))
    return page(
        "GetParametersByPath",
        req,
        "Parameters",
        found,
        lambda pair: views.show_parameter(ctx, pair[0], pair[1], decrypt=decrypt),
    )


def _as_described(public: public_parameters.Parameter) -> Parameter:
    """A public parameter as filters see it: a String without key and labels."""
    moment = datetime.fromisoformat(public.modified)
    return Parameter(
        path=public.name, name=public.name, type=STRING, tier=STANDARD, modified=moment, modified_by="",
        data_type=public.data_type,
    )  # fmt: skip


def _admitted(ctx: Ctx, parameter: Parameter, given: list[dict[str, Any]]) -> Version | None:
    """The version that the filters admit: the latest, or the one with a label that they ask for."""
    wanted = next((one["Values"] for one in given if one["Key"] == "Label"), None)
    if wanted is None:
        version = lookup.version(ctx, parameter, parameter.version)
        return version if filters.admits(given, parameter) else None
    versions = lookup.versions(ctx, parameter)
    return next((one for one in versions if filters.admits(given, parameter, one.labels)), None)


@op("GetParameterHistory", pages=False)
def get_parameter_history(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All versions that are kept, oldest first."""
    parameter = lookup.need(ctx, req["Name"])
    decrypt = bool(req.get("WithDecryption"))
    return page(
        "GetParameterHistory",
        req,
        "Parameters",
        lookup.versions(ctx, parameter),
        lambda version: views.show_history(ctx, parameter, version, decrypt=decrypt),
    )


def _need(ctx: Ctx, text: str, *, decrypt: bool) -> dict[str, Any]:
    named = asked(text)
    if named.secret:
        return _secret(ctx, named, decrypt=decrypt)
    if public_parameters.is_public(named.name):
        return _public(ctx, named)
    parameter = lookup.need(ctx, text)
    version = lookup.selected(ctx, parameter, named)
    shared = parameter.account != ctx.account
    name = ctx.arn(parameter) if shared else ""
    return views.show_parameter(ctx, parameter, version, decrypt=decrypt, selector=named.selector, name=name)


def _public(ctx: Ctx, named: Asked) -> dict[str, Any]:
    found = public_parameters.get(named.name, ctx.region)
    if found is None or named.region not in ("", ctx.region):
        raise errors.not_found()
    if named.selector and named.selector != str(found.version):
        raise errors.version_not_found(named.name, named.selector)
    return views.show_public(found, ctx.region, named.selector)


def _secret(ctx: Ctx, named: Asked, *, decrypt: bool) -> dict[str, Any]:
    """A secret as if it were a parameter, read with the caller's own rights; a selector is a version or a label."""
    if not decrypt:
        raise errors.invalid("WithDecryption flag must be True for retrieving a Secret Manager secret.")
    request = {"SecretId": named.secret}
    if named.selector:
        request["VersionId" if _VERSION_ID.fullmatch(named.selector) else "VersionStage"] = named.selector
    try:
        found = ctx.call("secretsmanager", "GetSecretValue", request, via=VIA)
    except AwsError as refused:
        if refused.code == "ResourceNotFoundException":
            raise errors.no_secret(named.name) from refused
        raise
    binary = found.get("SecretBinary")
    value = found.get("SecretString") if binary is None else base64.b64encode(binary).decode()
    return {
        "Name": named.name,
        "Type": SECURE,
        "Value": value,
        "Version": 0,
        "Selector": f":{named.selector}" if named.selector else None,
        "SourceResult": json.dumps({key: _plain(one) for key, one in found.items() if one is not None}),
        "LastModifiedDate": found["CreatedDate"],
        "ARN": found["ARN"],
        "DataType": "text",
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else value
