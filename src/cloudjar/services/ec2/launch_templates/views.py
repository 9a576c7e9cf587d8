"""Launch templates and versions as AWS shows them, and what Describe finds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit import tags
from cloudjar.services.ec2.launch_templates.records import LaunchTemplate, LaunchTemplateVersion
from cloudjar.services.ec2.lookup import by_path

TEMPLATE_FILTERS = by_path(
    {
        "create-time": "CreateTime",
        "launch-template-id": "LaunchTemplateId",
        "launch-template-name": "LaunchTemplateName",
    }
)
_DATA = "LaunchTemplateData."
VERSION_FILTERS = by_path(
    {
        "create-time": "CreateTime",
        "ebs-optimized": _DATA + "EbsOptimized",
        "http-endpoint": _DATA + "MetadataOptions.HttpEndpoint",
        "http-protocol-ipv4": _DATA + "MetadataOptions.HttpEndpoint",
        "host-resource-group-arn": _DATA + "Placement.HostResourceGroupArn",
        "http-tokens": _DATA + "MetadataOptions.HttpTokens",
        "iam-instance-profile": _DATA + "IamInstanceProfile.Arn",
        "image-id": _DATA + "ImageId",
        "instance-type": _DATA + "InstanceType",
        "is-default-version": "DefaultVersion",
        "kernel-id": _DATA + "KernelId",
        "license-configuration-arn": _DATA + "LicenseSpecifications[].LicenseConfigurationArn",
        "network-card-index": _DATA + "NetworkInterfaces[].NetworkCardIndex",
        "ram-disk-id": _DATA + "RamDiskId",
    }
)


def show_template(template: LaunchTemplate) -> dict[str, Any]:
    """AWS's LaunchTemplate."""
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "CreateTime": template.created,
        "CreatedBy": template.created_by,
        "DefaultVersionNumber": template.default,
        "LatestVersionNumber": template.latest,
        "Tags": tags.as_list(template.tags) or None,
        "Operator": {"Managed": False},
    }


def show_version(template: LaunchTemplate, version: LaunchTemplateVersion) -> dict[str, Any]:
    """AWS's LaunchTemplateVersion."""
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "VersionNumber": version.number,
        "VersionDescription": version.description or None,
        "CreateTime": version.created,
        "CreatedBy": version.created_by,
        "DefaultVersion": version.number == template.default,
        "LaunchTemplateData": show_data(version.data),
        "Operator": {"Managed": False},
    }


def show_data(data: dict[str, Any]) -> dict[str, Any]:
    """AWS's ResponseLaunchTemplateData: what was asked for, instants as such."""
    spot = (data.get("InstanceMarketOptions") or {}).get("SpotOptions") or {}
    if not spot.get("ValidUntil"):
        return data
    until = datetime.fromisoformat(spot["ValidUntil"])
    market = {**data["InstanceMarketOptions"], "SpotOptions": {**spot, "ValidUntil": until}}
    return {**data, "InstanceMarketOptions": market}
