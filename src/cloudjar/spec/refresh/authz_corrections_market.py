"""What the sources have wrong about EC2's market and capacity: whose role a fleet passes follows from its templates, so
that a launch asks for it; requests for spot instances name an instance profile; moves have two ends.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-prerequisites.html
"""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

REGIONAL = "arn:${Partition}:ec2:${Region}:${Account}:"
REQUIRED = 1
FLEETS = ("CreateFleet", "ModifyFleet", "RequestSpotFleet", "ModifySpotFleetRequest")


def correct(service: Any, ops: Ops, *, pass_profile: Any) -> None:
    """Change the table of EC2 in place."""
    for operation in FLEETS:
        ops[operation] = [e for e in ops[operation] if e["a"] != "iam:PassRole"]
    member = "SpotFleetRequestConfig.IamFleetRole"
    ops["RequestSpotFleet"].append({
        "a": "iam:PassRole", "r": [["role", "${" + member + "}", REQUIRED]], "when": ["exists", member],
        "keys": {"iam:PassedToService": "spotfleet.amazonaws.com"},
    })  # fmt: skip
    kinds = {k: t["arn"] for k, t in service.reference.types.items() if t["arn"].startswith("arn:${Partition}:ec2:")}
    tagged = "SpotFleetRequestConfig.TagSpecifications[].ResourceType"
    ops["RequestSpotFleet"].append({
        "a": "ec2:CreateTags", "r": [["*", ["types", tagged, kinds], REQUIRED]], "when": ["exists", tagged],
        "keys": {"ec2:CreateAction": "RequestSpotFleet"},
    })  # fmt: skip
    for operation, at in (("CreateFleet", ""), ("RequestSpotFleet", "SpotFleetRequestConfig.")):
        named = f"{at}LaunchTemplateConfigs[].LaunchTemplateSpecification."
        by_name = ["by", "ec2:launch-template", named + "LaunchTemplateName", REGIONAL + "launch-template/*"]
        template = ["all", REGIONAL + "launch-template/${" + named + "LaunchTemplateId}", by_name]
        kept = [r for r in ops[operation][0]["r"] if r[0] != "launch-template"]
        ops[operation][0]["r"] = [*kept, ["launch-template", template, 0]]
    request = [e for e in ops["RequestSpotInstances"] if e["a"] != "iam:PassRole"]
    ops["RequestSpotInstances"] = [*request, pass_profile("LaunchSpecification.IamInstanceProfile")]
    ends = "capacity-reservation/${SourceCapacityReservationId,DestinationCapacityReservationId}"
    ops["MoveCapacityReservationInstances"][0]["r"] = [["capacity-reservation", REGIONAL + ends, REQUIRED]]
    ops["CreateCapacityReservationBySplitting"][0]["r"] = [
        ["capacity-reservation", REGIONAL + "capacity-reservation/${SourceCapacityReservationId}", REQUIRED]
    ]
