"""Service limits: what has used more than four fifths of its quota.

https://docs.aws.amazon.com/awssupport/latest/user/service-limits.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cloudjar.kit.advice import Finding, Status
from cloudjar.services.trustedadvisor.checking import COLOURS, check, mend
from cloudjar.services.trustedadvisor.looking import HOME, Look
from cloudjar.spec import quotas
from cloudjar.spec.quotas import Quota

COLUMNS = ("Region", "Service", "Limit Name", "Limit Amount", "Current Usage", "Status")
Count = Callable[[Look, str], float]


def _listed(service: str, operation: str, member: str, **params: object) -> Count:
    return lambda look, region: float(sum(1 for _ in look.each(service, operation, member, region, **params)))


def _summed(name: str) -> Count:
    return lambda look, _: float(look.ask("iam", "GetAccountSummary")["SummaryMap"][name])


def _standard_vcpus(look: Look, region: str) -> float:
    """Virtual CPUs of running standard instances."""
    return float(
        sum(
            vm["CpuOptions"]["CoreCount"] * vm["CpuOptions"]["ThreadsPerCore"]
            for place, vm in look.instances
            if place == region
            and vm["State"]["Name"] in ("pending", "running")
            and vm["InstanceType"][0] in "acdhimrtz"
            and vm.get("InstanceLifecycle") != "spot"
        )
    )


def _tebibytes(look: Look, region: str) -> float:
    volumes = look.each("ec2", "DescribeVolumes", "Volumes", region)
    return float(sum(volume["Size"] for volume in volumes if volume["VolumeType"] == "gp3")) / 1024


def _applications(look: Look, region: str) -> float:
    balancers = look.each("elbv2", "DescribeLoadBalancers", "LoadBalancers", region)
    return float(sum(1 for one in balancers if one["Type"] == "application"))


def _networks(look: Look, region: str) -> float:
    balancers = look.each("elbv2", "DescribeLoadBalancers", "LoadBalancers", region)
    return float(sum(1 for one in balancers if one["Type"] == "network"))


def _storage(look: Look, region: str) -> float:
    """GiB of databases."""
    return float(sum(db["AllocatedStorage"] for db in look.each("rds", "DescribeDBInstances", "DBInstances", region)))


LIMITS: tuple[tuple[str, str, str, tuple[str, str], Count], ...] = (
    ("jL7PP0l7J9", "VPC", "VPC", quotas.VPCS, _listed("ec2", "DescribeVpcs", "Vpcs")),
    (
        "kM7QQ0l7J9", "VPC Internet Gateways", "VPC", quotas.INTERNET_GATEWAYS,
        _listed("ec2", "DescribeInternetGateways", "InternetGateways"),
    ),
    (
        "lN7RR0l7J9", "EC2-VPC Elastic IP Address", "VPC", quotas.ELASTIC_IPS,
        _listed("ec2", "DescribeAddresses", "Addresses"),
    ),
    ("0Xc6LMYG8P", "EC2 On-Demand Instances", "EC2", quotas.STANDARD_VCPUS, _standard_vcpus),
    (
        "eI7KK0l7J9", "EBS Active Snapshots", "EBS", quotas.SNAPSHOTS,
        _listed("ec2", "DescribeSnapshots", "Snapshots", OwnerIds=["self"]),
    ),
    ("dH7RR0l6J3", "EBS General Purpose SSD (gp3) Volume Storage", "EBS", quotas.GP3_STORAGE_TIB, _tebibytes),
    ("sU7XX0l7J9", "IAM Group", "IAM", quotas.IAM_GROUPS, _summed("Groups")),
    ("qS7VV0l7J9", "IAM Users", "IAM", quotas.IAM_USERS, _summed("Users")),
    ("oQ7TT0l7J9", "IAM Roles", "IAM", quotas.IAM_ROLES, _summed("Roles")),
    ("pR7UU0l7J9", "IAM Policies", "IAM", quotas.IAM_POLICIES, _summed("Policies")),
    ("nO7SS0l7J9", "IAM Instance Profiles", "IAM", quotas.IAM_INSTANCE_PROFILES, _summed("InstanceProfiles")),
    ("rT7WW0l7J9", "IAM Server Certificates", "IAM", quotas.IAM_SERVER_CERTIFICATES, _summed("ServerCertificates")),
    ("EM8b3yLRTr", "ELB Application Load Balancers", "ELB", ("elasticloadbalancing", "L-53DA6B97"), _applications),
    ("8wIqYSt25K", "ELB Network Load Balancers", "ELB", ("elasticloadbalancing", "L-69A177A2"), _networks),
    (
        "fW7HH0l7J9", "Auto Scaling Groups", "AutoScaling", ("autoscaling", "L-CDE20ADC"),
        _listed("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups"),
    ),
    (
        "aW7HH0l7J9", "Auto Scaling Launch Configurations", "AutoScaling", ("autoscaling", "L-6B80B8FA"),
        _listed("autoscaling", "DescribeLaunchConfigurations", "LaunchConfigurations"),
    ),
    (
        "XG0aXHpIEt", "RDS DB Instances", "RDS", ("rds", "L-7B6409FD"),
        _listed("rds", "DescribeDBInstances", "DBInstances"),
    ),
    (
        "dYWBaXaaMM", "RDS Subnet Groups", "RDS", ("rds", "L-48C6BF61"),
        _listed("rds", "DescribeDBSubnetGroups", "DBSubnetGroups"),
    ),
    (
        "dV84wpqRUs", "RDS DB Manual Snapshots", "RDS", ("rds", "L-272F1212"),
        _listed("rds", "DescribeDBSnapshots", "DBSnapshots", SnapshotType="manual"),
    ),
    ("P1jhKWEmLa", "RDS Total Storage Quota", "RDS", ("rds", "L-7ADDB58A"), _storage),
)  # fmt: skip
"""AWS's check, its name, the service's name in the report, the quota, and what counts against it."""


def graded(used: float, limit: float) -> Status:
    """Yellow from four fifths of a limit on, red at the limit."""
    return "error" if used >= limit else "warning" if used >= 0.8 * limit else "ok"


def _declare(key: str, name: str, service: str, code: tuple[str, str], count: Count) -> None:
    said = f"Tells where more than 80 % of the quota {quotas.quota(*code).name!r} is used."

    @check(key, name, "service_limits", said, COLUMNS, (service.lower(),))
    def limit(look: Look) -> Iterator[Finding]:
        quota = quotas.quota(*code)
        for region in ["-"] if quota.is_global else look.regions:
            yield from _one(look, region, service, quota, count)


def _one(look: Look, region: str, service: str, quota: Quota, count: Count) -> Iterator[Finding]:
    place = HOME if region == "-" else region
    amount = look.ctx.at(look.ctx.account, place).limit(quota.service, quota.code)
    if amount is None:
        return
    used = count(look, place)
    status = graded(used, amount)
    ask = mend(
        place, "service-quotas", "RequestServiceQuotaIncrease", ServiceCode=quota.service, QuotaCode=quota.code,
        DesiredValue=amount * 2,
    )  # fmt: skip
    yield Finding(
        status=status,
        region=region,
        resource=f"{quota.service}/{quota.code}",
        values=(region, service, quota.name, f"{amount:g}", f"{used:g}", COLOURS[status]),
        evidence=f"{used:g} of {amount:g} {quota.name}" if status != "ok" else "",
        fix=(ask,) if status != "ok" and quota.adjustable else (),
    )


for _row in LIMITS:
    _declare(*_row)
