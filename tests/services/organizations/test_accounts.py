"""Accounts come, move, are closed and go."""

from __future__ import annotations

from cloudjar.kit import accounts
from cloudjar.kit.db import Db
from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import refused
from tests.services.organizations.estate import ROLE, Estate, reason, root


def test_an_account_is_made_in_the_background(jar: TestJar) -> None:
    estate = Estate(jar)
    status = estate.org.create_account(AccountName="dev", Email="Dev@Example.com")["CreateAccountStatus"]
    assert status["State"] == "IN_PROGRESS"
    assert "AccountId" not in status
    assert len(estate.org.list_accounts()["Accounts"]) == 1
    jar.settle()
    done = estate.org.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
    assert (done["State"], done["AccountName"]) == ("SUCCEEDED", "dev")
    account = estate.org.describe_account(AccountId=done["AccountId"])["Account"]
    assert account["Arn"] == f"arn:aws:organizations::{ACCOUNT}:account/{estate.id}/{done['AccountId']}"
    assert (account["Email"], account["Status"], account["State"]) == ("dev@example.com", "ACTIVE", "ACTIVE")
    assert account["JoinedMethod"] == "CREATED"
    assert accounts.described(Db(jar.jar.world.state, "", ""), done["AccountId"]).users_see_bills
    assert estate.org.list_create_account_status(States=["SUCCEEDED"])["CreateAccountStatuses"] == [done]
    assert estate.org.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"] == []
    assert estate.org.list_parents(ChildId=done["AccountId"])["Parents"] == [{"Id": estate.root, "Type": "ROOT"}]


def test_an_address_is_good_for_one_account(jar: TestJar) -> None:
    estate = Estate(jar)
    estate.account("dev")
    status = estate.org.create_account(AccountName="dev2", Email="DEV@example.com")["CreateAccountStatus"]
    jar.settle()
    failed = estate.org.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
    assert (failed["State"], failed["FailureReason"]) == ("FAILED", "EMAIL_ALREADY_EXISTS")
    assert len(estate.org.list_accounts()["Accounts"]) == 2


def test_the_management_account_works_in_a_member_account_by_its_role(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    admin = estate.admin_of(number)
    assert admin.client("sts").get_caller_identity()["Account"] == number
    admin.client("iam").create_user(UserName="somebody")
    names = [u["UserName"] for u in root(jar, "iam", number).list_users()["Users"]]
    assert names == ["somebody"]
    assert "somebody" not in [u["UserName"] for u in root(jar, "iam").list_users()["Users"]]
    vpcs = admin.client("ec2").describe_vpcs()["Vpcs"]
    assert [(vpc["IsDefault"], vpc["OwnerId"]) for vpc in vpcs] == [(True, number)]


def test_the_roles_of_a_new_account(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev", RoleName="landlord", IamUserAccessToBilling="DENY")
    assert not accounts.described(Db(jar.jar.world.state, "", ""), number).users_see_bills
    iam = root(jar, "iam", number)
    role = iam.get_role(RoleName="landlord")["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    attached = iam.list_attached_role_policies(RoleName="landlord")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AdministratorAccess"]
    names = {found["RoleName"] for found in iam.list_roles()["Roles"]}
    assert names == {"landlord", "AWSServiceRoleForOrganizations"}
    assert ROLE not in names
    why = reason(
        "InvalidInputException", estate.org.create_account, AccountName="x", Email="x@example.com",
        RoleName="AWSServiceRoleForMe",
    )  # fmt: skip
    assert why == "INVALID_ROLE_NAME"


def test_an_account_whose_roles_cannot_be_made_is_none(jar: TestJar) -> None:
    estate = Estate(jar)
    taken = "awsserviceroleFORorganizations"  # the name, in another case, of the service-linked role
    asked = estate.org.create_account(AccountName="dev", Email="dev@example.com", RoleName=taken)["CreateAccountStatus"]
    jar.settle()
    failed = estate.org.describe_create_account_status(CreateAccountRequestId=asked["Id"])["CreateAccountStatus"]
    assert (failed["State"], failed["FailureReason"]) == ("FAILED", "INTERNAL_FAILURE")
    assert [a["Id"] for a in estate.org.list_accounts()["Accounts"]] == [ACCOUNT]
    estate.account("dev")  # the address is free still


def test_moving(jar: TestJar) -> None:
    estate = Estate(jar)
    number, unit = estate.account("dev"), estate.unit("dev")
    move = estate.org.move_account
    with refused("SourceParentNotFoundException"):
        move(AccountId=number, SourceParentId="ou-none-12345678", DestinationParentId=unit)
    with refused("DestinationParentNotFoundException"):
        move(AccountId=number, SourceParentId=estate.root, DestinationParentId="ou-none-12345678")
    with refused("AccountNotFoundException", "You specified an account that doesn't exist."):
        move(AccountId="999999999999", SourceParentId=estate.root, DestinationParentId=unit)
    move(AccountId=number, SourceParentId=estate.root, DestinationParentId=unit)
    assert [a["Id"] for a in estate.org.list_accounts_for_parent(ParentId=unit)["Accounts"]] == [number]
    with refused("DuplicateAccountException"):
        move(AccountId=number, SourceParentId=estate.root, DestinationParentId=unit)
    path = estate.org.describe_account(AccountId=number)["Account"]["Paths"]
    assert path == [f"{estate.id}/{estate.root}/{unit}/{number}/"]


def test_closing(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")

    def state() -> str:
        return str(estate.org.describe_account(AccountId=number)["Account"]["State"])

    assert reason("ConstraintViolationException", estate.org.close_account, AccountId=ACCOUNT) == (
        "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"
    )
    estate.org.close_account(AccountId=number)
    assert state() == "PENDING_CLOSURE"
    jar.settle()
    assert state() == "SUSPENDED"
    with refused("AccountAlreadyClosedException"):
        estate.org.close_account(AccountId=number)
    why = reason("ConstraintViolationException", estate.org.remove_account_from_organization, AccountId=number)
    assert why == "ACCOUNT_CANNOT_LEAVE_ORGANIZATION"
    jar.advance(days=89)
    assert state() == "SUSPENDED"
    jar.advance(days=2)
    with refused("AccountNotFoundException"):
        state()
    status = estate.org.create_account(AccountName="again", Email="dev@example.com")["CreateAccountStatus"]
    jar.settle()
    again = estate.org.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
    assert again["FailureReason"] == "EMAIL_ALREADY_EXISTS"


def test_closures_are_rationed(steady_jar: TestJar) -> None:
    estate = Estate(steady_jar)
    _raise_quota(steady_jar, 30)
    numbers = [estate.account(f"a{n}") for n in range(12)]
    for number in numbers[:3]:
        estate.org.close_account(AccountId=number)
    why = reason("ConstraintViolationException", estate.org.close_account, AccountId=numbers[3])
    assert why == "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"
    steady_jar.settle()
    for number in numbers[3:10]:
        estate.org.close_account(AccountId=number)
        steady_jar.settle()
    with refused("ConstraintViolationException", "You have exceeded close account quota for the past 30 days."):
        estate.org.close_account(AccountId=numbers[10])
    steady_jar.advance(days=31)
    estate.org.close_account(AccountId=numbers[10])


def _raise_quota(jar: TestJar, value: int) -> None:
    quotas = jar.client("service-quotas", "us-east-1")
    quotas.request_service_quota_increase(ServiceCode="organizations", QuotaCode="L-29A0C5DF", DesiredValue=value)
    jar.advance(minutes=10)


def test_ten_accounts_unless_the_quota_is_raised(steady_jar: TestJar) -> None:
    estate = Estate(steady_jar)
    for n in range(9):
        estate.account(f"a{n}")
    why = reason(
        "ConstraintViolationException", estate.org.create_account, AccountName="more", Email="more@example.com"
    )
    assert why == "ACCOUNT_NUMBER_LIMIT_EXCEEDED"
    _raise_quota(steady_jar, 11)
    estate.account("more")


def test_a_created_account_leaves_after_a_week(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    remove = estate.org.remove_account_from_organization
    assert reason("ConstraintViolationException", remove, AccountId=number) == "WAIT_PERIOD_ACTIVE"
    jar.advance(days=7)
    remove(AccountId=number)
    with refused("AccountNotFoundException"):
        estate.org.describe_account(AccountId=number)
    with refused("AWSOrganizationsNotInUseException", "Your account is not a member of an organization."):
        root(jar, "organizations", number).describe_organization()
    with refused("MasterCannotLeaveOrganizationException"):
        remove(AccountId=ACCOUNT)


def test_a_member_leaves_by_itself(jar: TestJar) -> None:
    estate = Estate(jar)
    estate.invited("111122223333")
    root(jar, "organizations", "111122223333").leave_organization()
    assert [a["Id"] for a in estate.org.list_accounts()["Accounts"]] == [ACCOUNT]
    with refused("MasterCannotLeaveOrganizationException"):
        estate.org.leave_organization()
