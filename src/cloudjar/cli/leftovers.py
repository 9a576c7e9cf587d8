"""`cloudjar leftovers`: what still costs, in every region, with the command that ends it."""

from __future__ import annotations

import shlex
from decimal import Decimal
from typing import Any, NamedTuple

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.bill import dollars
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import print_table, say, show_json

DAYS = 30


class Used(NamedTuple):
    """What is used, of what, and whose; `noun` says what it is of where nothing else does."""

    service: str
    usage_type: str
    resource: str
    account: str = ""
    region: str = ""
    operation: str = ""
    noun: str = ""


class Leftover(NamedTuple):
    """Something that costs while it is there: dollars in the coming thirty days, None where a price is not known."""

    account: str
    region: str
    resource: str
    kinds: tuple[str, ...]
    cost: Decimal | None
    command: str


_EC2: tuple[tuple[str, str], ...] = (
    ("i-", "ec2 terminate-instances --instance-ids {}"),
    ("vol-", "ec2 delete-volume --volume-id {}"),
    ("snap-", "ec2 delete-snapshot --snapshot-id {}"),
    ("nat-", "ec2 delete-nat-gateway --nat-gateway-id {}"),
    ("vpce-", "ec2 delete-vpc-endpoints --vpc-endpoint-ids {}"),
    ("tgw-attach-", "ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id {}"),
    ("cr-", "ec2 cancel-capacity-reservation --capacity-reservation-id {}"),
    ("h-", "ec2 release-hosts --host-ids {}"),
)
_PEERING = "ec2 delete-transit-gateway-peering-attachment --transit-gateway-attachment-id {}"
_CLUSTER = "rds delete-db-cluster --db-cluster-identifier {} --skip-final-snapshot"
_BY_USAGE: tuple[tuple[str, str, str], ...] = (
    ("AWSELB", "LoadBalancerUsage", "elbv2 delete-load-balancer --load-balancer-arn {}"),
    (
        "AWSELB", "ReservedLCUUsage",
        "elbv2 modify-capacity-reservation --reset-capacity-reservation --load-balancer-arn {}",
    ),
    ("awskms", "KMS-Keys", "kms schedule-key-deletion --key-id {} --pending-window-in-days 7"),
    ("AWSSecretsManager", "", "secretsmanager delete-secret --secret-id {}"),
    ("AWSSystemsManager", "", "ssm delete-parameter --name {}"),
    ("AmazonKinesis", "", "kinesis delete-stream --stream-name {}"),
    ("AmazonCloudWatch", "DashboardsUsageHour", "cloudwatch delete-dashboards --dashboard-names {}"),
    ("AmazonCloudWatch", "CW:AlarmMonitorUsage", "cloudwatch delete-alarms --alarm-names {}"),
    ("AmazonCloudWatch", "CW:HighResAlarmMonitorUsage", "cloudwatch delete-alarms --alarm-names {}"),
    ("AmazonCloudWatch", "CW:CompositeAlarmMonitorUsage", "cloudwatch delete-alarms --alarm-names {}"),
    ("AmazonCloudWatch", "TimedStorage-ByteHrs", "logs delete-log-group --log-group-name {}"),
    ("AWSEvents", "", "events delete-archive --archive-name {}"),
    ("AmazonS3", "", "s3 rb s3://{} --force"),
    ("AmazonRDS", "RDS:ProxyUsage", "rds delete-db-proxy --db-proxy-name {}"),
    ("AmazonRDS", "Aurora:", _CLUSTER),
    (
        "AmazonRDS", "",
        "rds delete-db-instance --db-instance-identifier {} --skip-final-snapshot --delete-automated-backups",
    ),
)
_TERM = "runs until its term ends"


def removal(used: Used) -> str:
    """The command that ends a usage; "" where none is known."""
    service, usage_type, resource = used[:3]
    if service == "ComputeSavingsPlans" or usage_type.startswith(("HeavyUsage:", "HostReservation")):
        return _TERM
    place = f" --region {used.region}" if used.region else ""
    if service == "AmazonVPC" and usage_type.startswith("PublicIPv4:"):
        return _address(resource, place)
    command = _special(used)
    if command:
        return f"aws {command}{place}"
    for prefix, command in _EC2:
        if service in ("AmazonEC2", "AmazonVPC") and resource.startswith(prefix):
            return f"aws {command.format(resource)}{place}"
    for code, kind, command in _BY_USAGE:
        if service == code and usage_type.startswith(kind):
            return f"aws {command.format(resource)}{place}"
    return ""


def _special(used: Used) -> str:
    """What is not called by what its usage begins with alone."""
    service, usage_type, resource = used[:3]
    if usage_type == "EBS:FastSnapshotRestore":
        snapshot, _, zone = resource.partition("/")
        return f"ec2 disable-fast-snapshot-restores --availability-zones {zone} --source-snapshot-ids {snapshot}"
    if used.operation == "TransitGatewayPeering":
        return _PEERING.format(resource)
    if service == "AmazonKinesis" and usage_type == "EnhancedFanoutHour":
        arn = f"arn:aws:kinesis:{used.region}:{used.account}:stream/{resource}"
        return f"kinesis deregister-stream-consumer --consumer-arn {arn}"
    if service == "AWSBudgets":
        return f"budgets delete-budget --account-id {used.account} --budget-name {shlex.quote(resource)}"
    if service == "AmazonRDS" and used.noun == "cluster":
        return _CLUSTER.format(resource)
    return ""


def _address(ip: str, place: str) -> str:
    """Addresses are released by their allocation; one that came with an instance goes with it."""
    found = f"aws ec2 describe-addresses --public-ips {ip} --query Addresses[].AllocationId --output text{place}"
    return f"aws ec2 release-address --allocation-id $({found}){place}"


@click.command()
@home_option
@json_option
def leftovers(home: Home, as_json: bool) -> None:
    """Everything that costs by the hour while it is there, dearest first: of every account, in every region."""
    found = find(AdminClient(home))
    if as_json:
        return show_json({"days": DAYS, "leftovers": [_plain(one) for one in found]})
    if not found:
        say("Nothing costs anything by the hour.")
        return None
    rows = []
    for one in found:
        cost = "no price" if one.cost is None else dollars(one.cost)
        rows.append((one.resource, one.region, ", ".join(one.kinds), cost, one.command))
    print_table(rows, ("Resource", "Region", "For", f"USD in {DAYS} days", "Ended by"), right=(3,))
    say()
    total = sum((one.cost or Decimal(0) for one in found), Decimal(0))
    print_table([("Total", f"{dollars(total)} USD in {DAYS} days")])
    return None


def find(client: AdminClient) -> list[Leftover]:
    """What is metered by the time now and has a price that is not nothing (or none that is known)."""
    ahead = client.get("bill-ahead", seconds=DAYS * 86400)["lines"]
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for line in ahead:
        if line["resource"]:
            groups.setdefault((line["account"], line["region"], line["resource"]), []).append(line)
    found = [_leftover(*place, lines) for place, lines in groups.items()]
    costing = [one for one in found if one.cost is None or one.cost]
    return sorted(costing, key=lambda one: (-(one.cost or 0), one.resource))


def _leftover(account: str, region: str, resource: str, lines: list[dict[str, Any]]) -> Leftover:
    costs = [None if line["cost"] is None else Decimal(line["cost"]) for line in lines]
    known = [cost for cost in costs if cost is not None]
    kinds = tuple(dict.fromkeys(line["usage_type"] for line in lines))
    commands = (removal(Used(*(line[name] for name in Used._fields))) for line in lines)
    command = next((one for one in commands if one), "")
    return Leftover(account, region, resource, kinds, sum(known, Decimal(0)) if known else None, command)


def _plain(one: Leftover) -> dict[str, Any]:
    return {**one._asdict(), "kinds": list(one.kinds), "cost": None if one.cost is None else str(one.cost)}
