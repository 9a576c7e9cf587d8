"""What may not be done with a spot instance by who has it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/stop-spot-instances.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.linked_roles import SPOT
from cloudjar.services.ec2.spot.making import request_of
from cloudjar.services.ec2.spot.terms import PERSISTENT


def refuse_stop(ctx: Ctx, vm: Instance) -> None:
    """Only instances of persistent requests can be stopped."""
    request = request_of(ctx, vm)
    if request is not None and request.type != PERSISTENT:
        raise AwsError(
            "UnsupportedOperation",
            f"You can't stop the Spot Instance '{vm.id}' because it is associated with a one-time Spot Instance "
            "request. You can only stop Spot Instances associated with persistent Spot Instance requests.",
        )


def refuse_start(ctx: Ctx, vm: Instance) -> None:
    """What its owner stopped he starts; what Spot stopped only Spot starts; and not when the request is over."""
    if not vm.spot_request_id or SPOT.is_caller(ctx):
        return
    request = request_of(ctx, vm)
    if request is None or (request.state, request.code) != ("disabled", "instance-stopped-by-user"):
        raise AwsError(
            "IncorrectSpotRequestState",
            f"You can't start the Spot Instance '{vm.id}' because the associated Spot Instance request is not in an "
            "appropriate state to support start.",
        )
