"""`CheckNoNewAccess`, `CheckAccessNotGranted`, `CheckNoPublicAccess`.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CheckNoNewAccess.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.policy.document import Document, Statement, parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.services.accessanalyzer import errors
from cloudjar.services.accessanalyzer.checks import rules
from cloudjar.services.accessanalyzer.reach.outside import public_statements

_FLAVOURS = {"IDENTITY_POLICY": (Flavour.IDENTITY,), "RESOURCE_POLICY": (Flavour.RESOURCE, Flavour.TRUST)}


def _document(text: str, flavours: Sequence[Flavour]) -> Document:
    """A policy in the first flavour that takes it; role trust policies are resource policies too."""
    first: PolicySyntaxError | None = None
    for flavour in flavours:
        try:
            return parse(text, flavour)
        except PolicySyntaxError as error:
            first = first or error
    assert first is not None
    raise errors.invalid_parameter(first.message)


def _answer(found: Sequence[Statement], passed: str, failed: str, reason: str) -> dict[str, Any]:
    if not found:
        return {"result": "PASS", "message": passed}
    reasons = [
        {
            "description": f"{reason} with {f'sid: {s.sid}' if s.sid else f'index: {s.index}'}.",
            "statementIndex": s.index,
            "statementId": s.sid or None,
        }
        for s in found
    ]
    return {"result": "FAIL", "message": failed, "reasons": reasons}


@op("CheckNoNewAccess", writes=False)
def check_no_new_access(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a changed policy allows nothing that the one before did not."""
    flavours = _FLAVOURS[req["policyType"]]
    new, existing = _document(req["newPolicyDocument"], flavours), _document(req["existingPolicyDocument"], flavours)
    return _answer(
        rules.new_access(new, existing),
        "The modified permissions do not grant new access compared to your existing policy.",
        "The modified permissions grant new access compared to your existing policy.",
        "New access in the statement",
    )


@op("CheckAccessNotGranted", writes=False)
def check_access_not_granted(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a policy allows none of some actions on any of some resources."""
    document = _document(req["policyDocument"], _FLAVOURS[req["policyType"]])
    found: dict[int, Statement] = {}
    for access in req["access"]:
        if not access.get("actions") and not access.get("resources"):
            raise errors.validation("The access object must include actions or resources.")
        found.update((s.index, s) for s in rules.granted(document, access))
    return _answer(
        [found[index] for index in sorted(found)],
        "The policy document does not grant access to perform the listed actions or resources.",
        "The policy document grants access to perform one or more of the listed actions or resources.",
        "One or more of the listed actions or resources in the statement",
    )


@op("CheckNoPublicAccess", writes=False)
def check_no_public_access(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a resource policy keeps the public out."""
    trust = req["resourceType"] == "AWS::IAM::AssumeRolePolicyDocument"
    document = _document(req["policyDocument"], (Flavour.TRUST if trust else Flavour.RESOURCE,))
    return _answer(
        public_statements(document),
        "The resource policy does not grant public access for the specified resource type.",
        "The resource policy grants public access for the specified resource type.",
        "Public access granted in the following statement",
    )
