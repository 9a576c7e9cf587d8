"""Push a key to an instance, or to its serial console.

https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html
https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSerialConsoleSSHPublicKey.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol, cast

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2_instance_connect.access import pushing
from cloudjar.services.ec2_instance_connect.records import PushedKey, PushedKeys, SerialKeys
from cloudjar.spec import instance_types

VALID = timedelta(seconds=60)
SEATS = "ec2-serial-consoles"
"""The port by which EC2 says who sits at a console."""


class Instance(Protocol):
    """What is read of EC2's record."""

    id: str
    state: str
    zone: str
    type: str


class Defaults(Protocol):
    """What is read of EC2's record of an account's decisions."""

    serial_console: bool


@op("SendSSHPublicKey", keys=pushing)
def send_ssh_public_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """For a minute, a user of the instance may sign in with this key."""
    vm = _need(ctx, req["InstanceId"], req.get("AvailabilityZone") or "")
    key = public_key(req["SSHPublicKey"])
    table = ctx.db[PushedKeys]
    held = table.get(vm.id) or table.add(PushedKeys(instance_id=vm.id))
    table.put(replace(held, keys=_with(ctx, held.keys, req["InstanceOSUser"], key)))
    return {"RequestId": ctx.request_id, "Success": True}


@op("SendSerialConsoleSSHPublicKey")
def send_serial_console_ssh_public_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """For a minute, whoever holds this key may sit down at the instance's serial console by SSH."""
    decided = cast("Defaults | None", ctx.find("ec2", "instance-defaults", "instances"))
    if decided is None or not decided.serial_console:
        raise AwsError(
            "SerialConsoleAccessDisabledException",
            "Your account is not authorized to use the EC2 Serial Console. To authorize your account, run the "
            "EnableSerialConsoleAccess API. For more information, see EnableSerialConsoleAccess in the Amazon EC2 API "
            "Reference.",
        )
    vm = _need(ctx, req["InstanceId"], "")
    facts = instance_types.facts(vm.type)
    if facts.get("Hypervisor") != "nitro" and not facts.get("BareMetal"):
        raise AwsError(
            "EC2InstanceTypeInvalidException",
            "The instance type is not supported for connecting via the serial console. Only Nitro instance types are "
            "currently supported.",
        )
    if vm.id in ctx.world.ports.get(SEATS, ()):
        raise AwsError(
            "SerialConsoleSessionLimitExceededException",
            "The instance currently has 1 active serial console session. Only 1 session is supported at a time.",
        )
    key, port = public_key(req["SSHPublicKey"]), f"port{req.get('SerialPort') or 0}"
    table = ctx.db[SerialKeys]
    held = table.get(vm.id) or table.add(SerialKeys(instance_id=vm.id))
    table.put(replace(held, keys=_with(ctx, held.keys, port, key)))
    return {"RequestId": ctx.request_id, "Success": True}


def _with(ctx: Ctx, known: tuple[PushedKey, ...], user: str, key: str) -> tuple[PushedKey, ...]:
    """The keys that still let their users in, and one more."""
    left = (one for one in known if ctx.now < one.until and (one.user, one.key) != (user, key))
    return (*left, PushedKey(user=user, key=key, until=ctx.now + VALID))


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
