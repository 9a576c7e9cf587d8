"""Parameters as AWS answers them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.spec.public_parameters import Parameter


def show_parameter(parameter: Parameter, region: str, selector: str = "") -> dict[str, Any]:
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
