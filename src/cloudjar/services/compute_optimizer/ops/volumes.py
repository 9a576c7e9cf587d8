"""Recommendations for EBS volumes that are attached to instances that run.

https://docs.aws.amazon.com/compute-optimizer/latest/APIReference/API_GetEBSVolumeRecommendations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import ceil
from typing import Any, NamedTuple

from cloudjar.billing import rightsizing
from cloudjar.services.compute_optimizer import savings
from cloudjar.services.compute_optimizer.ops.instances import paged
from cloudjar.services.compute_optimizer.seeing import Seeing, chosen, lacking, sees, tags_of

_MIB = 1024 * 1024
_HEADROOM = 1.2
_BURST = 3000
"""Operations a second that a small gp2 volume does for a while."""
_MOST_GP2, _MOST_GP3, _FASTEST_GP3 = 16_000, 80_000, 2_000
NAMES = {
    "VolumeReadOpsPerSecond": "VolumeReadOps", "VolumeWriteOpsPerSecond": "VolumeWriteOps",
    "VolumeReadBytesPerSecond": "VolumeReadBytes", "VolumeWriteBytesPerSecond": "VolumeWriteBytes",
}  # fmt: skip


class Shape(NamedTuple):
    """What a volume is: GiB, operations and MiB a second."""

    kind: str
    size: int
    iops: int
    throughput: int


class Advised(NamedTuple):
    """A volume, what it did at most in each second, and what would do for less; dollars a month."""

    volume: dict[str, Any]
    now: Shape
    peaks: dict[str, float]
    cost: Decimal
    options: list[tuple[Shape, Decimal]]

    @property
    def finding(self) -> str:
        return "NotOptimized" if self.options else "Optimized"

    @property
    def saved(self) -> Decimal:
        """Dollars a month by the best option."""
        return self.cost - self.options[0][1] if self.options else Decimal(0)


def advised(seeing: Seeing) -> Iterator[Advised]:
    """Those that were measured for long enough, and of which prices are known."""
    for volume in seeing.volumes:
        holders = {one["InstanceId"] for one in volume.get("Attachments") or () if one["State"] == "attached"}
        if not holders & set(seeing.instances):
            continue
        key, named = volume["VolumeId"], ("VolumeId", volume["VolumeId"])
        rates = {
            name: seeing.per_second("AWS/EBS", metric, named, days=rightsizing.DAYS) for name, metric in NAMES.items()
        }
        hours = len({int(at) // 3600 for at in rates["VolumeReadOpsPerSecond"]})
        now = Shape(volume["VolumeType"], volume["Size"], volume.get("Iops") or 0, volume.get("Throughput") or 0)
        cost = savings.volume(seeing.ctx.region, *now)
        if hours >= rightsizing.NEEDED_HOURS and cost is not None and key:
            peaks = {name: max(values.values(), default=0.0) for name, values in rates.items()}
            yield Advised(volume, now, peaks, cost, _options(seeing.ctx.region, now, cost, rates))


def _options(
    region: str, now: Shape, cost: Decimal, rates: dict[str, dict[float, float]]
) -> list[tuple[Shape, Decimal]]:
    """General purpose volumes with as much as was used at the peak and a fifth, where they cost less. Volumes of other
    kinds than SSD are left as they are: they are cheap, and what they are for is not known."""
    if now.kind not in ("gp2", "gp3", "io1", "io2"):
        return []
    iops = max(ceil(_together(rates, "Ops") * _HEADROOM), savings.FREE_IOPS)
    throughput = max(ceil(_together(rates, "Bytes") / _MIB * _HEADROOM), savings.FREE_THROUGHPUT)
    if iops > min(_MOST_GP3, max(now.size * 500, savings.FREE_IOPS)) or throughput > min(_FASTEST_GP3, iops // 4):
        return []
    wanted = Shape("gp3", now.size, iops, throughput)
    price = savings.volume(region, *wanted)
    return [(wanted, price)] if price is not None and price < cost else []


def _together(rates: dict[str, dict[float, float]], what: str) -> float:
    """Reads and writes of the same five minutes, at most."""
    reads, writes = rates[f"VolumeRead{what}PerSecond"], rates[f"VolumeWrite{what}PerSecond"]
    return max((value + writes.get(at, 0.0) for at, value in reads.items()), default=0.0)


@sees("GetEBSVolumeRecommendations")
def get_ebs_volume_recommendations(seeing: Seeing, req: dict[str, Any]) -> dict[str, Any]:
    """Volumes, what they did, and what would do for less."""
    shown = [_shown(seeing, one) for one in advised(seeing)]
    wrong = list(lacking(seeing, req.get("volumeArns") or (), (one["volumeArn"] for one in shown), "volume"))
    found = chosen(shown, req, "volumeArns", "volumeArn", {"Finding": "finding"})
    return paged("GetEBSVolumeRecommendations", req, "volumeRecommendations", found, wrong)


def _shown(seeing: Seeing, one: Advised) -> dict[str, Any]:
    root = _is_root(seeing, one.volume)
    return {
        "volumeArn": seeing.arn("ec2", f"volume/{one.volume['VolumeId']}"),
        "accountId": seeing.ctx.account,
        "currentConfiguration": _configuration(one.now, root),
        "finding": one.finding,
        "utilizationMetrics": [
            {"name": name, "statistic": "Maximum", "value": round(value, 6)} for name, value in one.peaks.items()
        ],
        "lookBackPeriodInDays": float(rightsizing.DAYS),
        "volumeRecommendationOptions": [
            {
                "configuration": _configuration(shape, root),
                "performanceRisk": 0.0,
                "rank": rank,
                "savingsOpportunity": savings.opportunity(one.cost - price, one.cost),
            }
            for rank, (shape, price) in enumerate(one.options, 1)
        ],
        "lastRefreshTimestamp": seeing.now,
        "currentPerformanceRisk": risk(one),
        "effectiveRecommendationPreferences": {"savingsEstimationMode": {"source": "PublicPricing"}},
        "tags": tags_of(one.volume),
    }


def _is_root(seeing: Seeing, volume: dict[str, Any]) -> bool:
    return any(
        seeing.instances.get(one["InstanceId"], {}).get("RootDeviceName") == one["Device"]
        for one in volume.get("Attachments") or ()
    )


def risk(one: Advised) -> str:
    """High, when it did at some time as much as it can."""
    peak = one.peaks["VolumeReadOpsPerSecond"] + one.peaks["VolumeWriteOpsPerSecond"]
    return "High" if one.now.iops and peak >= max(one.now.iops, _burst(one.now)) else "VeryLow"


def _burst(shape: Shape) -> int:
    """Operations a second for a while."""
    return max(shape.iops, _BURST) if shape.kind == "gp2" else shape.iops


def _configuration(shape: Shape, root: bool) -> dict[str, Any]:
    baseline = min(max(shape.iops, 100), _MOST_GP2) if shape.kind == "gp2" else shape.iops
    shown = {
        "volumeType": shape.kind, "volumeSize": shape.size, "volumeBaselineIOPS": baseline,
        "volumeBurstIOPS": _burst(shape), "rootVolume": root,
    }  # fmt: skip
    if shape.throughput:
        shown |= {"volumeBaselineThroughput": shape.throughput, "volumeBurstThroughput": shape.throughput}
    return shown
