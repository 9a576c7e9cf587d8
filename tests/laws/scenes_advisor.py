"""What the laws ask Trusted Advisor about."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar


def _recommendation(jar: TestJar) -> str:
    found = jar.client("trustedadvisor", "us-east-1").list_recommendations(pillar="security")
    return str(found["recommendationSummaries"][0]["arn"])


def many(jar: TestJar) -> dict[str, Any]:
    """A recommendation; its resources are what there is in the jar."""
    return {"ListRecommendationResources": {"recommendationIdentifier": _recommendation(jar)}}


def _one(things: Any) -> dict[str, Any]:
    return {"recommendationIdentifier": _recommendation(things.jar)}


SCENES = {
    f"trustedadvisor:{name}": _one
    for name in ("GetRecommendation", "ListRecommendationResources", "UpdateRecommendationLifecycle")
}
"""`UpdateRecommendationLifecycle` refuses what there is, after asking who may."""
