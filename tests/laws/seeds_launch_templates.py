"""Several launch templates, one with several versions, for the law of pages."""

from __future__ import annotations

from typing import Any

MANY = 7


def templates(ec2: Any) -> dict[str, Any]:
    """Make them; how to ask for the versions of the one."""
    for n in range(MANY):
        ec2.create_launch_template(LaunchTemplateName=f"lt{n}", LaunchTemplateData={"InstanceType": "t3.micro"})
        ec2.create_launch_template_version(LaunchTemplateName="lt0", LaunchTemplateData={"InstanceType": "t3.nano"})
    return {"DescribeLaunchTemplateVersions": {"LaunchTemplateName": "lt0"}}
