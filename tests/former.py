"""SQS as it was asked before it spoke JSON: botocore's model with the names of the query protocol put back."""

from __future__ import annotations

import copy
from typing import Any

from botocore.model import ServiceModel

from cloudjar.spec.patches import patch


def query_model(service: str, described: dict[str, Any]) -> ServiceModel:
    """A service's model (botocore's JSON) whose serializer writes query requests."""
    data = copy.deepcopy(described)
    shapes = data["shapes"]
    patch(service, data["metadata"], data["operations"], shapes)
    for shape in shapes.values():
        for part in ("member", "key", "value"):
            if "queryName" in shape.get(part, {}):
                shape[part]["locationName"] = shape[part]["queryName"]
        for member in shape.get("members", {}).values():
            target = shapes[member["shape"]]
            name = target.get("queryName") or target.get("member", {}).get("queryName")
            if name and target.get("flattened"):
                member["locationName"] = name
    return ServiceModel(data, service)
