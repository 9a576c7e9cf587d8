"""Parameters as AWS answers them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.ssm import sealing
from cloudjar.services.ssm.records import SECURE, Parameter, Policy, Version
from cloudjar.spec.public_parameters import Parameter as Public


def show_public(parameter: Public, region: str, selector: str = "") -> dict[str, Any]:
    """AWS's ``Parameter`` of a public parameter; `selector` is the version it was asked for by."""
    return {
        "Name": parameter.name,
        "Type": "String",
        "Value": parameter.value,
        "Version": parameter.version,
        "Selector": f":{selector}" if selector else None,
        "LastModifiedDate": datetime.fromisoformat(parameter.modified),
        "ARN": arns.make("ssm", region, "", f"parameter{parameter.name}"),
        "DataType": parameter.data_type,
    }


def value_of(ctx: Ctx, parameter: Parameter, version: Version, *, decrypt: bool) -> str:
    """The value; of a SecureString its ciphertext in base64 unless it is to be decrypted."""
    if version.type != SECURE:
        return version.value
    if decrypt:
        return sealing.unseal(ctx, arn_of(parameter), version.tier, version.sealed)
    return base64.b64encode(version.sealed).decode()


def show_parameter(
    ctx: Ctx, parameter: Parameter, version: Version, *, decrypt: bool, selector: str = "", name: str = ""
) -> dict[str, Any]:
    """AWS's ``Parameter``: a version with its value. Who asked by ARN is answered with it as the name's stead."""
    return {
        "Name": name or parameter.name,
        "Type": version.type,
        "Value": value_of(ctx, parameter, version, decrypt=decrypt),
        "Version": version.number,
        "Selector": f":{selector}" if selector else None,
        "LastModifiedDate": version.modified,
        "ARN": arn_of(parameter),
        "DataType": version.data_type,
    }


def show_history(ctx: Ctx, parameter: Parameter, version: Version, *, decrypt: bool) -> dict[str, Any]:
    """AWS's ``ParameterHistory``."""
    return {
        "Name": parameter.name,
        "Value": value_of(ctx, parameter, version, decrypt=decrypt),
        "Version": version.number,
        "Labels": list(version.labels),
        **_common(version),
    }


def show_metadata(parameter: Parameter) -> dict[str, Any]:
    """AWS's ``ParameterMetadata``: everything but the value."""
    return {
        "Name": parameter.name,
        "ARN": arn_of(parameter),
        "Version": parameter.version,
        **_common(parameter),
    }


def _common(one: Parameter | Version) -> dict[str, Any]:
    return {
        "Type": one.type,
        "KeyId": one.key_id or None,
        "LastModifiedDate": one.modified,
        "LastModifiedUser": one.modified_by,
        "Description": one.description or None,
        "AllowedPattern": one.allowed_pattern or None,
        "Tier": one.tier,
        "Policies": show_policies(one.policies),
        "DataType": one.data_type,
    }


def show_policies(policies: Iterable[Policy]) -> list[dict[str, str]]:
    """AWS's ``ParameterInlinePolicy``, each."""
    return [{"PolicyText": one.text, "PolicyType": one.type, "PolicyStatus": one.status} for one in policies]
