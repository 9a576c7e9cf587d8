"""What an account says of itself, to itself and to the organization's management account."""

from __future__ import annotations

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, allow, refused, user
from tests.services.organizations.estate import Estate, root

CONTACT = {
    "AlternateContactType": "SECURITY", "Name": "Ann", "Title": "CISO", "EmailAddress": "ann@example.com",
    "PhoneNumber": "+33 1 02 03 04 05",
}  # fmt: skip
ADDRESS = {
    "FullName": "Ann Other", "AddressLine1": "1 rue X", "City": "Paris", "PostalCode": "75001", "CountryCode": "FR",
    "PhoneNumber": "+33102030405",
}  # fmt: skip


def test_alternate_contacts(jar: TestJar) -> None:
    account = jar.client("account")
    with refused("ResourceNotFoundException", "No contact of the inputted alternate contact type found.", status=404):
        account.get_alternate_contact(AlternateContactType="SECURITY")
    account.put_alternate_contact(**CONTACT)
    assert account.get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"] == CONTACT
    account.put_alternate_contact(**{**CONTACT, "Name": "Bob"})
    assert account.get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]["Name"] == "Bob"
    with refused("ResourceNotFoundException"):
        account.get_alternate_contact(AlternateContactType="BILLING")
    account.delete_alternate_contact(AlternateContactType="SECURITY")
    with refused("ResourceNotFoundException"):
        account.delete_alternate_contact(AlternateContactType="SECURITY")


def test_contact_information(jar: TestJar) -> None:
    account = jar.client("account")
    with refused("ResourceNotFoundException"):
        account.get_contact_information()
    account.put_contact_information(ContactInformation=ADDRESS)
    assert account.get_contact_information()["ContactInformation"] == ADDRESS
    account.put_contact_information(ContactInformation={**ADDRESS, "City": "Lyon"})
    assert account.get_contact_information()["ContactInformation"]["City"] == "Lyon"


def test_an_account_has_a_name(jar: TestJar) -> None:
    account = root(jar, "account", OTHER)
    found = account.get_account_information()
    assert (found["AccountId"], found["AccountName"], found["AccountState"]) == (OTHER, OTHER, "ACTIVE")
    assert "AccountCreatedDate" not in found
    account.put_account_name(AccountName="sandbox")
    assert account.get_account_information()["AccountName"] == "sandbox"
    assert jar.client("account").get_account_information()["AccountName"] == ACCOUNT


def test_the_management_account_speaks_for_its_members(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    account = jar.client("account")
    with refused("AccessDeniedException", "must first enable trusted access with AWS Account Management", status=403):
        account.put_account_name(AccountId=number, AccountName="test")
    estate.org.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    account.put_account_name(AccountId=number, AccountName="test")
    assert estate.org.describe_account(AccountId=number)["Account"]["Name"] == "test"
    assert account.get_primary_email(AccountId=number)["PrimaryEmail"] == "dev@example.com"
    account.put_alternate_contact(AccountId=number, **CONTACT)
    found = root(jar, "account", number).get_alternate_contact(AlternateContactType="SECURITY")
    assert found["AlternateContact"] == CONTACT
    created = account.get_account_information(AccountId=number)
    assert created["AccountCreatedDate"] == estate.org.describe_account(AccountId=number)["Account"]["JoinedTimestamp"]
    for stranger in (OTHER, "999999999999"):
        with refused("AccessDeniedException", "account:GetAccountInformation"):
            account.get_account_information(AccountId=stranger)
    with refused("AccessDeniedException", "standalone context"):
        account.get_account_information(AccountId=ACCOUNT)
    with refused("AccessDeniedException"):
        root(jar, "account", number).get_account_information(AccountId=ACCOUNT)


def test_a_delegated_administrator_speaks_for_them_too(jar: TestJar) -> None:
    estate = Estate(jar)
    people, number = estate.account("people"), estate.account("dev")
    client = root(jar, "account", people)
    estate.org.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    with refused("AccessDeniedException"):
        client.get_account_information(AccountId=number)
    estate.org.register_delegated_administrator(AccountId=people, ServicePrincipal="account.amazonaws.com")
    assert client.get_account_information(AccountId=number)["AccountName"] == "dev"


def test_permissions_name_the_account(jar: TestJar) -> None:
    estate = Estate(jar)
    number, other = estate.account("dev"), estate.account("prod")
    estate.org.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    one = f"arn:aws:account::{ACCOUNT}:account/{estate.id}/{number}"
    condition = {"ForAllValues:StringEquals": {"account:AlternateContactTypes": ["SECURITY"]}}
    statement = allow("account:PutAlternateContact", on=one, Condition=condition)
    ann = user(jar, "ann", statement).client("account")
    ann.put_alternate_contact(AccountId=number, **CONTACT)
    with refused("AccessDeniedException", f"account/{estate.id}/{other}"):
        ann.put_alternate_contact(AccountId=other, **CONTACT)
    with refused("AccessDeniedException"):
        ann.put_alternate_contact(AccountId=number, **{**CONTACT, "AlternateContactType": "BILLING"})
    with refused("AccessDeniedException", f"arn:aws:account::{ACCOUNT}:account"):
        ann.put_alternate_contact(**CONTACT)
