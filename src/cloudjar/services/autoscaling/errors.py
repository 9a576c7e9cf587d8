"""Auto Scaling's refusals, in AWS's words where they are known (README.md names the others).

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def invalid(message: str) -> AwsError:
    """A parameter that cannot be."""
    return AwsError("ValidationError", message)


def no_group(name: str) -> AwsError:
    """There is no such group."""
    return invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


def group_exists(name: str) -> AwsError:
    """The name is taken."""
    return AwsError(
        "AlreadyExists", f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
    )


def configuration_exists(name: str) -> AwsError:
    """The name is taken."""
    return AwsError(
        "AlreadyExists",
        "Launch Configuration by this name already exists - "
        f"A launch configuration already exists with the name {name}",
    )


def in_use(message: str) -> AwsError:
    """Something still needs it."""
    return AwsError("ResourceInUse", message)


def in_progress(message: str) -> AwsError:
    """A scaling activity stands in the way."""
    return AwsError("ScalingActivityInProgress", message)


def limit(message: str) -> AwsError:
    """A quota."""
    return AwsError("LimitExceeded", message)


def deleting(name: str) -> AwsError:
    """The group is being deleted."""
    return in_progress(f"Group {name} is pending delete")


def not_managed(instance_id: str) -> AwsError:
    """No group has the instance."""
    return invalid(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")


def not_part(instance_id: str, group: str) -> AwsError:
    """Another group, or none, has the instance."""
    return invalid(f"The instance {instance_id} is not part of Auto Scaling group {group}.")


def sizes(group: str, least: int, most: int, desired: int, verb: str, count: int) -> AwsError:
    """A change that the group's bounds do not let happen."""
    return invalid(
        f"AutoScalingGroup {group} has min-size={least}, max-size={most}, and desired-size={desired}. "
        f"To {verb} {count} more instance(s), please update the AutoScalingGroup sizes appropriately."
    )


def not_built(what: str) -> AwsError:
    """A part of an operation that is not built: it says so, and nothing happens."""
    return AwsError("NotImplemented", f"autoscaling: {what} is not built in Cloudjar yet.", 501)
