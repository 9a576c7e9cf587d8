"""What a failure would take along: volumes without snapshots, everything in one zone, buckets without versions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from cloudjar.kit.advice import Finding, Status
from cloudjar.services.trustedadvisor.checking import COLOURS, check, mend
from cloudjar.services.trustedadvisor.looking import HOME, Look, name_of


@check(
    "H7IgTzjTYb",
    "Amazon EBS Snapshots",
    "fault_tolerance",
    "Tells volumes whose newest snapshot is older than a week, or which have none.",
    (
        "Region", "Volume ID", "Volume Name", "Snapshot ID", "Snapshot Name", "Snapshot Age", "Volume Attachment",
        "Status", "Reason",
    ),
    ("ebs",),
)  # fmt: skip
def snapshots(look: Look) -> Iterator[Finding]:
    """Yellow: 7 to 30 days old. Red: older, or none."""
    newest: dict[str, dict[str, Any]] = {}
    for _, one in look.everywhere("ec2", "DescribeSnapshots", "Snapshots", OwnerIds=["self"]):
        held = newest.get(one["VolumeId"])
        if held is None or held["StartTime"] < one["StartTime"]:
            newest[one["VolumeId"]] = one
    for region, volume in look.everywhere("ec2", "DescribeVolumes", "Volumes"):
        if volume["State"] not in ("available", "in-use"):
            continue
        yield _volume(look, region, volume, newest.get(volume["VolumeId"]))


def _volume(look: Look, region: str, volume: dict[str, Any], last: dict[str, Any] | None) -> Finding:
    age = (look.now - last["StartTime"]).days if last else -1
    status: Status = "error" if last is None or age > 30 else "warning" if age > 7 else "ok"
    reason = "No snapshot" if last is None else f"Age of snapshot: {age} days" if status != "ok" else ""
    key = volume["VolumeId"]
    held = ", ".join(f"{a['InstanceId']}:{a['Device']}" for a in volume.get("Attachments") or ())
    snapshot = (last["SnapshotId"], name_of(last), str(age)) if last else ("", "", "")
    return Finding(
        status=status,
        region=region,
        resource=key,
        values=(region, key, name_of(volume), *snapshot, held, COLOURS[status], reason),
        evidence=reason,
        fix=(mend(region, "ec2", "CreateSnapshot", VolumeId=key),) if status != "ok" else (),
    )


@check(
    "wuy7G1zxql",
    "Amazon EC2 Availability Zone Balance",
    "fault_tolerance",
    "Tells regions whose instances are all in one zone, or unevenly over several.",
    ("Region", *(f"Zone {letter} Instances" for letter in "abcdef"), "Status", "Reason"),
    ("ec2",),
)
def zone_balance(look: Look) -> Iterator[Finding]:
    """Red: one zone. Yellow: one zone has more than a fifth more than another."""
    zones: dict[str, Counter[str]] = defaultdict(Counter)
    for region, vm in look.instances:
        if vm["State"]["Name"] == "running":
            zones[region][vm["Placement"]["AvailabilityZone"][-1]] += 1
    for region, counts in sorted(zones.items()):
        if sum(counts.values()) < 2:
            continue
        uneven = max(counts.values()) > 1.2 * min(counts.values())
        status: Status = "error" if len(counts) == 1 else "warning" if uneven else "ok"
        reasons = {"error": "All instances are in one zone", "warning": "Instances are unevenly distributed"}
        yield Finding(
            status=status,
            region=region,
            resource=f"instances in {region}",
            values=(
                region, *(str(counts[letter]) for letter in "abcdef"), COLOURS[status], reasons.get(status, ""),
            ),
            evidence=", ".join(f"{region}{letter}: {n}" for letter, n in sorted(counts.items())),
            hint="launch the next ones in another zone's subnet" if status != "ok" else "",
        )  # fmt: skip


@check(
    "CLOG40CDO8",
    "Auto Scaling Group Health Check",
    "fault_tolerance",
    "Tells groups that do not heed the health checks of their load balancer, or heed one that they do not have.",
    ("Region", "Auto Scaling Group Name", "Load Balancer Associated", "Health Check", "Status"),
    ("autoscaling",),
)
def group_health(look: Look) -> Iterator[Finding]:
    """Yellow: the kind of check does not go with the group."""
    for region, group in look.everywhere("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups"):
        name, kind = group["AutoScalingGroupName"], group.get("HealthCheckType") or "EC2"
        behind = bool(group.get("TargetGroupARNs") or group.get("LoadBalancerNames"))
        wrong = behind != ("ELB" in kind)
        wanted = "ELB" if behind else "EC2"
        change = mend(
            region, "autoscaling", "UpdateAutoScalingGroup", AutoScalingGroupName=name, HealthCheckType=wanted,
            HealthCheckGracePeriod=300,
        )  # fmt: skip
        yield Finding(
            status="warning" if wrong else "ok",
            region=region,
            resource=name,
            values=(region, name, "Yes" if behind else "No", kind, "Yellow" if wrong else "Green"),
            evidence=f"load balancer: {'yes' if behind else 'no'}, health check: {kind}" if wrong else "",
            fix=(change,) if wrong else (),
        )


@check(
    "cloudjar-group-one-zone",
    "Auto Scaling Groups in One Zone",
    "fault_tolerance",
    "Tells groups that launch into one Availability Zone alone.",
    ("Region", "Auto Scaling Group Name", "Zones"),
    ("autoscaling",),
)
def group_zones(look: Look) -> Iterator[Finding]:
    """Yellow: one zone."""
    for region, group in look.everywhere("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups"):
        name, zones = group["AutoScalingGroupName"], sorted(group["AvailabilityZones"])
        alone = len(zones) < 2
        yield Finding(
            status="warning" if alone else "ok",
            region=region,
            resource=name,
            values=(region, name, ", ".join(zones)),
            evidence=f"only {', '.join(zones)}" if alone else "",
            hint=f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} "
            "--vpc-zone-identifier SUBNET,SUBNET" if alone else "",
        )  # fmt: skip


@check(
    "c1dfprch08",
    "ALB Multi-AZ",
    "fault_tolerance",
    "Tells Application Load Balancers that are in one Availability Zone.",
    ("Status", "Region", "ALB Name", "ALB Rule", "ALB ARN", "Number of AZs", "Last Updated Time"),
    ("elasticloadbalancing",),
)
def balancer_zones(look: Look) -> Iterator[Finding]:
    """Yellow: one zone."""
    for region, one in look.everywhere("elbv2", "DescribeLoadBalancers", "LoadBalancers"):
        if one["Type"] != "application":
            continue
        count = len(one["AvailabilityZones"])
        status: Status = "warning" if count < 2 else "ok"
        yield Finding(
            status=status,
            region=region,
            resource=one["LoadBalancerName"],
            values=(
                COLOURS[status], region, one["LoadBalancerName"], "", one["LoadBalancerArn"], str(count),
                look.now.isoformat(),
            ),
            evidence=f"{count} zone" if count < 2 else "",
            hint="aws elbv2 set-subnets with subnets of two zones" if count < 2 else "",
        )  # fmt: skip


@check(
    "R365s2Qddf",
    "Amazon S3 Bucket Versioning",
    "fault_tolerance",
    "Tells buckets that keep no versions: what is overwritten or deleted there is gone.",
    ("Region", "Bucket Name", "Versioning", "MFA Delete Enabled", "Status"),
    ("s3",),
)
def versioning(look: Look) -> Iterator[Finding]:
    """Yellow: never enabled, or suspended."""
    for bucket in look.each("s3", "ListBuckets", "Buckets"):
        name = bucket["Name"]
        region = look.ask("s3", "GetBucketLocation", Bucket=name).get("LocationConstraint") or HOME
        found = look.ask("s3", "GetBucketVersioning", region, Bucket=name)
        state = found.get("Status") or "Not Enabled"
        status: Status = "ok" if state == "Enabled" else "warning"
        change = mend(
            region, "s3", "PutBucketVersioning", Bucket=name, VersioningConfiguration={"Status": "Enabled"}
        )
        yield Finding(
            status=status,
            region=region,
            resource=name,
            values=(region, name, state, found.get("MFADelete") or "Disabled", COLOURS[status]),
            evidence=f"versioning: {state.lower()}" if status != "ok" else "",
            fix=(change,) if status != "ok" else (),
        )
