"""Hardware facts and offerings.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.spec import instance_types, regions

_PLAIN = {
    "auto-recovery-supported": "AutoRecoverySupported",
    "bare-metal": "BareMetal",
    "burstable-performance-supported": "BurstablePerformanceSupported",
    "current-generation": "CurrentGeneration",
    "dedicated-hosts-supported": "DedicatedHostsSupported",
    "ebs-info.attachment-limit-type": "EbsInfo.AttachmentLimitType",
    "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps": "EbsInfo.EbsOptimizedInfo.BaselineBandwidthInMbps",
    "ebs-info.ebs-optimized-info.baseline-iops": "EbsInfo.EbsOptimizedInfo.BaselineIops",
    "ebs-info.ebs-optimized-info.baseline-throughput-in-mbps": "EbsInfo.EbsOptimizedInfo.BaselineThroughputInMBps",
    "ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps": "EbsInfo.EbsOptimizedInfo.MaximumBandwidthInMbps",
    "ebs-info.ebs-optimized-info.maximum-iops": "EbsInfo.EbsOptimizedInfo.MaximumIops",
    "ebs-info.ebs-optimized-info.maximum-throughput-in-mbps": "EbsInfo.EbsOptimizedInfo.MaximumThroughputInMBps",
    "ebs-info.maximum-ebs-attachments": "EbsInfo.MaximumEbsAttachments",
    "ebs-info.ebs-optimized-support": "EbsInfo.EbsOptimizedSupport",
    "ebs-info.encryption-support": "EbsInfo.EncryptionSupport",
    "ebs-info.nvme-support": "EbsInfo.NvmeSupport",
    "free-tier-eligible": "FreeTierEligible",
    "hibernation-supported": "HibernationSupported",
    "hypervisor": "Hypervisor",
    "instance-storage-info.disk.count": "InstanceStorageInfo.Disks[].Count",
    "instance-storage-info.disk.size-in-gb": "InstanceStorageInfo.Disks[].SizeInGB",
    "instance-storage-info.disk.type": "InstanceStorageInfo.Disks[].Type",
    "instance-storage-info.encryption-support": "InstanceStorageInfo.EncryptionSupport",
    "instance-storage-info.nvme-support": "InstanceStorageInfo.NvmeSupport",
    "instance-storage-info.total-size-in-gb": "InstanceStorageInfo.TotalSizeInGB",
    "instance-storage-supported": "InstanceStorageSupported",
    "instance-type": "InstanceType",
    "memory-info.size-in-mib": "MemoryInfo.SizeInMiB",
    "network-info.bandwidth-weightings": "NetworkInfo.BandwidthWeightings",
    "network-info.efa-info.maximum-efa-interfaces": "NetworkInfo.EfaInfo.MaximumEfaInterfaces",
    "network-info.efa-supported": "NetworkInfo.EfaSupported",
    "network-info.ena-support": "NetworkInfo.EnaSupport",
    "network-info.encryption-in-transit-supported": "NetworkInfo.EncryptionInTransitSupported",
    "network-info.flexible-ena-queues-support": "NetworkInfo.FlexibleEnaQueuesSupport",
    "network-info.ipv4-addresses-per-interface": "NetworkInfo.Ipv4AddressesPerInterface",
    "network-info.ipv6-addresses-per-interface": "NetworkInfo.Ipv6AddressesPerInterface",
    "network-info.ipv6-supported": "NetworkInfo.Ipv6Supported",
    "network-info.maximum-network-cards": "NetworkInfo.MaximumNetworkCards",
    "network-info.maximum-network-interfaces": "NetworkInfo.MaximumNetworkInterfaces",
    "network-info.network-performance": "NetworkInfo.NetworkPerformance",
    "nitro-enclaves-support": "NitroEnclavesSupport",
    "nitro-tpm-info.supported-versions": "NitroTpmInfo.SupportedVersions",
    "nitro-tpm-support": "NitroTpmSupport",
    "processor-info.supported-features": "ProcessorInfo.SupportedFeatures",
    "reboot-migration-support": "RebootMigrationSupport",
    "processor-info.supported-architecture": "ProcessorInfo.SupportedArchitectures",
    "processor-info.sustained-clock-speed-in-ghz": "ProcessorInfo.SustainedClockSpeedInGhz",
    "supported-boot-mode": "SupportedBootModes",
    "supported-root-device-type": "SupportedRootDeviceTypes",
    "supported-usage-class": "SupportedUsageClasses",
    "supported-virtualization-type": "SupportedVirtualizationTypes",
    "vcpu-info.default-cores": "VCpuInfo.DefaultCores",
    "vcpu-info.default-threads-per-core": "VCpuInfo.DefaultThreadsPerCore",
    "vcpu-info.default-vcpus": "VCpuInfo.DefaultVCpus",
    "vcpu-info.valid-cores": "VCpuInfo.ValidCores",
    "vcpu-info.valid-threads-per-core": "VCpuInfo.ValidThreadsPerCore",
}


def _reader(path: str) -> filters.Getter:
    steps = path.split(".")

    def read(row: Row) -> Any:
        value: Any = row.view
        for step in steps:
            value = value.get(step) if value is not None else None
        return value

    return read


_TYPE_FILTERS = {name: _reader(path) for name, path in _PLAIN.items() if "[]" not in path}
_TYPE_FILTERS |= by_path({name: path for name, path in _PLAIN.items() if "[]" in path})
_OFFERING_FILTERS = {"instance-type": _reader("InstanceType"), "location": _reader("Location")}


@op("DescribeInstanceTypes")
def describe_instance_types(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Hardware facts of the types that the region offers."""
    wanted = req.get("InstanceTypes")
    if wanted and req.get("MaxResults"):
        raise errors.combination("The parameter MaxResults cannot be used with instance types")
    if wanted:
        unknown = [name for name in wanted if not instance_types.exists(name)]
        if unknown:
            listed = ", ".join(unknown)
            raise AwsError("InvalidInstanceType", f"The following supplied instance types do not exist: [{listed}]")
        facts = [instance_types.facts(name) for name in dict.fromkeys(wanted)]
    else:
        facts = [f for f in instance_types.all_facts() if instance_types.offered_in(ctx.region, f["InstanceType"])]
    return {"InstanceTypes": narrow(req, _TYPE_FILTERS, [Row({}, f) for f in facts])}


@op("DescribeInstanceTypeOfferings")
def describe_instance_type_offerings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Where each type can be had: in the region, or zone by zone."""
    kind = req.get("LocationType") or "region"
    if kind == "outpost":
        return {"InstanceTypeOfferings": []}
    rows = [
        Row({}, {"InstanceType": name, "LocationType": kind, "Location": place})
        for place, names in _places(ctx, kind)
        for name in names
    ]
    return {"InstanceTypeOfferings": narrow(req, _OFFERING_FILTERS, rows)}


def _places(ctx: Ctx, kind: str) -> list[tuple[str, list[str]]]:
    offered = instance_types.offered(ctx.region)
    if kind == "region":
        names = sorted(set().union(*offered.values())) if offered else sorted(instance_types.names())
        return [(ctx.region, names)]
    zones = regions.zones(ctx.region, ctx.account)
    return [(zone.name if kind == "availability-zone" else zone.id, sorted(offered.get(zone.id, ()))) for zone in zones]
