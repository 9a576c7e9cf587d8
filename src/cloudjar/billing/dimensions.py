"""What a line of the ledger is called in reports: the dimensions of Cost Explorer and of budgets.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetDimensionValues.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache

from cloudjar.billing.measured import Line
from cloudjar.spec import prices

COMPUTE = ("BoxUsage", "SpotUsage", "DedicatedUsage", "HostUsage", "UnusedBox", "UnusedDed", "HeavyUsage",
           "Reservation")  # fmt: skip
"""Heads of EC2's usage types that are instances; the rest of EC2 is reported apart from them."""
EC2_COMPUTE, EC2_OTHER = "Amazon Elastic Compute Cloud - Compute", "EC2 - Other"
NAMES = {
    "AmazonCloudWatch": "AmazonCloudWatch",
    "AmazonCloudWatchLogs": "AmazonCloudWatch",
    "AWSELB": "Amazon Elastic Load Balancing",
    "AWSEvents": "CloudWatch Events",
    "ComputeSavingsPlans": "Savings Plans for AWS Compute usage",
}
"""Where reports have another name than the price list."""

MULTI = ":multi"
SIZES = {
    "nano": Decimal("0.25"), "micro": Decimal("0.5"), "small": Decimal(1), "medium": Decimal(2), "large": Decimal(4),
    "xlarge": Decimal(8),
}  # fmt: skip
"""Normalized units of an hour of an instance of a size; of N times xlarge, N times as many.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/apply_ri.html
"""
GROUPS = {
    "EC2: Running Hours": ("AmazonEC2", ("BoxUsage", "DedicatedUsage", "SpotUsage", "HostUsage")),
    "EC2: EBS - SSD(gp3)": ("AmazonEC2", ("EBS:VolumeUsage.gp3",)),
    "EC2: EBS - SSD(gp2)": ("AmazonEC2", ("EBS:VolumeUsage.gp2",)),
    "EC2: EBS - Snapshots": ("AmazonEC2", ("EBS:SnapshotUsage",)),
    "EC2: NAT Gateway - Running Hours": ("AmazonEC2", ("NatGateway-Hours",)),
    "EC2: NAT Gateway - Data Processed": ("AmazonEC2", ("NatGateway-Bytes",)),
    "EC2: Data Transfer - Internet (Out)": ("AWSDataTransfer", ("DataTransfer-Out-Bytes",)),
    "S3: Storage - Standard": ("AmazonS3", ("TimedStorage-ByteHrs",)),
    "S3: API Requests - Standard": ("AmazonS3", ("Requests-Tier",)),
    "RDS: Running Hours": ("AmazonRDS", ("InstanceUsage", "Multi-AZUsage")),
}
"""Usage type groups: a service and how its usage types begin."""

Name = Callable[[Line], str]


def service(line: Line) -> str:
    """The service's name in reports."""
    if line.service == "AmazonEC2":
        head = line.usage_type.partition(":")[0]
        if head in COMPUTE or line.usage_type == "Requests":
            return EC2_COMPUTE
        return EC2_OTHER
    return NAMES.get(line.service) or prices.service_name(line.service)


def instance_type(line: Line) -> str:
    """``t3.micro``, or "" of what is no instance."""
    head, _, kind = line.usage_type.partition(":")
    return kind if head in (*COMPUTE, "InstanceUsage", "Multi-AZUsage") and "." in kind else ""


def family(line: Line) -> str:
    """``t3``."""
    kind = instance_type(line)
    return kind.rpartition(".")[0].removeprefix("db.")


def normalized(line: Line) -> Decimal:
    """Normalized units in one unit (hour) of its usage; 0 of what is no instance."""
    counts = line.kind != "RIFee" and line.unit == "Hrs" and instance_type(line)
    return weight(line.usage_type) if counts else Decimal(0)


def weight(usage_type: str) -> Decimal:
    """Normalized units in an hour of an instance's usage type; a database in two zones counts twice."""
    head, _, kind = usage_type.partition(":")
    return factor(f"{kind}{MULTI}" if head == "Multi-AZUsage" else kind)


@cache
def factor(kind: str) -> Decimal:
    """Normalized units of an instance type (``t3.micro``), or of what is reserved of databases (`database`); 0 of what
    has no size."""
    size = kind.rpartition(".")[2].partition(":")[0]
    zones = 2 if kind.endswith(MULTI) else 1
    if size in SIZES:
        return SIZES[size] * zones
    count = size.removesuffix("xlarge")
    return SIZES["xlarge"] * int(count) * zones if count.isdigit() and size.endswith("xlarge") else Decimal(0)


def database(instance_class: str, operation: str, *, multi_az: bool) -> str:
    """What reservations of databases are of: ``db.t3.micro:CreateDBInstance:0014``, with `MULTI` behind it when they
    are in two zones. Engines (which operations stand for) are not mixed."""
    return f"{instance_class}:{operation}{MULTI if multi_az else ''}"


def pool(kind: str) -> str:
    """What a reservation that is flexible in size is for: ``t3``, ``db.t3:CreateDBInstance:0014``."""
    if not kind.startswith("db."):
        return kind.partition(".")[0]
    size, _, operation = kind.removesuffix(MULTI).partition(":")
    return f"{size.rpartition('.')[0]}:{operation}"


def purchase(line: Line) -> str:
    """How an instance is paid for."""
    head = line.usage_type.partition(":")[0]
    if line.kind in ("DiscountedUsage", "RIFee") or head == "HeavyUsage":
        return "Standard Reserved Instances"
    if line.kind.startswith("SavingsPlan"):
        return "Savings Plans"
    if head == "SpotUsage":
        return "Spot Instances"
    return "On Demand Instances" if instance_type(line) else ""


def group(line: Line) -> str:
    """The usage type group."""
    for name, (code, heads) in GROUPS.items():
        if line.service == code and line.usage_type.startswith(heads):
            return name
    return ""


NAMED: Mapping[str, Name] = {
    "SERVICE": service,
    "SERVICE_CODE": lambda line: line.service,
    "LINKED_ACCOUNT": lambda line: line.account,
    "REGION": lambda line: line.region or "global",
    "USAGE_TYPE": lambda line: line.bill_usage_type,
    "USAGE_TYPE_GROUP": group,
    "OPERATION": lambda line: line.operation,
    "INSTANCE_TYPE": instance_type,
    "INSTANCE_TYPE_FAMILY": family,
    "PURCHASE_TYPE": purchase,
    "RECORD_TYPE": lambda line: line.kind,
    "RESOURCE_ID": lambda line: line.resource,
    "OPERATING_SYSTEM": lambda line: "Linux/UNIX" if instance_type(line) and line.service == "AmazonEC2" else "",
    "PLATFORM": lambda line: "Linux/UNIX" if instance_type(line) and line.service == "AmazonEC2" else "",
    "TENANCY": lambda line: tenancy(line),
    "AZ": lambda line: line.zone,
    "RESERVATION_ID": lambda line: reservation(line.commitment),
    "SAVINGS_PLAN_ARN": lambda line: line.commitment if ":savingsplan/" in line.commitment else "",
    "LEGAL_ENTITY_NAME": lambda _: "Amazon Web Services, Inc.",
    "INVOICING_ENTITY": lambda _: "Amazon Web Services, Inc.",
    "BILLING_ENTITY": lambda _: "AWS",
}
"""What lines say of themselves. What they do not say (engines, an organization's payer) is not here: who is asked for
it refuses."""
MISSING = {
    "INSTANCE_TYPE": "NoInstanceType", "INSTANCE_TYPE_FAMILY": "NoInstanceTypeFamily", "OPERATION": "NoOperation",
    "OPERATING_SYSTEM": "NoOperatingSystem", "PLATFORM": "NoOperatingSystem", "PURCHASE_TYPE": "NoPurchaseType",
    "TENANCY": "NoTenancy", "AZ": "NoAZ", "USAGE_TYPE_GROUP": "NoUsageTypeGroup", "RESOURCE_ID": "NoResourceId",
}  # fmt: skip
"""What stands for a dimension that a line does not have."""


def reservation(arn: str) -> str:
    """The id of a reservation by its ARN; "" of other commitments."""
    return arn.partition(":reserved-instances/")[2] or arn.partition(":ri:")[2]


def tenancy(line: Line) -> str:
    """Of instances."""
    if not instance_type(line) or line.service != "AmazonEC2":
        return ""
    head = line.usage_type.partition(":")[0]
    return {"DedicatedUsage": "Dedicated", "UnusedDed": "Dedicated", "HostUsage": "Host"}.get(head, "Shared")


def value(name: str, line: Line) -> str:
    """A dimension's value, or what stands for none."""
    return NAMED[name](line) or MISSING.get(name, "")
