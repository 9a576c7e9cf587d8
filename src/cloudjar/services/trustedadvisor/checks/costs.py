"""What costs and serves nobody: idle machines, leftovers, gateways without traffic, and bills that nobody watches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudjar.kit.advice import Finding
from cloudjar.services.trustedadvisor.checking import check, dollars, mend
from cloudjar.services.trustedadvisor.looking import Look, name_of

DAY = timedelta(days=1)
_CPU, _BYTES, _LOW_DAYS = 10.0, 5e6, 4
FORGOTTEN = timedelta(days=7)
STOPPED = timedelta(days=30)
_STOPPED_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT\)")


def _disks(vm: dict[str, Any]) -> list[str]:
    return [one["Ebs"]["VolumeId"] for one in vm.get("BlockDeviceMappings") or () if one.get("Ebs")]


def _daily(look: Look, region: str, namespace: str, name: str, stat: str, days: int, **dimensions: str) -> list[float]:
    """A statistic of the last days, oldest first; only days that have points."""
    found = look.ask(
        "cloudwatch", "GetMetricStatistics", region, Namespace=namespace, MetricName=name, Statistics=[stat],
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()], Period=86400,
        StartTime=look.now - days * DAY, EndTime=look.now,
    )["Datapoints"]  # fmt: skip
    return [float(point[stat]) for point in sorted(found, key=lambda point: point["Timestamp"])]


@check(
    "Qch7DwouX1",
    "Low Utilization Amazon EC2 Instances",
    "cost_optimizing",
    "Tells running instances whose processors were used 10 % or less, and whose network carried 5 MB or less, on four "
    "or more of the last 14 days.",
    (
        "Region/AZ", "Instance ID", "Instance Name", "Instance Type", "Estimated Monthly Savings",
        *(f"Day {number}" for number in range(1, 15)), "14-Day Average CPU Utilization",
        "14-Day Average Network I/O", "Number of Days Low Utilization",
    ),
    ("ec2",),
)  # fmt: skip
def low_utilization(look: Look) -> Iterator[Finding]:
    """Yellow: four low days."""
    for region, vm in look.instances:
        if vm["State"]["Name"] != "running":
            continue
        key = vm["InstanceId"]
        cpu = _daily(look, region, "AWS/EC2", "CPUUtilization", "Average", 14, InstanceId=key)
        inward = _daily(look, region, "AWS/EC2", "NetworkIn", "Sum", 14, InstanceId=key)
        outward = _daily(look, region, "AWS/EC2", "NetworkOut", "Sum", 14, InstanceId=key)
        days = list(zip(cpu, _sums(inward, outward, len(cpu)), strict=True))
        low = sum(1 for used, carried in days if used <= _CPU and carried <= _BYTES)
        if low < _LOW_DAYS:
            continue
        cost = look.monthly(region, key, vm.get("PublicIpAddress") or "")
        shown = [f"{used:.1f}%  {carried / 1e6:.2f}MB" for used, carried in days]
        mean = sum(cpu) / len(cpu), sum(carried for _, carried in days) / len(days) / 1e6
        yield Finding(
            status="warning",
            region=region,
            resource=key,
            values=(
                vm["Placement"]["AvailabilityZone"], key, name_of(vm), vm["InstanceType"], dollars(cost),
                *[""] * (14 - len(shown)), *shown, f"{mean[0]:.1f}%", f"{mean[1]:.2f}MB", f"{low} days",
            ),
            evidence=f"{low} of {len(days)} days at {mean[0]:.1f} % CPU and {mean[1]:.2f} MB a day",
            monthly=cost,
            fix=(mend(region, "ec2", "StopInstances", InstanceIds=[key]),),
        )  # fmt: skip


def _sums(inward: list[float], outward: list[float], days: int) -> list[float]:
    """Bytes of both ways by day, of the last days; a day without points carried nothing."""
    padded = [[0.0] * (days - len(one)) + one[-days:] if days else [] for one in (inward, outward)]
    return [a + b for a, b in zip(*padded, strict=True)]


@check(
    "cloudjar-forgotten-instance",
    "Instances Left Running",
    "cost_optimizing",
    "Tells instances that have run for a week or longer outside of an Auto Scaling group.",
    ("Region", "Instance ID", "Instance Name", "Instance Type", "Running Since", "Estimated Monthly Savings"),
    ("ec2",),
)
def left_running(look: Look) -> Iterator[Finding]:
    """Yellow: seven days."""
    for region, vm in look.instances:
        grouped = any(tag["Key"] == "aws:autoscaling:groupName" for tag in vm.get("Tags") or ())
        since: datetime = vm["LaunchTime"]
        if vm["State"]["Name"] != "running" or grouped or look.now - since < FORGOTTEN:
            continue
        key, cost = vm["InstanceId"], look.monthly(region, vm["InstanceId"], vm.get("PublicIpAddress") or "")
        yield Finding(
            status="warning",
            region=region,
            resource=key,
            values=(region, key, name_of(vm), vm["InstanceType"], since.isoformat(), dollars(cost)),
            evidence=f"{vm['InstanceType']} {name_of(vm)} has run for {(look.now - since).days} days",
            monthly=cost,
            fix=(mend(region, "ec2", "StopInstances", InstanceIds=[key]),),
        )


@check(
    "c18d2gz150",
    "Amazon EC2 instances stopped",
    "cost_optimizing",
    "Tells instances that have been stopped for more than 30 days: their disks and addresses cost on.",
    ("Status", "Region", "Resource", "AWS Config Rule", "Input Parameters", "Last Updated Time"),
    ("ec2",),
)
def long_stopped(look: Look) -> Iterator[Finding]:
    """Yellow: 30 days."""
    for region, vm in look.instances:
        found = _STOPPED_AT.search(vm.get("StateTransitionReason") or "")
        if vm["State"]["Name"] != "stopped" or found is None:
            continue
        since = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        old = look.now - since > STOPPED
        key, cost = vm["InstanceId"], look.monthly(region, vm["InstanceId"], *_disks(vm))
        yield Finding(
            status="warning" if old else "ok",
            region=region,
            resource=key,
            values=("Yellow" if old else "Green", region, key, "ec2-stopped-instance", "", look.now.isoformat()),
            evidence=f"stopped for {(look.now - since).days} days, disks {', '.join(_disks(vm))}" if old else "",
            monthly=cost if old else 0,
            fix=(mend(region, "ec2", "TerminateInstances", InstanceIds=[key]),) if old else (),
        )


@check(
    "Z4AUBRNSmz",
    "Unassociated Elastic IP Addresses",
    "cost_optimizing",
    "Tells Elastic IP addresses that nothing uses: each costs by the hour.",
    ("Region", "IP Address"),
    ("ec2",),
)
def idle_addresses(look: Look) -> Iterator[Finding]:
    """Yellow: no association."""
    for region, address in look.everywhere("ec2", "DescribeAddresses", "Addresses"):
        if address.get("AssociationId"):
            continue
        cost = look.monthly(region, address["AllocationId"], address["PublicIp"])
        yield Finding(
            status="warning",
            region=region,
            resource=address["PublicIp"],
            values=(region, address["PublicIp"]),
            evidence=f"{address['PublicIp']} ({address['AllocationId']}) is associated with nothing",
            monthly=cost,
            fix=(mend(region, "ec2", "ReleaseAddress", AllocationId=address["AllocationId"]),),
        )


@check(
    "DAvU99Dc4C",
    "Underutilized Amazon EBS Volumes",
    "cost_optimizing",
    "Tells volumes that are attached to nothing.",
    (
        "Region", "Volume ID", "Volume Name", "Volume Type", "Volume Size", "Monthly Storage Cost", "Snapshot ID",
        "Snapshot Name", "Snapshot Age",
    ),
    ("ebs",),
)  # fmt: skip
def loose_volumes(look: Look) -> Iterator[Finding]:
    """Yellow: not attached."""
    for region, volume in look.everywhere("ec2", "DescribeVolumes", "Volumes"):
        if volume["State"] != "available":
            continue
        key, cost = volume["VolumeId"], look.monthly(region, volume["VolumeId"])
        snapshot = volume.get("SnapshotId") or ""
        size = f"{volume['Size']} GB"
        yield Finding(
            status="warning",
            region=region,
            resource=key,
            values=(region, key, name_of(volume), volume["VolumeType"], size, dollars(cost), snapshot, "", ""),
            evidence=f"{size} {volume['VolumeType']} attached to nothing",
            monthly=cost,
            fix=(mend(region, "ec2", "DeleteVolume", VolumeId=key),),
        )


@check(
    "hjLMh88uM8",
    "Idle Load Balancers",
    "cost_optimizing",
    "Tells load balancers behind which no target is healthy.",
    ("Region", "Load Balancer Name", "Reason", "Estimated Monthly Savings"),
    ("elasticloadbalancing",),
)
def idle_balancers(look: Look) -> Iterator[Finding]:
    """Yellow: nothing to send requests to."""
    for region, balancer in look.everywhere("elbv2", "DescribeLoadBalancers", "LoadBalancers"):
        arn = balancer["LoadBalancerArn"]
        groups = list(look.each("elbv2", "DescribeTargetGroups", "TargetGroups", region, LoadBalancerArn=arn))
        targets = [
            one["TargetHealth"]["State"]
            for group in groups
            for one in look.each(
                "elbv2", "DescribeTargetHealth", "TargetHealthDescriptions", region,
                TargetGroupArn=group["TargetGroupArn"],
            )
        ]  # fmt: skip
        if "healthy" in targets:
            continue
        reason = "No active back-end instances" if not targets else "No healthy back-end instances"
        cost = look.monthly(region, arn, arn.partition("loadbalancer/")[2], balancer["LoadBalancerName"])
        yield Finding(
            status="warning",
            region=region,
            resource=balancer["LoadBalancerName"],
            values=(region, balancer["LoadBalancerName"], reason, dollars(cost)),
            evidence=f"{len(targets)} targets, none healthy",
            monthly=cost,
            fix=(mend(region, "elbv2", "DeleteLoadBalancer", LoadBalancerArn=arn),),
        )


@check(
    "c2vlfg022t",
    "Inactive NAT Gateways",
    "cost_optimizing",
    "Tells NAT gateways that have carried nothing within the last 30 days.",
    ("Status", "Region", "Resource", "Subnet", "VPC", "Last Updated Time"),
    ("vpc",),
)
def inactive_nat(look: Look) -> Iterator[Finding]:
    """Yellow: no byte in 30 days."""
    for region, gateway in _nat_gateways(look):
        key = gateway["NatGatewayId"]
        old = look.now - gateway["CreateTime"] >= timedelta(days=30)
        carried = sum(
            sum(_daily(look, region, "AWS/NATGateway", name, "Sum", 30, NatGatewayId=key))
            for name in ("BytesOutToDestination", "BytesInFromDestination")
        )
        idle = old and not carried
        yield Finding(
            status="warning" if idle else "ok",
            region=region,
            resource=key,
            values=(
                "Yellow" if idle else "Green", region, key, gateway.get("SubnetId", ""), gateway.get("VpcId", ""),
                look.now.isoformat(),
            ),
            evidence="nothing was carried within 30 days" if idle else "",
            monthly=look.monthly(region, key) if idle else 0,
            fix=(mend(region, "ec2", "DeleteNatGateway", NatGatewayId=key),) if idle else (),
        )  # fmt: skip


def _nat_gateways(look: Look) -> Iterator[tuple[str, dict[str, Any]]]:
    for region, gateway in look.everywhere("ec2", "DescribeNatGateways", "NatGateways"):
        if gateway["State"] in ("available", "pending"):
            yield region, gateway


@check(
    "cloudjar-forgotten-nat",
    "NAT Gateways without a Route",
    "cost_optimizing",
    "Tells NAT gateways to which no route table leads: nothing can use them, and they cost by the hour.",
    ("Region", "NAT Gateway", "VPC", "Estimated Monthly Savings"),
    ("vpc",),
)
def unrouted_nat(look: Look) -> Iterator[Finding]:
    """Yellow: no route."""
    for region, gateway in _nat_gateways(look):
        key = gateway["NatGatewayId"]
        tables = look.each("ec2", "DescribeRouteTables", "RouteTables", region)
        if any(route.get("NatGatewayId") == key for table in tables for route in table.get("Routes") or ()):
            continue
        cost = look.monthly(region, key)
        yield Finding(
            status="warning",
            region=region,
            resource=key,
            values=(region, key, gateway.get("VpcId", ""), dollars(cost)),
            evidence=f"no route of {gateway.get('VpcId', 'its VPC')} leads to {key}",
            monthly=cost,
            fix=(mend(region, "ec2", "DeleteNatGateway", NatGatewayId=key),),
        )


@check(
    "cloudjar-no-budget",
    "No Budget",
    "cost_optimizing",
    "Warns when the account has no budget: nobody is told before the bill comes.",
    ("Budgets",),
    ("budgets",),
)
def no_budget(look: Look) -> Iterator[Finding]:
    """Yellow: none."""
    count = len(look.records("budgets", "budget"))
    limit = {"Amount": "5", "Unit": "USD"}
    budget = {"BudgetName": "monthly", "BudgetLimit": limit, "TimeUnit": "MONTHLY", "BudgetType": "COST"}
    yield Finding(
        status="ok" if count else "warning",
        region="-",
        resource="budgets",
        values=(str(count),),
        evidence="" if count else "there is no budget",
        fix=()
        if count
        else (mend("us-east-1", "budgets", "CreateBudget", AccountId=look.ctx.account, Budget=budget),),
    )
