"""The instance metadata tree.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.guests import Guest, Tree, serves_guests
from cloudjar.services.ec2 import naming
from cloudjar.services.ec2.instances.profiles import role_arn
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.key_pairs.records import KeyPair
from cloudjar.services.ec2.metadata.signing import identity
from cloudjar.services.ec2.network_interfaces.making import interface_at, interfaces_of
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.scheduled_events.scheduling import told_guest as maintenance
from cloudjar.services.ec2.security_groups.records import SecurityGroup
from cloudjar.services.ec2.spot.interrupting import told_guest
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.services.ec2.volumes.rules import point
from cloudjar.services.ec2.vpcs.records import Vpc
from cloudjar.spec import instance_types

_ROTATED_BEFORE_EXPIRY = timedelta(minutes=15)
_LIFETIME = timedelta(hours=6)


@serves_guests
def guest_at(world: World, vpc_id: str, address: str) -> Guest | None:
    """The instance that asks from a private address of a VPC."""
    eni = interface_at(world, vpc_id, address)
    if eni is None or not eni.instance_id:
        return None
    ctx = Ctx(world, eni.account, eni.region, service_caller("ec2.amazonaws.com", eni.account))
    vm = ctx.db[Instance].get(eni.instance_id)
    if vm is None:
        return None
    return Guest(
        instance_id=vm.id,
        tokens_required=vm.metadata.tokens == "required",
        hop_limit=vm.metadata.hop_limit,
        enabled=vm.metadata.endpoint == "enabled",
        tree=lambda with_token: tree(ctx, vm, with_token=with_token),
    )


def tree(ctx: Ctx, vm: Instance, *, with_token: bool) -> Tree:
    """Everything below ``/latest/``; credentials say by which version of the service they were asked for."""
    found: dict[str, Any] = {
        "meta-data": meta_data(ctx, vm, with_token=with_token),
        "dynamic": {
            "fws": {"instance-monitoring": "enabled" if vm.monitoring else "disabled"},
            "instance-identity": identity(ctx, vm),
        },
    }
    if vm.user_data:
        found["user-data"] = vm.user_data
    return found


def meta_data(ctx: Ctx, vm: Instance, *, with_token: bool) -> Tree:
    """``/latest/meta-data/``."""
    interfaces = interfaces_of(ctx.db, vm.id)
    primary = interfaces[0]
    public = primary.primary.public
    name = naming.host_name(vm.hostname_type, vm.region, vm.id, vm.private_ip)
    found: dict[str, Any] = {
        "ami-id": vm.image_id,
        "ami-launch-index": str(vm.launch_index),
        "ami-manifest-path": "(unknown)",
        "block-device-mapping": _devices(ctx, vm),
        "events": {"maintenance": maintenance(ctx, vm)},
        "hostname": name,
        "instance-action": "none",
        "instance-id": vm.id,
        "instance-life-cycle": "spot" if vm.spot_request_id else "on-demand",
        "instance-type": vm.type,
        "local-hostname": name,
        "local-ipv4": vm.private_ip,
        "mac": primary.mac,
        "network": {"interfaces": {"macs": {eni.mac: _interface(ctx, eni) for eni in interfaces}}},
        "placement": _placement(vm, primary),
        "profile": "default-hvm",
        "reservation-id": vm.reservation_id,
        "security-groups": "\n".join(_group_names(ctx, primary)),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
        "system": _system(vm.type),
    }
    if primary.ipv6:
        found["ipv6"] = primary.ipv6[0]
    if public is not None:
        found["public-ipv4"] = public.ip
        found["public-hostname"] = naming.public_dns(vm.region, public.ip)
    if vm.key_name:
        found["public-keys"] = _keys(ctx, vm)
    if vm.profile is not None:
        found["iam"] = _iam(ctx, vm, "2.0" if with_token else "1.0")
    if vm.spot_request_id:
        action, advice = told_guest(ctx, vm)
        if action:
            found["spot"] = action
        if advice:
            found["events"]["recommendations"] = advice
    pushed: Any = ctx.find("ec2-instance-connect", "pushed-keys", vm.id)
    active = pushed.active(ctx.now) if pushed is not None else {}
    if active:
        found["managed-ssh-keys"] = {"active-keys": {user: "\n".join(keys) + "\n" for user, keys in active.items()}}
    if vm.metadata.tags == "enabled":
        found["tags"] = {"instance": dict(vm.tags)}
    return found


def _devices(ctx: Ctx, vm: Instance) -> Tree:
    """The root device, and the other volumes as ``ebs1``, ``ebs2``, ... in the order of their devices."""
    devices = sorted(volume.device for volume in ctx.db[Volume].all(instance_id=vm.id))
    others = [device for device in devices if point(device) != point(vm.root_device)]
    return {
        "ami": vm.root_device.removeprefix("/dev/"),
        "root": vm.root_device,
        **{f"ebs{number}": device.removeprefix("/dev/") for number, device in enumerate(others, 1)},
    }


def _placement(vm: Instance, primary: NetworkInterface) -> Tree:
    found = {"availability-zone": vm.zone, "availability-zone-id": primary.zone_id, "region": vm.region}
    if vm.placement_group:
        found["group-name"] = vm.placement_group
    if vm.partition:
        found["partition-number"] = str(vm.partition)
    return found


def _system(kind: str) -> str:
    """The hypervisor that AWS's facts name for a type."""
    facts = instance_types.facts(kind)
    return str(facts.get("Hypervisor") or ("bare-metal" if facts.get("BareMetal") else "xen"))


def _keys(ctx: Ctx, vm: Instance) -> Tree:
    pair = ctx.db[KeyPair].get(vm.key_name)
    if pair is None:
        return {}
    # The one directory whose listing is not the names below it: "0=devops-key".
    return {f"0={vm.key_name}": "", "0": {"openssh-key": pair.public_key}}


def _group_names(ctx: Ctx, eni: NetworkInterface) -> list[str]:
    return [group.name for group in ctx.db[SecurityGroup].need_all(eni.groups)]


def _interface(ctx: Ctx, eni: NetworkInterface) -> Tree:
    subnet, vpc = ctx.db[Subnet].need(eni.subnet_id), ctx.db[Vpc].need(eni.vpc_id)
    found: dict[str, Any] = {
        "device-number": str(eni.device_index),
        "interface-id": eni.id,
        "local-hostname": naming.private_dns(eni.region, eni.primary.ip),
        "local-ipv4s": "\n".join(address.ip for address in eni.addresses),
        "mac": eni.mac,
        "network-card": "0",
        "owner-id": eni.account,
        "security-group-ids": "\n".join(eni.groups),
        "security-groups": "\n".join(_group_names(ctx, eni)),
        "subnet-id": subnet.id,
        "subnet-ipv4-cidr-block": subnet.cidr,
        "vpc-id": vpc.id,
        "vpc-ipv4-cidr-block": vpc.cidrs[0].cidr,
        "vpc-ipv4-cidr-blocks": "\n".join(block.cidr for block in vpc.cidrs),
    }
    if eni.ipv6:
        found["ipv6s"] = "\n".join(eni.ipv6)
    if subnet.ipv6_cidr:
        found["subnet-ipv6-cidr-blocks"] = subnet.ipv6_cidr
    if vpc.ipv6_cidrs:
        found["vpc-ipv6-cidr-blocks"] = "\n".join(block.cidr for block in vpc.ipv6_cidrs)
    publics = [(address.public.ip, address.ip) for address in eni.addresses if address.public is not None]
    if publics:
        found["public-ipv4s"] = "\n".join(ip for ip, _ in publics)
        found["public-hostname"] = naming.public_dns(eni.region, publics[0][0])
        found["ipv4-associations"] = dict(publics)
    return found


# Credentials are stateless sessions, so what is remembered here is only a saving: a restart issues new ones.
_ISSUED: dict[tuple[str, str, str], tuple[datetime, dict[str, Any]]] = {}
_REMEMBERED = 4096


def _iam(ctx: Ctx, vm: Instance, version: str) -> Tree:
    assert vm.profile is not None
    role = role_arn(ctx, vm.profile.arn)
    if not role:
        return {"info": json.dumps(_info(ctx, vm, "InstanceProfileNotFound"), indent=2)}

    def held() -> dict[str, Any]:
        return credentials(ctx, vm, role, version)

    def info() -> str:
        found = held()
        told = _info(ctx, vm, "Success") if found["Code"] == "Success" else found
        return json.dumps(told, indent=2)

    return {
        "info": info,
        "security-credentials": {role.rpartition("/")[2]: lambda: json.dumps(held(), indent=2)},
    }


def _info(ctx: Ctx, vm: Instance, code: str) -> dict[str, Any]:
    assert vm.profile is not None
    return {
        "Code": code,
        "LastUpdated": ctx.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "InstanceProfileArn": vm.profile.arn,
        "InstanceProfileId": vm.profile.profile_id,
    }


def credentials(ctx: Ctx, vm: Instance, role: str, version: str) -> dict[str, Any]:
    """The role's credentials for an instance; new ones appear a quarter of an hour before the old ones expire.

    EC2 assumes the role like any service, so the role must trust it. The session says for which instance it was made
    and by which version of the metadata service it was delivered.
    """
    held = _ISSUED.get((vm.id, role, version))
    if held is not None and ctx.now < held[0] - _ROTATED_BEFORE_EXPIRY:
        return held[1]
    try:
        issued = ctx.assume(
            role,
            service="ec2.amazonaws.com",
            session_name=vm.id,
            seconds=int(_LIFETIME.total_seconds()),
            keys={
                "ec2:sourceinstancearn": ctx.arn(vm),
                "ec2:roledelivery": version,
                "aws:ec2instancesourcevpc": vm.vpc_id,
                "aws:ec2instancesourceprivateipv4": vm.private_ip,
            },
        )
    except AwsError:
        return {
            "Code": "AssumeRoleUnauthorizedAccess",
            "Message": f"EC2 cannot assume the role {role.rpartition('/')[2]}. Please see documentation at "
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html"
            "#troubleshoot_iam-ec2_errors-info-doc.",
            "LastUpdated": ctx.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    found = {
        "Code": "Success",
        "LastUpdated": ctx.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Type": "AWS-HMAC",
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret,
        "Token": issued.token,
        "Expiration": issued.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if len(_ISSUED) >= _REMEMBERED:
        _ISSUED.clear()
    _ISSUED[vm.id, role, version] = (issued.expires, found)
    return found
