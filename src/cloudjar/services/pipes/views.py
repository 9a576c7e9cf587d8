"""Pipes as they are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cloudjar.services.pipes.records import Pipe


def when(seconds: float) -> datetime:
    """Unix seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)


def brief(pipe: Pipe) -> dict[str, Any]:
    """What every change of a pipe is answered with."""
    return {
        "Arn": pipe.arn,
        "Name": pipe.name,
        "DesiredState": pipe.desired,
        "CurrentState": pipe.state,
        "CreationTime": when(pipe.made),
        "LastModifiedTime": when(pipe.changed),
    }


def summary(pipe: Pipe) -> dict[str, Any]:
    """A pipe in a list."""
    return {**brief(pipe), "StateReason": pipe.reason or None, "Source": pipe.source, "Target": pipe.target}


def whole(pipe: Pipe) -> dict[str, Any]:
    """A pipe."""
    source = dict(pipe.source_params)
    stream = source.get("KinesisStreamParameters")
    if stream and "StartingPositionTimestamp" in stream:
        begins = when(stream["StartingPositionTimestamp"])
        source["KinesisStreamParameters"] = {**stream, "StartingPositionTimestamp": begins}
    return {
        **summary(pipe),
        "Description": pipe.description or None,
        "SourceParameters": source,
        "TargetParameters": pipe.target_params,
        "RoleArn": pipe.role,
        "Tags": pipe.tags or None,
    }
