"""Default service quotas by service code and quota code, as Service Quotas names them.

https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

# What the services built so far count, by what is counted: (service code, quota code).
VPCS = ("vpc", "L-F678F1CE")
SUBNETS_PER_VPC = ("vpc", "L-407747CB")
CIDR_BLOCKS_PER_VPC = ("vpc", "L-83CA0A9D")
INTERNET_GATEWAYS = ("vpc", "L-A4707A72")
ROUTE_TABLES_PER_VPC = ("vpc", "L-589F43AA")
ROUTES_PER_TABLE = ("vpc", "L-93826ACB")
SECURITY_GROUPS = ("vpc", "L-E79EC296")
RULES_PER_SECURITY_GROUP = ("vpc", "L-0EA8095F")  # inbound and outbound are counted apart
SECURITY_GROUPS_PER_INTERFACE = ("vpc", "L-2AFB9258")
NETWORK_INTERFACES = ("vpc", "L-DF5E4CA3")
NETWORK_ACLS_PER_VPC = ("vpc", "L-B4A6D682")
RULES_PER_NETWORK_ACL = ("vpc", "L-2AEEBF1A")
NAT_GATEWAYS_PER_ZONE = ("vpc", "L-FE5A380F")
PEERINGS_PER_VPC = ("vpc", "L-7E9ECCDB")
ELASTIC_IPS = ("ec2", "L-0263D0A3")
STANDARD_VCPUS = ("ec2", "L-1216C47A")  # virtual CPUs, not instances: see instance_types.vcpu_quota
AMIS = ("ec2", "L-B665C33B")
SNAPSHOTS = ("ebs", "L-309BACF6")
GP2_STORAGE_TIB = ("ebs", "L-D18FCD1D")
GP3_STORAGE_TIB = ("ebs", "L-7A658B76")
IAM_USERS = ("iam", "L-F55AF5E4")
IAM_GROUPS = ("iam", "L-F4A5425F")
IAM_ROLES = ("iam", "L-FE177D64")
IAM_POLICIES = ("iam", "L-E95E4862")
IAM_INSTANCE_PROFILES = ("iam", "L-6E65F664")
IAM_SERVER_CERTIFICATES = ("iam", "L-BF35879D")
IAM_ACCESS_KEYS_PER_USER = ("iam", "L-8758042E")
IAM_GROUPS_PER_USER = ("iam", "L-7A1621EC")
IAM_POLICIES_PER_ROLE = ("iam", "L-0DA4ABF3")
IAM_POLICIES_PER_USER = ("iam", "L-4019AD8B")
IAM_TRUST_POLICY_LENGTH = ("iam", "L-C07B4B0D")

# Limits that Service Quotas does not list: their number is fixed in the documentation.
KEY_PAIRS = 5000  # per region
IAM_POLICIES_PER_GROUP = 10
IAM_POLICY_VERSIONS = 5
IAM_TAGS = 50
IAM_MFA_DEVICES_PER_USER = 8

# What iam:GetAccountSummary says beside its counts. Sizes are in characters without white space.
IAM_SUMMARY: Mapping[str, int] = {
    "AccessKeysPerUserQuota": 2,
    "AssumeRolePolicySizeQuota": 2048,
    "AttachedPoliciesPerGroupQuota": 10,
    "AttachedPoliciesPerRoleQuota": 10,
    "AttachedPoliciesPerUserQuota": 10,
    "GlobalEndpointTokenVersion": 1,
    "GroupPolicySizeQuota": 5120,
    "GroupsPerUserQuota": 10,
    "GroupsQuota": 300,
    "InstanceProfilesQuota": 1000,
    "PoliciesQuota": 1500,
    "PolicySizeQuota": 6144,
    "PolicyVersionsInUseQuota": 10000,
    "RolePolicySizeQuota": 10240,
    "RolesQuota": 1000,
    "ServerCertificatesQuota": 20,
    "SigningCertificatesPerUserQuota": 2,
    "UserPolicySizeQuota": 2048,
    "UsersQuota": 5000,
    "VersionsPerPolicyQuota": 5,
}

# Services whose quotas hold for the whole account, kept in us-east-1.
GLOBAL = frozenset({"iam", "organizations", "route53", "cloudfront"})


class UnknownQuota(KeyError):
    """Service Quotas lists no such service or quota."""


class Quota(NamedTuple):
    """A quota. `default` is None where AWS has the quota but its number was not found; `unit` is Service Quotas'
    ("None" for plain counts); `source` says where the number comes from (see data/README.md)."""

    service: str
    code: str
    name: str
    default: float | None
    adjustable: bool
    source: str

    @property
    def is_global(self) -> bool:
        """Whether it holds for the account rather than for each region."""
        return self.service in GLOBAL

    @property
    def unit(self) -> str:
        """The unit as Service Quotas says it: nearly always "None", the measure being in the name."""
        return _UNITS.get((self.service, self.code), "None")

    @property
    def arn_resource(self) -> str:
        """What follows ``arn:aws:servicequotas:REGION:ACCOUNT:``."""
        return f"{self.service}/{self.code}"


_UNITS = {("lambda", "L-2ACBD22F"): "Gigabytes"}


class _File(msgspec.Struct):
    sources: dict[str, str]
    services: dict[str, str]
    quotas: dict[str, dict[str, tuple[str, float | None, bool, str]]]


@cache
def _file() -> _File:
    return msgspec.json.decode(Path(__file__).with_name("data").joinpath("quotas.json").read_bytes(), type=_File)


def services() -> Mapping[str, str]:
    """Service code -> name, of every service that has quotas here."""
    return _file().services


def quotas(service: str) -> tuple[Quota, ...]:
    """A service's quotas by name; `UnknownQuota` when the service has none."""
    if service not in _file().quotas:
        raise UnknownQuota(service)
    return tuple(Quota(service, code, *row) for code, row in _file().quotas[service].items())


def quota(service: str, code: str) -> Quota:
    """One quota; `UnknownQuota` when there is none."""
    row = _file().quotas.get(service, {}).get(code)
    if row is None:
        raise UnknownQuota(f"{service}/{code}")
    return Quota(service, code, *row)


def default(service: str, code: str) -> float | None:
    """The number that AWS grants unasked; None where the quota exists but its number is not known here."""
    return quota(service, code).default
