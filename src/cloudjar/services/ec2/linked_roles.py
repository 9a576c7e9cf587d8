"""The service-linked roles in whose name Spot and fleets launch, start and end instances.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html
"""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx


class Linked:
    """A service-linked role of one of EC2's services; `of` is how AWS calls the service in its refusal."""

    def __init__(self, principal: str, name: str, of: str) -> None:
        self.principal = principal
        self.name = f"AWSServiceRoleFor{name}"
        self._of = of

    def make(self, ctx: Ctx) -> None:
        """Make the account's role, with the caller's rights, when it is not there."""
        if ctx.find("iam", "role", self.name) is not None:
            return
        try:
            ctx.call("iam", "CreateServiceLinkedRole", {"AWSServiceName": self.principal})
        except AwsError:
            raise AwsError(
                "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
                f"The provided credentials do not have permission to create the service-linked role for {self._of}.",
                403,
            ) from None

    def acting(self, ctx: Ctx, source_arn: str) -> Caller:
        """The role as a caller, for one of its service's resources; raises AccessDenied when it is gone."""
        role = arns.make("iam", "", ctx.account, f"role/aws-service-role/{self.principal}/{self.name}")
        return ctx.as_role(role, service=self.principal, source_arn=source_arn, session_name=self.name[17:])

    def is_caller(self, ctx: Ctx) -> bool:
        """Whether it is this role that calls."""
        return ctx.caller.kind == "role" and ctx.caller.role_arn.endswith(
            f"role/aws-service-role/{self.principal}/{self.name}"
        )


SPOT = Linked("spot.amazonaws.com", "EC2Spot", "EC2 Spot Instances")
FLEET = Linked("ec2fleet.amazonaws.com", "EC2Fleet", "EC2 Fleet")
SPOT_FLEET = Linked("spotfleet.amazonaws.com", "EC2SpotFleet", "EC2 Spot Fleet")
