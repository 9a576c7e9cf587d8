"""Bills to the cent: what was used in a month, and what it costs, worked out from the prices as they stand.

Sums are written as on paper: ``744 * 0.0118 + 8 * 0.0928``. Prices are Paris's unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest

from cloudjar.kit.quantities import Tally
from cloudjar.kit.usage import Meter
from tests.billing.scenarios import FEBRUARY, JANUARY, LEAP, PARIS, VIRGINIA, Counted, Ran, Use, due, hours

Case = tuple[str, datetime, Sequence[Use], str]
OTHER = "210987654321"


def box(kind: str) -> Meter:
    return Meter("AmazonEC2", f"BoxUsage:{kind}", "RunInstances", "Hrs")


def disk(size: int, kind: str = "gp3") -> Meter:
    return Meter("AmazonEC2", f"EBS:VolumeUsage.{kind}", "", "GB-Mo", Decimal(size))


def monthly(service: str, kind: str, unit: str, amount: int | str = 1) -> Meter:
    return Meter(service, kind, "", unit, Decimal(amount))


IN_USE = Meter("AmazonVPC", "PublicIPv4:InUseAddress", "AssociateAddressVPC", "Hrs")
IDLE = Meter("AmazonVPC", "PublicIPv4:IdleAddress", "AllocateAddressVPC", "Hrs")
NAT = Meter("AmazonEC2", "NatGateway-Hours", "NatGateway", "Hrs")
ENDPOINT = Meter("AmazonVPC", "VpcEndpoint-Hours", "VpcEndpoint", "Hrs")
TRANSIT = Meter("AmazonVPC", "TransitGateway-Hours", "TransitGatewayVPC", "Hrs")
ALB = Meter("AWSELB", "LoadBalancerUsage", "LoadBalancing:Application", "Hrs")
NLB = Meter("AWSELB", "LoadBalancerUsage", "LoadBalancing:Network", "Hrs")
KEY = monthly("awskms", "KMS-Keys", "Keys")
SECRET = monthly("AWSSecretsManager", "AWSSecretsManager-Secrets", "Secrets")
ALARM = monthly("AmazonCloudWatch", "CW:AlarmMonitorUsage", "Alarms")
DASHBOARD = monthly("AmazonCloudWatch", "DashboardsUsageHour", "Dashboards")
SHARD = Meter("AmazonKinesis", "Storage-ShardHour", "", "ShardHour")
FEE = Meter("AmazonEC2", "HeavyUsage:t3.micro", "RunInstances:Reserved", "USD once", Decimal("54.50"))
RESERVED = Meter("AmazonEC2", "HeavyUsage:t3.micro", "RunInstances:Reserved", "USD", Decimal("0.0062"))
PLAN = Meter("ComputeSavingsPlans", "ComputeSP:1yrNoUpfront", "", "USD", Decimal("0.5"))


def ran(meter: Meter, length: float, start: datetime = JANUARY, region: str = PARIS, key: str = "one") -> Ran:
    return Ran(meter, start, hours(length), region, key=key)


def counted(service: str, kind: str, unit: str, amount: int, operation: str = "", **more: str) -> Counted:
    return Counted(Tally(service, kind, operation, unit, 1), amount, JANUARY + hours(36), **more)


def out(amount: int, **more: str) -> Counted:
    return counted("AWSDataTransfer", "DataTransfer-Out-Bytes", "GB", amount, **more)


def calls(amount: int, **more: str) -> Counted:
    return counted("AWSQueueService", "Requests-Tier1", "Requests", amount, **more)


NOON = JANUARY + hours(14 * 24 + 12)
TURN = FEBRUARY - hours(1)
"""An hour before the month ends."""

MACHINES: Sequence[Case] = [
    (f"{name} for {count} hours in {region}", JANUARY, [ran(box(name), count, NOON, region)], f"{count} * {price}")
    for name, region, price in (
        ("t3.nano", PARIS, "0.0059"), ("t3.micro", PARIS, "0.0118"), ("t3.small", PARIS, "0.0236"),
        ("t3.medium", PARIS, "0.0472"), ("t3.large", PARIS, "0.0944"), ("m5.large", PARIS, "0.112"),
        ("t3.micro", VIRGINIA, "0.0104"), ("t3.medium", VIRGINIA, "0.0416"), ("m5.large", VIRGINIA, "0.096"),
    )
    for count in (1, 24, 100)
]  # fmt: skip

SECONDS: Sequence[Case] = [
    (f"a machine of {length} seconds", JANUARY, [ran(box("m5.large"), length / 3600, NOON, VIRGINIA)],
     f"{max(length, 60)} * 0.096 / 3600")
    for length in (1, 30, 59, 60, 61, 600, 1800, 3599, 3601)
] + [
    ("a hundred starts of ten seconds", JANUARY,
     [ran(box("m5.large"), 10 / 3600, NOON + hours(n), VIRGINIA) for n in range(100)], "100 * 60 * 0.096 / 3600"),
    ("stop and start within an hour", JANUARY,
     [ran(box("m5.large"), 0.25, NOON, VIRGINIA), ran(box("m5.large"), 0.25, NOON + hours(0.5), VIRGINIA)],
     "0.5 * 0.096"),
    ("a start of five seconds before the month ends", JANUARY,
     [ran(box("m5.large"), 5 / 3600, FEBRUARY - timedelta(seconds=5), VIRGINIA)], "60 * 0.096 / 3600"),
    ("two machines at once", JANUARY,
     [ran(box("t3.large"), 100, NOON, key="a"), ran(box("t3.large"), 100, NOON, key="b")], "200 * 0.0944"),
]  # fmt: skip

MONTHS: Sequence[Case] = [
    ("a machine for all of January", JANUARY, [ran(box("t3.micro"), 744)], "744 * 0.0118"),
    ("a machine for all of February", FEBRUARY, [ran(box("t3.micro"), 672, FEBRUARY)], "672 * 0.0118"),
    ("a machine for a leap February", LEAP, [ran(box("t3.micro"), 696, LEAP)], "696 * 0.0118"),
    ("a machine for years, in January", JANUARY, [ran(box("t3.micro"), 99999, JANUARY - hours(5000))], "744 * 0.0118"),
    ("over the turn, before", JANUARY, [ran(box("t3.large"), 100, TURN)], "1 * 0.0944"),
    ("over the turn, after", FEBRUARY, [ran(box("t3.large"), 100, TURN)], "99 * 0.0944"),
    ("a disk for all of January", JANUARY, [ran(disk(100), 744)], "100 * 0.0928"),
    ("a disk for all of February", FEBRUARY, [ran(disk(100), 672, FEBRUARY)], "100 * 0.0928"),
    ("a disk for a leap February", LEAP, [ran(disk(100), 696, LEAP)], "100 * 0.0928"),
    ("a disk for a day of January", JANUARY, [ran(disk(1000), 24, NOON)], "1000 * 0.0928 * 24 / 744"),
    ("a disk for a day of February", FEBRUARY, [ran(disk(1000), 24, FEBRUARY)], "1000 * 0.0928 * 24 / 672"),
    ("a disk over the turn, before", JANUARY, [ran(disk(1000), 25, TURN)], "1000 * 0.0928 / 744"),
    ("a disk over the turn, after", FEBRUARY, [ran(disk(1000), 25, TURN)], "1000 * 0.0928 * 24 / 672"),
    ("a disk that grew", JANUARY, [ran(disk(100), 372), ran(disk(200), 372, JANUARY + hours(372))], "150 * 0.0928"),
    ("a disk while its machine is stopped", JANUARY, [ran(disk(100), 744), ran(box("t3.micro"), 10)],
     "100 * 0.0928 + 10 * 0.0118"),
    ("a disk of a minute", JANUARY, [ran(disk(16000), 1 / 60, NOON)], "16000 * 0.0928 / 744 / 60"),
    ("a disk in another region", JANUARY, [ran(disk(100), 744, region=VIRGINIA)], "100 * 0.08"),
    ("an older disk", JANUARY, [ran(disk(100, "gp2"), 744)], "100 * 0.116"),
    ("a slow disk", JANUARY, [ran(disk(500, "st1"), 744)], "500 * 0.053"),
    ("a cold disk", JANUARY, [ran(disk(500, "sc1"), 744)], "500 * 0.0174"),
    ("a fast disk", JANUARY, [ran(disk(500, "io2"), 744)], "500 * 0.145"),
    ("a fast disk's operations, two tiers", JANUARY,
     [ran(monthly("AmazonEC2", "EBS:VolumeP-IOPS.io2", "IOPS-Mo", 40000), 744)], "32000 * 0.076 + 8000 * 0.0532"),
    ("bought operations", JANUARY, [ran(monthly("AmazonEC2", "EBS:VolumeP-IOPS.gp3", "IOPS-Mo", 1000), 744)],
     "1000 * 0.0058"),
    ("bought throughput", JANUARY, [ran(monthly("AmazonEC2", "EBS:VolumeP-Throughput.gp3", "GiBps-mo", "0.125"), 744)],
     "0.125 * 47.514"),
    ("a snapshot", JANUARY, [ran(monthly("AmazonEC2", "EBS:SnapshotUsage", "GB-Mo", 50), 744)], "50 * 0.053"),
    ("a snapshot in the archive", JANUARY, [ran(monthly("AmazonEC2", "EBS:SnapshotArchiveStorage", "GB-Mo", 500), 744)],
     "500 * 0.0131"),
]  # fmt: skip

NETWORK: Sequence[Case] = [
    ("an address in use", JANUARY, [ran(IN_USE, 744)], "744 * 0.005"),
    ("an idle address", JANUARY, [ran(IDLE, 744)], "744 * 0.005"),
    ("an address that was used for a while", JANUARY, [ran(IN_USE, 100), ran(IDLE, 644, JANUARY + hours(100))],
     "744 * 0.005"),
    ("five idle addresses", JANUARY, [ran(IDLE, 744, key=str(n)) for n in range(5)], "5 * 744 * 0.005"),
    ("a forgotten NAT gateway", JANUARY, [ran(NAT, 744)], "744 * 0.05"),
    ("a NAT gateway of a minute is an hour", JANUARY, [ran(NAT, 1 / 60, NOON)], "1 * 0.05"),
    ("a NAT gateway of 61 minutes is two hours", JANUARY, [ran(NAT, 61 / 60, NOON)], "2 * 0.05"),
    ("NAT gateways in three zones", JANUARY, [ran(NAT, 744, key=zone) for zone in "abc"], "3 * 744 * 0.05"),
    ("a NAT gateway and what it carried", JANUARY,
     [ran(NAT, 10, NOON), counted("AmazonEC2", "NatGateway-Bytes", "GB", 100, "NatGateway")], "10 * 0.05 + 100 * 0.05"),
    ("an interface endpoint", JANUARY, [ran(ENDPOINT, 744)], "744 * 0.011"),
    ("an endpoint's bytes", JANUARY, [counted("AmazonVPC", "VpcEndpoint-Bytes", "GB", 1000, "VpcEndpoint")],
     "1000 * 0.01"),
    ("a transit gateway with two attachments", JANUARY, [ran(TRANSIT, 744, key=name) for name in "ab"],
     "2 * 744 * 0.05"),
    ("what crosses a transit gateway", JANUARY,
     [counted("AmazonVPC", "TransitGateway-Bytes", "GB", 500, "TransitGatewayVPC")], "500 * 0.02"),
    ("a load balancer", JANUARY, [ran(ALB, 744)], "744 * 0.02646"),
    ("a network load balancer", JANUARY, [ran(NLB, 100)], "100 * 0.02646"),
    ("a load balancer of ten minutes is an hour", JANUARY, [ran(ALB, 1 / 6, NOON)], "1 * 0.02646"),
    ("two load balancers", JANUARY, [ran(ALB, 744, key="a"), ran(NLB, 744, key="b")], "2 * 744 * 0.02646"),
    ("capacity units", JANUARY, [counted("AWSELB", "LCUUsage", "LCU-Hrs", 1000, "LoadBalancing:Application")],
     "1000 * 0.0084"),
    ("network capacity units", JANUARY, [counted("AWSELB", "LCUUsage", "LCU-Hrs", 1000, "LoadBalancing:Network")],
     "1000 * 0.0063"),
    ("between zones", JANUARY, [counted("AWSDataTransfer", "DataTransfer-Regional-Bytes", "GB", 300)], "300 * 0.01"),
    ("into the cloud", JANUARY, [counted("AWSDataTransfer", "DataTransfer-In-Bytes", "GB", 9999)], "0"),
    ("between regions", JANUARY, [counted("AWSDataTransfer", "<from>-<to>-AWS-Out-Bytes", "GB", 300)], "300 * 0.02"),
]  # fmt: skip

TRAFFIC: Sequence[Case] = [
    (f"{amount} GB out", JANUARY, [out(amount)], expected)
    for amount, expected in (
        (0, "0"), (1, "0"), (100, "0"), (101, "1 * 0.09"), (200, "100 * 0.09"), (1000, "900 * 0.09"),
        (10340, "10240 * 0.09"), (10341, "10240 * 0.09 + 1 * 0.085"), (20100, "10240 * 0.09 + 9760 * 0.085"),
        (51300, "10240 * 0.09 + 40960 * 0.085"), (60100, "10240 * 0.09 + 40960 * 0.085 + 8800 * 0.07"),
        (160000, "10240 * 0.09 + 40960 * 0.085 + 102400 * 0.07 + 6300 * 0.05"),
    )
] + [
    ("free gigabytes are for all regions together", JANUARY, [out(80), out(120, region=VIRGINIA)], "100 * 0.09"),
    ("tiers are each region's own", JANUARY, [out(10290), out(10290, region=VIRGINIA)], "2 * 10240 * 0.09"),
    ("free gigabytes are each account's", JANUARY, [out(100), out(100, account=OTHER)], "0"),
    ("free gigabytes are for all resources together", JANUARY, [out(60, key="a"), out(140, key="b")], "100 * 0.09"),
    ("free gigabytes are the month's", FEBRUARY,
     [out(500), Counted(Tally("AWSDataTransfer", "DataTransfer-Out-Bytes", "", "GB", 1), 150, FEBRUARY + hours(1))],
     "50 * 0.09"),
]  # fmt: skip

REQUESTS: Sequence[Case] = [
    (f"{amount} requests to queues", JANUARY, [calls(amount)], expected)
    for amount, expected in (
        (1_000_000, "0"), (1_000_001, "0"), (2_000_000, "0.4"), (3_500_000, "1.0"),
        (100_001_000_000, "100000000000 * 0.0000004"), (100_002_000_000, "40000 + 1000000 * 0.0000003"),
        (250_001_000_000, "40000 + 30000 + 50000000000 * 0.00000024"),
    )
] + [
    ("requests to ordered queues have no free ones", JANUARY,
     [counted("AWSQueueService", "Requests-FIFO-Tier1", "Requests", 2_000_000)], "1.0"),
    ("notifications", JANUARY, [counted("AmazonSNS", "Requests-Tier1", "Requests", 3_000_000)], "2000000 * 0.0000005"),
    ("notifications to HTTP", JANUARY, [counted("AmazonSNS", "DeliveryAttempts-HTTP", "Notifications", 1_100_000)],
     "1000000 * 0.0000006"),
    ("notifications by mail", JANUARY, [counted("AmazonSNS", "DeliveryAttempts-SMTP", "Notifications", 2000)],
     "1000 * 0.00002"),
    ("mail", JANUARY, [counted("AmazonSES", "Recipients", "Recipients", 10_000)], "10000 * 0.0001"),
    ("uses of keys", JANUARY, [counted("awskms", "KMS-Requests", "Requests", 1_020_000)], "1000000 * 0.000003"),
    ("uses of secrets", JANUARY,
     [counted("AWSSecretsManager", "AWSSecretsManager-APIRequest", "API Requests", 100_000)], "100000 * 0.000005"),
    ("questions to Cost Explorer", JANUARY, [counted("AWSCostExplorer", "APIRequest", "Requests", 25)], "25 * 0.01"),
    ("events", JANUARY, [counted("AWSEvents", "Event-64K-Chunks", "64K-Chunks", 2_000_000)], "2000000 * 0.000001"),
    ("schedules within what is free", JANUARY, [counted("AWSEvents", "ScheduledInvocation", "Invocations", 14_000_000)],
     "0"),
    ("schedules beyond", JANUARY, [counted("AWSEvents", "ScheduledInvocation", "Invocations", 15_000_000)], "1.2"),
    ("pipes", JANUARY, [counted("AWSEvents", "Pipes-Request", "64K-Chunks", 5_000_000)], "5000000 * 0.0000004"),
    ("data events of a trail", JANUARY, [counted("AWSCloudTrail", "DataEventsRecorded", "Events", 1_000_000)],
     "1000000 * 0.000001"),
    ("second copies of a trail", JANUARY, [counted("AWSCloudTrail", "PaidEventsRecorded", "Events", 100_000)],
     "100000 * 0.00002"),
    ("metrics requests", JANUARY, [counted("AmazonCloudWatch", "CW:Requests", "Requests", 1_100_000)],
     "100000 * 0.00001"),
]  # fmt: skip

STORAGE: Sequence[Case] = [
    (f"{size} GB in a bucket for a month", JANUARY,
     [ran(Meter("AmazonS3", "TimedStorage-ByteHrs", "StandardStorage", "GB-Mo", Decimal(size)), 744)], expected)
    for size, expected in (
        (1, "0.024"), (1000, "1000 * 0.024"), (51200, "51200 * 0.024"), (51201, "51200 * 0.024 + 1 * 0.023"),
        (100000, "51200 * 0.024 + 48800 * 0.023"), (600000, "51200 * 0.024 + 460800 * 0.023 + 88000 * 0.022"),
    )
] + [
    (f"{kind} for a month", JANUARY, [ran(Meter("AmazonS3", kind, operation, "GB-Mo", Decimal(1000)), 744)], expected)
    for kind, operation, expected in (
        ("TimedStorage-SIA-ByteHrs", "StandardIAStorage", "1000 * 0.0131"),
        ("TimedStorage-ZIA-ByteHrs", "OneZoneIAStorage", "1000 * 0.01048"),
        ("TimedStorage-GIR-ByteHrs", "GlacierInstantRetrievalStorage", "1000 * 0.005"),
        ("TimedStorage-GlacierByteHrs", "GlacierStorage", "1000 * 0.00405"),
        ("TimedStorage-GDA-ByteHrs", "DeepArchiveStorage", "1000 * 0.0018"),
        ("TimedStorage-INT-IA-ByteHrs", "IntelligentTieringIAStorage", "1000 * 0.0131"),
    )
] + [
    ("puts", JANUARY, [counted("AmazonS3", "Requests-Tier1", "Requests", 1_000_000)], "1000000 * 0.0000053"),
    ("gets", JANUARY, [counted("AmazonS3", "Requests-Tier2", "Requests", 10_000_000)], "10000000 * 0.00000042"),
    ("retrievals", JANUARY, [counted("AmazonS3", "Retrieval-SIA", "GB", 500)], "500 * 0.01"),
    ("monitored objects", JANUARY, [counted("AmazonS3", "Monitoring-Automation-INT", "Objects", 1_000_000)], "2.5"),
    ("a batch job", JANUARY, [counted("AmazonS3", "BatchOperations-Jobs", "Jobs", 1),
                              counted("AmazonS3", "BatchOperations-Objects", "Objects", 1_000_000)], "0.25 + 1"),
]  # fmt: skip

SMALL_THINGS: Sequence[Case] = [
    ("a key", JANUARY, [ran(KEY, 744)], "1"),
    ("a key for half a month", JANUARY, [ran(KEY, 372)], "0.5"),
    ("three keys", FEBRUARY, [ran(KEY, 672, FEBRUARY, key=str(n)) for n in range(3)], "3"),
    ("a secret", JANUARY, [ran(SECRET, 744)], "0.4"),
    ("a secret of a day", JANUARY, [ran(SECRET, 24)], "0.4 * 24 / 744"),
    ("ten alarms are free", JANUARY, [ran(ALARM, 744, key=str(n)) for n in range(10)], "0"),
    ("an eleventh alarm", JANUARY, [ran(ALARM, 744, key=str(n)) for n in range(11)], "0.1"),
    ("twenty alarms for half a month", JANUARY, [ran(ALARM, 372, key=str(n)) for n in range(20)], "0"),
    ("three dashboards are free", JANUARY, [ran(DASHBOARD, 744, key=str(n)) for n in range(3)], "0"),
    ("a fifth dashboard", JANUARY, [ran(DASHBOARD, 744, key=str(n)) for n in range(5)], "6"),
    ("logs taken in", JANUARY, [counted("AmazonCloudWatch", "DataProcessing-Bytes", "GB", 105)], "100 * 0.5985"),
    ("logs kept", JANUARY, [ran(monthly("AmazonCloudWatch", "TimedStorage-ByteHrs", "GB-Mo", 105), 744)],
     "100 * 0.0315"),
    ("logs searched", JANUARY, [counted("AmazonCloudWatch", "DataScanned-Bytes", "GB", 1005)], "1000 * 0.0063"),
    ("vended logs, two tiers", JANUARY, [counted("AmazonCloudWatch", "VendedLog-Bytes", "GB", 10340)],
     "10240 * 0.5985 + 100 * 0.299"),
    ("metrics of one's own", JANUARY, [ran(monthly("AmazonCloudWatch", "CW:MetricMonitorUsage", "Metrics", 110), 744)],
     "100 * 0.3"),
    ("a stream of two shards", JANUARY, [ran(SHARD._replace(rate=Decimal(2)), 744)], "2 * 744 * 0.018"),
    ("what is put on a stream", JANUARY,
     [counted("AmazonKinesis", "PutRequestPayloadUnits", "PutRequestPayloadUnits", 100_000_000)],
     "100000000 * 0.0000000168"),
    ("a delivery stream", JANUARY, [counted("AmazonKinesisFirehose", "BilledBytes", "GB", 600_000, "Event")],
     "512000 * 0.034 + 88000 * 0.029"),
    ("advanced parameters", JANUARY,
     [ran(monthly("AWSSystemsManager", "PS-Advanced-Param-Tier1", "Parameters", 20), 744)], "20 * 0.05"),
    ("a reservation's fee", JANUARY, [ran(FEE, 8760, NOON)], "54.50"),
    ("a reservation's fee is due once", FEBRUARY, [ran(FEE, 8760, NOON)], "0"),
    ("a reservation's hours, used or not", JANUARY, [ran(RESERVED, 8760)], "744 * 0.0062"),
    ("a savings plan's hours", FEBRUARY, [ran(PLAN, 8760)], "672 * 0.5"),
]  # fmt: skip

CASES = [*MACHINES, *SECONDS, *MONTHS, *NETWORK, *TRAFFIC, *REQUESTS, *STORAGE, *SMALL_THINGS]


def on_paper(text: str) -> Decimal:
    """``3 * 0.5 + 8 / 2`` to the cent."""
    total = Decimal(0)
    with localcontext() as context:
        context.prec = 50
        for term in text.split(" + "):
            parts = term.split()
            value = Decimal(parts[0])
            for sign, number in zip(parts[1::2], parts[2::2], strict=True):
                value = value * Decimal(number) if sign == "*" else value / Decimal(number)
            total += value
        return total.quantize(Decimal("1e-10")).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_there_are_many() -> None:
    assert len({name for name, *_ in CASES}) == len(CASES) >= 150


@pytest.mark.parametrize(("month", "uses", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_bill_to_the_cent(month: datetime, uses: Sequence[Use], expected: str) -> None:
    assert due(uses, month) == on_paper(expected)
