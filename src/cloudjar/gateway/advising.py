"""What the command line asks about advice: findings with what they cost and what mends them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from cloudjar.base import caller as callers
from cloudjar.kit import advice
from cloudjar.kit.advice import Finding
from cloudjar.kit.context import Ctx, World

HOME = "us-east-1"


def report(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """Every check of an account (``account``) with its findings; ``anew=1`` looks at once. Blocks."""
    account = query["account"]
    ctx = Ctx(world, account, HOME, callers.service(f"{advice.SERVICE}.amazonaws.com", account))
    who = advice.advisor(world)
    who.look(ctx, [check.id for check in who.checks()], anew=bool(query.get("anew")))
    return {"checks": [_shown(ctx, who, check) for check in who.checks()]}


def _shown(ctx: Ctx, who: advice.Advisor, check: advice.Check) -> dict[str, Any]:
    outcome = who.outcome(ctx, check.id)
    shown = {
        "check": check.id,
        "name": check.name,
        "category": check.category,
        "description": check.description,
        "status": outcome.state if outcome else "not_available",
        "at": outcome.at.isoformat() if outcome else None,
    }
    return {**shown, "findings": [_finding(who, check, one) for one in (outcome.findings if outcome else ())]}


def _finding(who: advice.Advisor, check: advice.Check, finding: Finding) -> dict[str, Any]:
    short = hashlib.sha256(who.key(check.id, finding).encode()).hexdigest()[:8]
    about: dict[str, Any] = msgspec.to_builtins(finding)
    return {"id": short, **about}
