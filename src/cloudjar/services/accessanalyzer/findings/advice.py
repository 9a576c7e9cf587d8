"""Recommendations: what is left of a principal's policies without the permissions that it does not use.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_GenerateFindingRecommendation.html
"""

from __future__ import annotations

import json
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of, by_noun
from cloudjar.policy.evaluate import Policy
from cloudjar.services.accessanalyzer import errors
from cloudjar.services.accessanalyzer.findings.unused import allowed_by, policies_of
from cloudjar.services.accessanalyzer.lookup import by_arn, finding
from cloudjar.services.accessanalyzer.records import Finding, Recommendation
from cloudjar.services.accessanalyzer.validation.actions import named

Step = tuple[str, str, str]


@op("GenerateFindingRecommendation")
def generate_finding_recommendation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Work out how a finding of unused permissions could be answered."""
    found = finding(ctx, by_arn(ctx, req["analyzerArn"]), req["id"])
    if found.type != "UnusedPermission":
        raise errors.validation("Recommendations are only supported for unused permission findings.")
    steps = tuple(step for policy in _policies(ctx, found) for step in _steps(policy, found))
    ctx.db[Recommendation].add(
        Recommendation(id=found.id, resource=found.resource, started=ctx.now, completed=ctx.now, steps=steps)
    )
    return {}


def _policies(ctx: Ctx, found: Finding) -> tuple[Policy, ...]:
    """The policies of the principal that a finding is about; none when it is gone."""
    arn = arns.parse(found.resource)
    declared = by_noun("iam", arn.type) if arn is not None else None
    if arn is None or declared is None:
        return ()
    there = ctx.at(arn.account, "")
    item = there.db[declared.type].get(arn.name.rpartition("/")[2])
    return policies_of(there, item).identity if item is not None and arn_of(item) == found.resource else ()


def _steps(policy: Policy, found: Finding) -> list[Step]:
    """For a policy that gives what is unused: a new one without, if anything is left, in the place of the old."""
    unused = {unused.service: {name for name, _ in unused.actions} for unused in found.unused}
    kept = {action for action in allowed_by(policy.document) if _is_used(action, unused)}
    if kept == allowed_by(policy.document):
        return []
    name = policy.arn or policy.name
    replacement = _without(policy, unused)
    new = [] if replacement is None else [("CREATE_POLICY", name, replacement)]
    return [*new, ("DETACH_POLICY", name, "")]


def _is_used(action: str, unused: dict[str, set[str]]) -> bool:
    service, _, name = action.partition(":")
    stale = unused.get(service)
    return stale is None or (bool(stale) and name not in stale)


def _without(policy: Policy, unused: dict[str, set[str]]) -> str | None:
    """The document with every action by name and the unused ones left out; None when nothing is left to allow."""
    document = json.loads(policy.document.text)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    left = []
    for statement in statements:
        if statement["Effect"] == "Allow" and "Action" in statement:
            given = statement["Action"]
            actions = [given] if isinstance(given, str) else given
            names = sorted({a for text in actions for a in _still(text, unused)})
            if names:
                left.append({**statement, "Action": names})
        else:
            left.append(statement)
    if not any(statement["Effect"] == "Allow" for statement in left):
        return None
    return json.dumps({**document, "Statement": left})


def _still(pattern: str, unused: dict[str, set[str]]) -> list[str]:
    """What is left of a value of Action: itself, when nothing of it is unused."""
    names = named(pattern)
    used = [name for name in names if _is_used(name, unused)]
    return [pattern] if used == names and names else used


@op("GetFindingRecommendation")
def get_finding_recommendation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What `GenerateFindingRecommendation` worked out."""
    by_arn(ctx, req["analyzerArn"])
    advice = ctx.db[Recommendation].need(req["id"])
    return {
        "startedAt": advice.started,
        "completedAt": advice.completed,
        "resourceArn": advice.resource,
        "recommendationType": "UnusedPermissionRecommendation",
        "status": "SUCCEEDED",
        "recommendedSteps": [
            {
                "unusedPermissionsRecommendedStep": {
                    "recommendedAction": action,
                    "existingPolicyId": policy,
                    "recommendedPolicy": document or None,
                }
            }
            for action, policy, document in advice.steps
        ],
    }
