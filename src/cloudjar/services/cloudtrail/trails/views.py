"""Trails as CloudTrail shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.services.cloudtrail.trails.destinations import trail_arn
from cloudjar.services.cloudtrail.trails.records import Trail


def setting(trail: Trail) -> dict[str, Any]:
    """What CreateTrail and UpdateTrail answer: what is not set is left out."""
    return {
        "Name": trail.name,
        "S3BucketName": trail.bucket,
        "S3KeyPrefix": trail.prefix or None,
        "SnsTopicName": trail.topic or None,
        "SnsTopicARN": trail.topic_arn or None,
        "IncludeGlobalServiceEvents": trail.global_events,
        "IsMultiRegionTrail": trail.multi_region,
        "TrailARN": trail_arn(trail),
        "LogFileValidationEnabled": trail.validation,
        "CloudWatchLogsLogGroupArn": trail.group or None,
        "CloudWatchLogsRoleArn": trail.role or None,
        "KmsKeyId": trail.key or None,
        "IsOrganizationTrail": bool(trail.organization),
        "RecursiveLogging": trail.recursive,
    }


def shown(trail: Trail) -> dict[str, Any]:
    """AWS's Trail."""
    return {
        **setting(trail),
        "HomeRegion": trail.region,
        "HasCustomEventSelectors": bool(trail.advanced or trail.selectors),
        "HasInsightSelectors": False,
    }
