"""Attributes of an instance: read one, change one.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instances.defaults import check_hops, defaults, tokens_enforced
from cloudjar.services.ec2.instances.quota import refuse_more
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.instances.views import around, show_instance, show_metadata_options
from cloudjar.services.ec2.lookup import Row, by_path, narrow, need, need_all
from cloudjar.services.ec2.metering import life as metering
from cloudjar.services.ec2.network_interfaces.making import check_groups, interfaces_of
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.spec import instance_types

View = dict[str, Any]


def _value(value: Any) -> View:
    return {"Value": value}


_READERS: dict[str, Callable[[Instance, View], View]] = {
    "blockDeviceMapping": lambda vm, view: {"BlockDeviceMappings": view["BlockDeviceMappings"]},
    "disableApiStop": lambda vm, view: {"DisableApiStop": _value(vm.stop_protected)},
    "disableApiTermination": lambda vm, view: {"DisableApiTermination": _value(vm.termination_protected)},
    "ebsOptimized": lambda vm, view: {"EbsOptimized": _value(vm.ebs_optimized)},
    "enaSupport": lambda vm, view: {"EnaSupport": _value(True)},
    "enclaveOptions": lambda vm, view: {"EnclaveOptions": {"Enabled": False}},
    "groupSet": lambda vm, view: {"Groups": view["SecurityGroups"]},
    "instanceInitiatedShutdownBehavior": lambda vm, view: {
        "InstanceInitiatedShutdownBehavior": _value(vm.shutdown_behavior)
    },
    "instanceType": lambda vm, view: {"InstanceType": _value(vm.type)},
    "kernel": lambda vm, view: {"KernelId": {}},
    "productCodes": lambda vm, view: {"ProductCodes": []},
    "ramdisk": lambda vm, view: {"RamdiskId": {}},
    "rootDeviceName": lambda vm, view: {"RootDeviceName": _value(vm.root_device)},
    "sourceDestCheck": lambda vm, view: {"SourceDestCheck": _value(bool(view["SourceDestCheck"]))},
    "sriovNetSupport": lambda vm, view: {"SriovNetSupport": {}},
    "userData": lambda vm, view: {"UserData": _value(base64.b64encode(vm.user_data).decode()) if vm.user_data else {}},
}


@op("DescribeInstanceAttribute")
def describe_instance_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One attribute of one instance."""
    vm = need(ctx, Instance, req["InstanceId"])
    view = show_instance(vm, around(ctx.db, ctx.account, ctx.region, [vm.id]))
    return {"InstanceId": vm.id, **_READERS[req["Attribute"]](vm, view)}


@op("ModifyInstanceAttribute")
def modify_instance_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change one attribute; some only while the instance is stopped."""
    vm = need(ctx, Instance, req["InstanceId"])
    _legacy(req)
    errors.refuse(req, "Kernel", "Ramdisk", "SriovNetSupport")
    given = [name for name in _WRITERS if req.get(name) is not None]
    if len(given) != 1:
        raise errors.combination(
            "Fields for multiple attribute types specified" if given else "No attributes specified."
        )
    changed = _WRITERS[given[0]](ctx, vm, _given(req[given[0]]))
    ctx.db[Instance].put(changed)
    return {}


def _given(value: Any) -> Any:
    return value["Value"] if isinstance(value, dict) else value


def _legacy(req: dict[str, Any]) -> None:
    """The older form, ``Attribute`` and ``Value`` as text, said in the newer one."""
    attribute, text = req.get("Attribute"), req.get("Value")
    if attribute is None or text is None:
        return
    member = attribute[0].upper() + attribute[1:]
    if member not in _WRITERS:
        raise errors.invalid_parameter(attribute, "attribute", "Unknown attribute.")
    flags = ("DisableApiStop", "DisableApiTermination", "EbsOptimized", "SourceDestCheck")
    req[member] = {"Value": text.lower() == "true" if member in flags else text}


def _stopped(vm: Instance, attribute: str) -> None:
    if vm.state != "stopped":
        raise AwsError(
            "IncorrectInstanceState",
            f"The instance '{vm.id}' is not in the 'stopped' state."
            if attribute == "instanceType"
            else f"The instance '{vm.id}' must be stopped to change its {attribute}.",
        )


def _set_type(ctx: Ctx, vm: Instance, kind: str) -> Instance:
    _stopped(vm, "instanceType")
    if not instance_types.exists(kind) or not instance_types.offered_in(ctx.region, kind):
        raise errors.invalid_value(f"Invalid value '{kind}' for InstanceType.")
    if vm.architecture not in instance_types.facts(kind)["ProcessorInfo"]["SupportedArchitectures"]:
        raise errors.invalid_value(
            f"The architecture of the type {kind} does not match the architecture '{vm.architecture}' of the instance."
        )
    if not vm.spot_request_id:
        refuse_more(ctx, kind, instance_types.size(kind).vcpus)
    burst = instance_types.burst(kind)
    if burst is None:
        return replace(vm, type=kind, cpu=None, credits="")
    return replace(vm, type=kind, cpu=None, credits=vm.credits or ("unlimited" if burst.unlimited else "standard"))


def _set_user_data(ctx: Ctx, vm: Instance, data: Any) -> Instance:
    _stopped(vm, "userData")
    return replace(vm, user_data=data if isinstance(data, bytes) else base64.b64decode(str(data)))


def _set_groups(ctx: Ctx, vm: Instance, groups: list[str]) -> Instance:
    eni = interfaces_of(ctx.db, vm.id)[0]
    ctx.db[NetworkInterface].put(replace(eni, groups=check_groups(ctx, eni.vpc_id, groups)))
    return vm


def _set_check(ctx: Ctx, vm: Instance, on: bool) -> Instance:
    eni = interfaces_of(ctx.db, vm.id)[0]
    ctx.db[NetworkInterface].put(replace(eni, source_dest_check=on))
    return vm


def _set_optimized(ctx: Ctx, vm: Instance, on: bool) -> Instance:
    _stopped(vm, "ebsOptimized")
    return replace(vm, ebs_optimized=on)


def _set_shutdown(ctx: Ctx, vm: Instance, behavior: str) -> Instance:
    if behavior not in ("stop", "terminate"):
        raise errors.invalid_parameter(behavior, "instanceInitiatedShutdownBehavior", "Must be stop or terminate.")
    return replace(vm, shutdown_behavior=behavior)


def _set_mappings(ctx: Ctx, vm: Instance, mappings: list[View]) -> Instance:
    """Which volumes go with the instance."""
    attached = {volume.device: volume for volume in ctx.db[Volume].all(instance_id=vm.id)}
    for mapping in mappings:
        volume = attached.get(mapping.get("DeviceName") or "")
        if volume is None:
            raise AwsError(
                "InvalidInstanceAttributeValue", f"No device is currently mapped at {mapping.get('DeviceName')}"
            )
        goes = (mapping.get("Ebs") or {}).get("DeleteOnTermination")
        if goes is not None:
            ctx.db[Volume].put(replace(volume, delete_on_termination=goes))
    return vm


_WRITERS: dict[str, Callable[[Ctx, Instance, Any], Instance]] = {
    "BlockDeviceMappings": _set_mappings,
    "DisableApiStop": lambda ctx, vm, on: replace(vm, stop_protected=on),
    "DisableApiTermination": lambda ctx, vm, on: replace(vm, termination_protected=on),
    "EbsOptimized": _set_optimized,
    "Groups": _set_groups,
    "InstanceInitiatedShutdownBehavior": _set_shutdown,
    "InstanceType": _set_type,
    "SourceDestCheck": _set_check,
    "UserData": _set_user_data,
}


@op("ModifyInstanceMetadataOptions")
def modify_instance_metadata_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change how the instance may use IMDS; at once."""
    vm = need(ctx, Instance, req["InstanceId"])
    members = {
        "tokens": "HttpTokens",
        "hop_limit": "HttpPutResponseHopLimit",
        "endpoint": "HttpEndpoint",
        "tags": "InstanceMetadataTags",
    }
    if req.get("HttpProtocolIpv6") == "enabled":
        raise errors.not_built("The value enabled of the parameter HttpProtocolIpv6")
    given = {field: req[member] for field, member in members.items() if req.get(member) is not None}
    if "hop_limit" in given:
        check_hops(given["hop_limit"])
    if given.get("tokens") == "optional" and defaults(ctx).enforced == "enabled":
        raise tokens_enforced()
    changed = ctx.db[Instance].put(replace(vm, metadata=replace(vm.metadata, **given)))
    return {"InstanceId": vm.id, "InstanceMetadataOptions": show_metadata_options(changed)}


_CREDIT_FILTERS = by_path({"instance-id": "InstanceId"})


@op("DescribeInstanceCreditSpecifications")
def describe_instance_credit_specifications(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Credit options of burstable instances; without ids, those that are unlimited."""
    wanted = req.get("InstanceIds")
    if wanted:
        items = need_all(ctx, Instance, wanted)
        for vm in items:
            if not vm.credits:
                raise AwsError("InvalidInstanceType", f"The instance '{vm.id}' is not of a burstable performance type.")
    else:
        items = [vm for vm in ctx.db[Instance].all() if vm.credits == "unlimited" and vm.alive]
    rows = [Row(vm.tags, {"InstanceId": vm.id, "CpuCredits": vm.credits}) for vm in items]
    return {"InstanceCreditSpecifications": narrow(req, _CREDIT_FILTERS, rows)}


@op("ModifyInstanceCreditSpecification")
def modify_instance_credit_specification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change credit options; each instance succeeds or fails by itself."""
    done: list[View] = []
    failed: list[View] = []
    for entry in req["InstanceCreditSpecifications"]:
        if "CpuCredits" not in entry:
            raise AwsError("MissingParameter", "The request must contain the parameter CpuCredits")
        vm = ctx.db[Instance].get(entry["InstanceId"])
        if vm is None or not vm.credits:
            code = "InvalidInstanceID.NotFound" if vm is None else "InstanceCreditSpecification.NotSupported"
            error = {"Code": code, "Message": f"The credit specification of '{entry['InstanceId']}' cannot be changed."}
            failed.append({"InstanceId": entry["InstanceId"], "Error": error})
            continue
        if entry["CpuCredits"] not in ("standard", "unlimited"):
            words = "Valid values are standard and unlimited."
            raise errors.invalid_parameter(entry["CpuCredits"], "cpuCredits", words)
        metering.wake(ctx, ctx.db[Instance].put(replace(vm, credits=entry["CpuCredits"])))
        done.append({"InstanceId": vm.id})
    return {
        "SuccessfulInstanceCreditSpecifications": done,
        "UnsuccessfulInstanceCreditSpecifications": failed,
    }
