"""Push a key to an instance.

https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol, cast

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2_instance_connect.access import pushing
from cloudjar.services.ec2_instance_connect.records import PushedKey, PushedKeys

VALID = timedelta(seconds=60)


class Instance(Protocol):
    """What is read of EC2's record."""

    id: str
    state: str
    zone: str


@op("SendSSHPublicKey", keys=pushing)
def send_ssh_public_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """For a minute, a user of the instance may sign in with this key."""
    vm = _need(ctx, req["InstanceId"], req.get("AvailabilityZone") or "")
    key = public_key(req["SSHPublicKey"])
    table = ctx.db[PushedKeys]
    held = table.get(vm.id)
    known = held.keys if held is not None else ()
    pushed = PushedKey(user=req["InstanceOSUser"], key=key, until=ctx.now + VALID)
    keys = (*(one for one in known if ctx.now < one.until and (one.user, one.key) != (pushed.user, key)), pushed)
    if held is None:
        table.add(PushedKeys(instance_id=vm.id, keys=keys))
    else:
        table.put(replace(held, keys=keys))
    return {"RequestId": ctx.request_id, "Success": True}


def _need(ctx: Ctx, instance_id: str, zone: str) -> Instance:
    found = ctx.find("ec2", "instance", instance_id)
    vm = None if found is None else cast(Instance, found)
    if vm is None or vm.state == "terminated" or zone not in ("", vm.zone):
        raise AwsError("EC2InstanceNotFoundException", f"Instance {instance_id} was not found.", 404)
    if vm.state != "running":
        raise AwsError(
            "EC2InstanceStateInvalidException",
            "Unable to connect because the instance is not in a valid state. Connecting to a stopped or terminated "
            "instance is not supported.",
        )
    return vm


def public_key(text: str) -> str:
    """The key as one line of OpenSSH; raises InvalidArgsException."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

    wrong = AwsError("InvalidArgsException", "Invalid SSH public key.")
    try:
        key = load_ssh_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise wrong from None
    if isinstance(key, rsa.RSAPublicKey):
        if not 2048 <= key.key_size <= 4096:
            raise wrong
    elif not isinstance(key, ed25519.Ed25519PublicKey):
        raise wrong
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
