"""Answers about blue/green deployments."""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def state(message: str) -> AwsError:
    """A deployment, or what is in it, is in a state in which this cannot be done."""
    return AwsError("InvalidBlueGreenDeploymentStateFault", message)


def source(message: str) -> AwsError:
    """An instance of which there can be no green environment."""
    return AwsError("SourceDatabaseNotSupportedFault", message)
