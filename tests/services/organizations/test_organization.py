"""The organization, its tree, and who may ask about it."""

from __future__ import annotations

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, allow, refused, user
from tests.services.organizations.estate import SCP, Estate, reason, root


def test_creating_and_describing(jar: TestJar) -> None:
    org = root(jar, "organizations")
    with refused("AWSOrganizationsNotInUseException", "Your account is not a member of an organization."):
        org.describe_organization()
    made = org.create_organization(FeatureSet="ALL")["Organization"]
    assert made["Arn"] == f"arn:aws:organizations::{ACCOUNT}:organization/{made['Id']}"
    assert made["MasterAccountArn"] == f"arn:aws:organizations::{ACCOUNT}:account/{made['Id']}/{ACCOUNT}"
    assert (made["FeatureSet"], made["MasterAccountId"]) == ("ALL", ACCOUNT)
    assert org.describe_organization()["Organization"] == made
    assert org.list_roots()["Roots"][0]["PolicyTypes"] == []
    root(jar, "iam").get_role(RoleName="AWSServiceRoleForOrganizations")
    with refused("AlreadyInOrganizationException"):
        org.create_organization()


def test_who_creates_it_must_be_allowed_to_make_the_linked_role(jar: TestJar) -> None:
    ann = user(jar, "ann", allow("organizations:CreateOrganization"))
    why = reason("AccessDeniedForDependencyException", ann.client("organizations").create_organization)
    assert why == "ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE"
    with refused("AWSOrganizationsNotInUseException"):
        root(jar, "organizations").describe_organization()
    bob = user(jar, "bob", allow("organizations:CreateOrganization", "iam:CreateServiceLinkedRole"))
    assert bob.client("organizations").create_organization()["Organization"]["FeatureSet"] == "ALL"


def test_deleting(jar: TestJar) -> None:
    estate = Estate(jar)
    unit = estate.unit("dev")
    with refused("OrganizationNotEmptyException"):
        estate.org.delete_organization()
    estate.org.delete_organizational_unit(OrganizationalUnitId=unit)
    estate.org.create_account(AccountName="dev", Email="dev@example.com")
    with refused("OrganizationNotEmptyException"):
        estate.org.delete_organization()
    jar.settle()
    jar.advance(days=7)
    [number] = [a["Id"] for a in estate.org.list_accounts()["Accounts"] if a["Id"] != ACCOUNT]
    estate.org.remove_account_from_organization(AccountId=number)
    estate.org.delete_organization()
    with refused("AWSOrganizationsNotInUseException"):
        estate.org.list_roots()
    assert Estate(jar).id != estate.id


def test_units(jar: TestJar) -> None:
    estate = Estate(jar)
    org = estate.org
    dev, prod = estate.unit("dev"), estate.unit("prod")
    with refused("DuplicateOrganizationalUnitException", "An OU with the same name already exists."):
        estate.unit("dev")
    inner = estate.unit("dev", dev)
    found = org.describe_organizational_unit(OrganizationalUnitId=inner)["OrganizationalUnit"]
    assert found["Path"] == f"{estate.id}/{estate.root}/{dev}/{inner}/"
    assert inner.split("-")[1] == estate.root.split("-")[1]
    assert org.list_parents(ChildId=inner)["Parents"] == [{"Id": dev, "Type": "ORGANIZATIONAL_UNIT"}]
    children = org.list_children(ParentId=estate.root, ChildType="ORGANIZATIONAL_UNIT")["Children"]
    assert {child["Id"] for child in children} == {dev, prod}
    accounts = org.list_children(ParentId=estate.root, ChildType="ACCOUNT")["Children"]
    assert accounts == [{"Id": ACCOUNT, "Type": "ACCOUNT"}]
    with refused("OrganizationalUnitNotEmptyException"):
        org.delete_organizational_unit(OrganizationalUnitId=dev)
    with refused("DuplicateOrganizationalUnitException"):
        org.update_organizational_unit(OrganizationalUnitId=prod, Name="dev")
    renamed = org.update_organizational_unit(OrganizationalUnitId=prod, Name="live")["OrganizationalUnit"]
    assert (renamed["Id"], renamed["Name"]) == (prod, "live")
    org.delete_organizational_unit(OrganizationalUnitId=inner)
    with refused("OrganizationalUnitNotFoundException"):
        org.describe_organizational_unit(OrganizationalUnitId=inner)
    with refused("ParentNotFoundException"):
        org.list_organizational_units_for_parent(ParentId=inner)
    with refused("ChildNotFoundException"):
        org.list_parents(ChildId=inner)


def test_five_levels(steady_jar: TestJar) -> None:
    estate = Estate(steady_jar)
    parent = estate.root
    for n in range(5):
        parent = estate.unit(f"u{n}", parent)
    why = reason("ConstraintViolationException", estate.org.create_organizational_unit, ParentId=parent, Name="deep")
    assert why == "OU_DEPTH_LIMIT_EXCEEDED"


def test_a_member_may_ask_hardly_anything(jar: TestJar) -> None:
    estate = Estate(jar)
    member = root(jar, "organizations", estate.account("dev"))
    assert member.describe_organization()["Organization"]["Id"] == estate.id
    for ask in (member.list_accounts, member.list_roots, member.delete_organization):
        with refused("AccessDeniedException", "You don't have permissions to access this resource."):
            ask()
    with refused("AccessDeniedException"):
        member.create_account(AccountName="x", Email="x@example.com")


def test_a_delegated_administrator_reads_and_does_not_write(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("security")
    register = estate.org.register_delegated_administrator
    who = {"AccountId": number, "ServicePrincipal": "guardduty.amazonaws.com"}
    assert reason("ConstraintViolationException", register, **who) == "SERVICE_ACCESS_NOT_ENABLED"
    estate.org.enable_aws_service_access(ServicePrincipal="guardduty.amazonaws.com")
    [service] = estate.org.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert service["ServicePrincipal"] == "guardduty.amazonaws.com"
    register(**who)
    with refused("AccountAlreadyRegisteredException"):
        register(**who)
    why = reason("ConstraintViolationException", register, **{**who, "AccountId": ACCOUNT})
    assert why == "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"
    member = user(jar, "ann", allow("organizations:*"), account=number).client("organizations")
    assert {a["Id"] for a in member.list_accounts()["Accounts"]} == {ACCOUNT, number}
    assert member.describe_account(AccountId=ACCOUNT)["Account"]["Id"] == ACCOUNT
    with refused("AccessDeniedException"):
        member.create_organizational_unit(ParentId=estate.root, Name="x")
    [admin] = estate.org.list_delegated_administrators()["DelegatedAdministrators"]
    assert admin["Id"] == number
    [delegated] = estate.org.list_delegated_services_for_account(AccountId=number)["DelegatedServices"]
    assert delegated["ServicePrincipal"] == "guardduty.amazonaws.com"
    jar.advance(days=8)
    why = reason("ConstraintViolationException", estate.org.remove_account_from_organization, AccountId=number)
    assert why == "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"
    estate.org.deregister_delegated_administrator(**who)
    with refused("AccountNotRegisteredException"):
        estate.org.deregister_delegated_administrator(**who)
    with refused("AccessDeniedException"):
        member.list_accounts()


def test_permissions_are_by_arn(jar: TestJar) -> None:
    estate = Estate(jar)
    dev, prod = estate.unit("dev"), estate.unit("prod")
    arn = f"arn:aws:organizations::{ACCOUNT}:ou/{estate.id}/{dev}"
    ann = user(jar, "ann", allow("organizations:UpdateOrganizationalUnit", on=arn)).client("organizations")
    ann.update_organizational_unit(OrganizationalUnitId=dev, Name="test")
    with refused("AccessDeniedException", f"ou/{estate.id}/{prod}", "user/ann"):
        ann.update_organizational_unit(OrganizationalUnitId=prod, Name="x")


def test_tags_of_units_are_condition_keys(jar: TestJar) -> None:
    estate = Estate(jar)
    tags = [{"Key": "team", "Value": "a"}]
    made = estate.org.create_organizational_unit(ParentId=estate.root, Name="a", Tags=tags)
    unit, other = made["OrganizationalUnit"]["Id"], estate.unit("b")
    condition = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    ann = user(jar, "ann", allow("organizations:*", Condition=condition)).client("organizations")
    assert ann.list_tags_for_resource(ResourceId=unit)["Tags"] == tags
    with refused("AccessDeniedException"):
        ann.list_tags_for_resource(ResourceId=other)
    estate.org.tag_resource(ResourceId=other, Tags=tags)
    assert ann.list_tags_for_resource(ResourceId=other)["Tags"] == tags
    estate.org.untag_resource(ResourceId=other, TagKeys=["team"])
    with refused("AccessDeniedException"):
        ann.list_tags_for_resource(ResourceId=other)
    twice = [*tags, {"Key": "team", "Value": "b"}]
    assert reason("InvalidInputException", estate.org.tag_resource, ResourceId=unit, Tags=twice) == "DUPLICATE_TAG_KEY"
    with refused("TargetNotFoundException"):
        estate.org.tag_resource(ResourceId="ou-none-12345678", Tags=tags)


def test_consolidated_billing_knows_no_policies(jar: TestJar) -> None:
    estate = Estate(jar, "CONSOLIDATED_BILLING")
    with refused("PolicyTypeNotAvailableForOrganizationException"):
        estate.org.enable_policy_type(RootId=estate.root, PolicyType=SCP)
    with refused("PolicyTypeNotAvailableForOrganizationException"):
        estate.org.list_policies(Filter=SCP)
    number = estate.account("dev")
    for ask, params in (
        (estate.org.close_account, {"AccountId": number}),
        (estate.org.enable_aws_service_access, {"ServicePrincipal": "config.amazonaws.com"}),
    ):
        assert reason("ConstraintViolationException", ask, **params) == "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"


@pytest.mark.parametrize("approves", [True, False])
def test_all_features_come_when_all_approve(jar: TestJar, approves: bool) -> None:
    estate = Estate(jar, "CONSOLIDATED_BILLING")
    estate.account("made")
    estate.invited(OTHER)
    whole = estate.org.enable_all_features()["Handshake"]
    assert (whole["State"], whole["Action"]) == ("REQUESTED", "ENABLE_ALL_FEATURES")
    with refused("InvalidHandshakeTransitionException"):
        estate.org.accept_handshake(HandshakeId=whole["Id"])
    member = root(jar, "organizations", OTHER)
    wanted = {"ActionType": "APPROVE_ALL_FEATURES"}
    [part] = member.list_handshakes_for_account(Filter=wanted)["Handshakes"]
    if not approves:
        jar.advance(days=91)
        assert member.describe_handshake(HandshakeId=part["Id"])["Handshake"]["State"] == "EXPIRED"
        assert estate.org.describe_handshake(HandshakeId=whole["Id"])["Handshake"]["State"] == "EXPIRED"
        return
    member.accept_handshake(HandshakeId=part["Id"])
    estate.org.accept_handshake(HandshakeId=whole["Id"])
    assert member.describe_organization()["Organization"]["FeatureSet"] == "ALL"
    why = reason("HandshakeConstraintViolationException", estate.org.enable_all_features)
    assert why == "ORGANIZATION_ALREADY_HAS_ALL_FEATURES"
