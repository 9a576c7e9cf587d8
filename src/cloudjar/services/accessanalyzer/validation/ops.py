"""`ValidatePolicy`.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ValidatePolicy.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.accessanalyzer import errors
from cloudjar.services.accessanalyzer.validation.check import validate


@op("ValidatePolicy", writes=False)
def validate_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What is wrong, risky or superfluous in a policy document; nothing is stored."""
    kind, resource = req["policyType"], req.get("validatePolicyResourceType", "")
    if resource and kind != "RESOURCE_POLICY":
        raise errors.validation("validatePolicyResourceType can only be specified for the policy type RESOURCE_POLICY.")
    return {"findings": validate(req["policyDocument"], kind, resource)}
