"""The actions and target types that are built, as data; what AWS has besides is answered 501.

https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
"""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.services.fis import errors

INSTANCE, SPOT, SUBNET, ROLE = "aws:ec2:instance", "aws:ec2:spot-instance", "aws:ec2:subnet", "aws:iam:role"


class Parameter(NamedTuple):
    """One parameter of an action or of a target."""

    description: str
    required: bool = False


class Action(NamedTuple):
    """What can be done, to which targets (name: resource type) and how."""

    description: str
    targets: dict[str, str]
    parameters: dict[str, Parameter]
    quota: str = ""
    """Service Quotas' code for how many targets it takes."""


class TargetType(NamedTuple):
    """What can be a target; `parameters` select in place of ARNs and tags."""

    description: str
    parameters: dict[str, Parameter]


_DURATION = Parameter("How long it lasts, in ISO 8601 (PT10M).", required=True)
_API = {
    "duration": _DURATION,
    "service": Parameter("The API's namespace: ec2.", required=True),
    "percentage": Parameter("How many calls of a hundred fail.", required=True),
    "operations": Parameter("The operations that fail, separated by commas.", required=True),
}

ACTIONS: dict[str, Action] = {
    "aws:cloudwatch:assert-alarm-state": Action(
        "Assert that alarms are in one of the given states.",
        {},
        {
            "alarmArns": Parameter("ARNs of alarms, separated by commas.", required=True),
            "alarmStates": Parameter("OK, ALARM, INSUFFICIENT_DATA, separated by commas.", required=True),
        },
    ),
    "aws:ec2:reboot-instances": Action("Reboot instances.", {"Instances": INSTANCE}, {}, "L-9C6F1F94"),
    "aws:ec2:send-spot-instance-interruptions": Action(
        "Interrupt Spot Instances, with the notice of two minutes.",
        {"SpotInstances": SPOT},
        {"durationBeforeInterruption": Parameter("When the interruption is: PT2M to PT15M.", required=True)},
    ),
    "aws:ec2:stop-instances": Action(
        "Stop instances.",
        {"Instances": INSTANCE},
        {
            "startInstancesAfterDuration": Parameter("After how long to start them again, in ISO 8601."),
            "completeIfInstancesTerminated": Parameter("Whether the action succeeds when they are gone by then."),
        },
        "L-3F98B425",
    ),
    "aws:ec2:terminate-instances": Action("Terminate instances.", {"Instances": INSTANCE}, {}, "L-EE64095D"),
    "aws:fis:inject-api-internal-error": Action("Fail API calls with internal errors.", {"Roles": ROLE}, _API),
    "aws:fis:inject-api-throttle-error": Action("Fail API calls with throttling errors.", {"Roles": ROLE}, _API),
    "aws:fis:inject-api-unavailable-error": Action("Fail API calls with unavailable errors.", {"Roles": ROLE}, _API),
    "aws:fis:wait": Action("Wait.", {}, {"duration": _DURATION}),
    "aws:network:disrupt-connectivity": Action(
        "Deny traffic to and from subnets, by network ACLs of the experiment's own.",
        {"Subnets": SUBNET},
        {
            "duration": _DURATION,
            "scope": Parameter("all, availability-zone or vpc.", required=True),
        },
    ),
}

TYPES: dict[str, TargetType] = {
    INSTANCE: TargetType("EC2 instances.", {}),
    SPOT: TargetType("Spot Instances.", {}),
    SUBNET: TargetType(
        "Subnets.",
        {
            "availabilityZoneIdentifier": Parameter("The Availability Zone."),
            "vpc": Parameter("The VPC."),
        },
    ),
    ROLE: TargetType("IAM roles.", {}),
}


def action(name: str) -> Action:
    """An action by its id; raises 501 for one of AWS's that is not built."""
    found = ACTIONS.get(name)
    if found is None:
        if not name.startswith("aws:"):
            raise errors.validation(f"The action '{name}' does not exist.")
        raise errors.unbuilt(f"The action {name}")
    return found
