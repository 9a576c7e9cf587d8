"""Quotas: the codes that the services count against exist and say what is known of them."""

from __future__ import annotations

import pytest

from cloudjar.spec import quotas


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (quotas.VPCS, 5),
        (quotas.SUBNETS_PER_VPC, 200),
        (quotas.INTERNET_GATEWAYS, 5),
        (quotas.ROUTE_TABLES_PER_VPC, 200),
        (quotas.ROUTES_PER_TABLE, 50),
        (quotas.SECURITY_GROUPS, 2500),
        (quotas.RULES_PER_SECURITY_GROUP, 60),
        (quotas.SECURITY_GROUPS_PER_INTERFACE, 5),
        (quotas.NETWORK_INTERFACES, 5000),
        (quotas.ELASTIC_IPS, 5),
        (quotas.STANDARD_VCPUS, 5),
        (quotas.IAM_USERS, 5000),
        (quotas.IAM_ACCESS_KEYS_PER_USER, 2),
        (quotas.IAM_POLICIES_PER_ROLE, 10),
    ],
)
def test_defaults(code: tuple[str, str], value: float) -> None:
    assert quotas.default(*code) == value


def test_every_named_code_is_a_quota_with_a_number() -> None:
    named = {k: v for k, v in vars(quotas).items() if k.isupper() and isinstance(v, tuple)}
    assert len(named) > 25
    for name, code in named.items():
        assert quotas.default(*code) is not None, name


def test_names_scope_and_unit() -> None:
    vpcs = quotas.quota(*quotas.VPCS)
    assert (vpcs.name, vpcs.adjustable, vpcs.is_global, vpcs.unit) == ("VPCs per Region", True, False, "None")
    assert vpcs.arn_resource == "vpc/L-F678F1CE"
    assert quotas.quota(*quotas.IAM_USERS).is_global
    assert not quotas.quota(*quotas.IAM_USERS).adjustable
    assert quotas.services()["vpc"] == "Amazon Virtual Private Cloud (Amazon VPC)"


def test_the_account_summary_agrees_with_the_quotas() -> None:
    for name, code in (
        ("UsersQuota", quotas.IAM_USERS),
        ("GroupsQuota", quotas.IAM_GROUPS),
        ("RolesQuota", quotas.IAM_ROLES),
        ("PoliciesQuota", quotas.IAM_POLICIES),
        ("InstanceProfilesQuota", quotas.IAM_INSTANCE_PROFILES),
        ("AccessKeysPerUserQuota", quotas.IAM_ACCESS_KEYS_PER_USER),
        ("GroupsPerUserQuota", quotas.IAM_GROUPS_PER_USER),
        ("AssumeRolePolicySizeQuota", quotas.IAM_TRUST_POLICY_LENGTH),
    ):
        assert quotas.IAM_SUMMARY[name] == quotas.default(*code), name


def test_every_service_has_a_name_and_codes_have_their_form() -> None:
    for service in quotas.services():
        for quota in quotas.quotas(service):
            assert quota.code.startswith("L-")
            assert len(quota.code) == 10
            assert quota.name
            assert quota.default is None or quota.default >= 0


def test_what_is_not_a_quota_is_refused() -> None:
    for ask in (lambda: quotas.default("vpc", "L-00000000"), lambda: quotas.quotas("nothing")):
        with pytest.raises(quotas.UnknownQuota):
            ask()
