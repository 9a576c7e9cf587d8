"""The plain options of a launch: what a machine is besides its image, disks and network.

A member of a launch that is not honoured is refused by name: nothing that was asked for is silently left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instances.defaults import defaults
from cloudjar.services.ec2.instances.records import Cpu
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.spec import instance_types

_NOT_BUILT = (
    "AdditionalInfo",
    "CpuOptions.AmdSevSnp",
    "ElasticGpuSpecification",
    "ElasticInferenceAccelerators",
    "EnablePrimaryIpv6",
    "KernelId",
    "LicenseSpecifications",
    "Monitoring.MetricCategoryIds",
    "Operator",
    "Placement.HostResourceGroupArn",
    "Placement.SpreadDomain",
    "RamdiskId",
    "SecondaryInterfaces",
)
_ONLY = {
    "CpuOptions.NestedVirtualization": (None, "disabled"),
    "MetadataOptions.HttpProtocolIpv6": (None, "disabled"),
}
"""Members of which only what everybody has is built."""
_DRIVER = "cloudjar:driver"
_TAGGABLE = frozenset(("instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu"))


def refuse_unbuilt(req: Mapping[str, Any]) -> None:
    """Raise UnsupportedOperation for the first member that asks for what is not built."""
    for path in _NOT_BUILT:
        if member(req, path):
            raise errors.not_built(f"The parameter {path}")
    for path, held in _ONLY.items():
        value = member(req, path)
        if value not in held:
            raise errors.not_built(f"The value {value} of the parameter {path}")
    for spec in req.get("TagSpecifications") or ():
        kind = spec.get("ResourceType")
        if kind not in _TAGGABLE:
            raise errors.invalid_value(f"'{kind}' is not a valid taggable resource type for this operation.")


def names(req: Mapping[str, Any], subnet: Subnet) -> dict[str, Any]:
    """What the launch says of host names, else what its subnet says, as fields of an instance."""
    record = member(req, "PrivateDnsNameOptions.EnableResourceNameDnsARecord")
    record6 = member(req, "PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord")
    if record6 and not subnet.ipv6_cidr:
        raise errors.invalid_value(
            f"Invalid value 'true' for enableResourceNameDnsAAAARecord: subnet {subnet.id} has no IPv6 CIDR block"
        )
    return {
        "hostname_type": member(req, "PrivateDnsNameOptions.HostnameType") or subnet.hostname_type,
        "name_record": subnet.resource_name_a_record if record is None else record,
        "name_record6": subnet.resource_name_aaaa_record if record6 is None else record6,
    }


def driver(req: Mapping[str, Any]) -> str:
    """The compute driver that an instance's tag ``cloudjar:driver``, our own, asks for; empty: the jar chooses."""
    wanted = tags.specified(req, "instance").get(_DRIVER, "")
    if wanted not in ("", "container", "vm"):
        raise errors.invalid_value(f"Value ({wanted}) for the tag {_DRIVER} is invalid. Try: container or vm.")
    return wanted


def member(req: Mapping[str, Any], path: str) -> Any:
    """The member of a request at a dotted path; None where there is none."""
    value: Any = req
    for part in path.split("."):
        value = (value or {}).get(part)
    return value


def refuse_impossible(req: Mapping[str, Any], kind: str) -> None:
    """What an instance of this type and of images like ours cannot have, as AWS refuses it."""
    if member(req, "HibernationOptions.Configured"):
        raise AwsError(
            "UnsupportedHibernationConfiguration",
            f"The instance type {kind} cannot hibernate with this image: the image has no agent for it.",
        )
    if member(req, "EnclaveOptions.Enabled"):
        if instance_types.facts(kind).get("NitroEnclavesSupport") != "supported":
            raise errors.combination(f"The instance type {kind} does not support AWS Nitro Enclaves.")
        raise errors.not_built("The parameter EnclaveOptions.Enabled")
    weighting = member(req, "NetworkPerformanceOptions.BandwidthWeighting")
    if weighting not in (None, "default"):
        offered = instance_types.facts(kind).get("NetworkInfo", {}).get("BandwidthWeightings", ())
        if weighting not in offered:
            raise errors.combination(f"The instance type {kind} does not support the bandwidth weighting {weighting}.")
        raise errors.not_built("The parameter NetworkPerformanceOptions.BandwidthWeighting")


def cpu(asked: Mapping[str, Any] | None, kind: str) -> Cpu | None:
    """The cores and threads asked for, both or none; raises what the type cannot have."""
    cores, threads = (asked or {}).get("CoreCount"), (asked or {}).get("ThreadsPerCore")
    if cores is None and threads is None:
        return None
    if cores is None or threads is None:
        raise errors.missing_one("CpuOptions.ThreadsPerCore" if threads is None else "CpuOptions.CoreCount")
    facts = instance_types.facts(kind).get("VCpuInfo", {})
    if cores not in facts.get("ValidCores", [facts.get("DefaultCores")]):
        raise errors.invalid_value(f"The number of cores ({cores}) is not valid for the instance type {kind}.")
    if threads not in facts.get("ValidThreadsPerCore", [facts.get("DefaultThreadsPerCore")]):
        raise errors.invalid_value(f"The threads per core ({threads}) are not valid for the instance type {kind}.")
    return Cpu(cores=cores, threads=threads)


def vcpus(kind: str, chosen: Cpu | None) -> int:
    """How many virtual CPUs a machine has."""
    return chosen.cores * chosen.threads if chosen is not None else instance_types.size(kind).vcpus


def credit_option(ctx: Ctx, req: Mapping[str, Any], kind: str) -> str:
    """``standard`` or ``unlimited`` for a burstable type, as asked or as the account's default is; else empty."""
    wanted = member(req, "CreditSpecification.CpuCredits")
    burst = instance_types.burst(kind)
    if wanted not in (None, "standard", "unlimited"):
        raise errors.invalid_parameter(wanted, "cpuCredits", "Valid values are standard and unlimited.")
    if burst is None:
        if wanted:
            raise errors.combination(f"The credit specification cannot be used with the instance type {kind}.")
        return ""
    return str(wanted or default_credits(ctx, kind.partition(".")[0], burst.unlimited))


def default_credits(ctx: Ctx, family: str, unlimited: bool) -> str:
    """The credit option of a family's new instances in this account and region."""
    return defaults(ctx).credits.get(family) or ("unlimited" if unlimited else "standard")
