"""Invitations: open for fifteen days, answered by who was asked."""

from __future__ import annotations

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, allow, refused, user
from tests.services.organizations.estate import Estate, reason, root


def invite(estate: Estate, target: str, kind: str = "ACCOUNT") -> str:
    """An invitation's id."""
    party = {"Id": target, "Type": kind}
    return str(estate.org.invite_account_to_organization(Target=party, Notes="come")["Handshake"]["Id"])


def test_an_account_is_invited_and_joins(jar: TestJar) -> None:
    estate = Estate(jar)
    handshake = estate.org.invite_account_to_organization(Target={"Id": OTHER, "Type": "ACCOUNT"}, Notes="come")
    asked = handshake["Handshake"]
    assert asked["Arn"] == f"arn:aws:organizations::{ACCOUNT}:handshake/{estate.id}/invite/{asked['Id']}"
    assert (asked["State"], asked["Action"]) == ("OPEN", "INVITE")
    assert asked["Parties"] == [{"Id": estate.id, "Type": "ORGANIZATION"}, {"Id": OTHER, "Type": "ACCOUNT"}]
    assert [r["Type"] for r in asked["Resources"]] == ["ORGANIZATION", "ACCOUNT", "NOTES"]
    assert (asked["ExpirationTimestamp"] - asked["RequestedTimestamp"]).days == 15
    guest = root(jar, "organizations", OTHER)
    assert guest.list_handshakes_for_account()["Handshakes"] == [asked]
    accepted = guest.accept_handshake(HandshakeId=asked["Id"])["Handshake"]
    assert accepted["State"] == "ACCEPTED"
    found = estate.org.describe_account(AccountId=OTHER)["Account"]
    assert (found["JoinedMethod"], found["Status"]) == ("INVITED", "ACTIVE")
    root(jar, "iam", OTHER).get_role(RoleName="AWSServiceRoleForOrganizations")
    roles = [role["RoleName"] for role in root(jar, "iam", OTHER).list_roles()["Roles"]]
    assert roles == ["AWSServiceRoleForOrganizations"]
    with refused("HandshakeAlreadyInStateException"):
        guest.accept_handshake(HandshakeId=asked["Id"])
    with refused("DuplicateAccountException"):
        invite(estate, OTHER)
    jar.advance(days=31)
    with refused("HandshakeNotFoundException"):
        estate.org.describe_handshake(HandshakeId=asked["Id"])


def test_who_accepts_must_be_allowed_to_make_the_linked_role(jar: TestJar) -> None:
    estate = Estate(jar)
    handshake = invite(estate, OTHER)
    ann = user(jar, "ann", allow("organizations:AcceptHandshake"), account=OTHER).client("organizations")
    why = reason("AccessDeniedForDependencyException", ann.accept_handshake, HandshakeId=handshake)
    assert why == "ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE"
    assert estate.org.describe_handshake(HandshakeId=handshake)["Handshake"]["State"] == "OPEN"


def test_an_invitation_by_address(jar: TestJar) -> None:
    estate = Estate(jar)
    address = f"root+{OTHER}@accounts.invalid"
    handshake = invite(estate, address, "EMAIL")
    root(jar, "organizations", OTHER).accept_handshake(HandshakeId=handshake)
    assert len(estate.org.list_accounts()["Accounts"]) == 2
    for party, why in (
        ({"Id": "nobody", "Type": "EMAIL"}, "INVALID_EMAIL_ADDRESS_TARGET"),
        ({"Id": estate.id, "Type": "ORGANIZATION"}, "INVALID_PARTY_TYPE_TARGET"),
    ):
        assert reason("InvalidInputException", estate.org.invite_account_to_organization, Target=party) == why


def test_declining_and_cancelling(jar: TestJar) -> None:
    estate = Estate(jar)
    guest = root(jar, "organizations", OTHER)
    first = invite(estate, OTHER)
    with refused("DuplicateHandshakeException"):
        invite(estate, OTHER)
    assert guest.decline_handshake(HandshakeId=first)["Handshake"]["State"] == "DECLINED"
    second = invite(estate, OTHER)
    assert estate.org.cancel_handshake(HandshakeId=second)["Handshake"]["State"] == "CANCELED"
    with refused("InvalidHandshakeTransitionException"):
        guest.accept_handshake(HandshakeId=second)
    states = {h["Id"]: h["State"] for h in estate.org.list_handshakes_for_organization()["Handshakes"]}
    assert states == {first: "DECLINED", second: "CANCELED"}


def test_only_who_was_asked_can_answer(jar: TestJar) -> None:
    estate = Estate(jar)
    handshake = invite(estate, OTHER)
    stranger = root(jar, "organizations", "444455556666")
    for answer in (stranger.accept_handshake, stranger.decline_handshake, stranger.describe_handshake):
        with refused("HandshakeNotFoundException"):
            answer(HandshakeId=handshake)
    nobody = user(jar, "bob", account="444455556666").client("organizations")
    with refused("AccessDeniedException", "handshake/o-*/*/"):  # not told whose it is
        nobody.describe_handshake(HandshakeId=handshake)
    with refused("AccessDeniedException"):
        estate.org.accept_handshake(HandshakeId=handshake)
    with refused("AWSOrganizationsNotInUseException"):
        root(jar, "organizations", OTHER).cancel_handshake(HandshakeId=handshake)


def test_an_invitation_expires(jar: TestJar) -> None:
    estate = Estate(jar)
    handshake = invite(estate, OTHER)
    jar.advance(days=14)
    assert estate.org.describe_handshake(HandshakeId=handshake)["Handshake"]["State"] == "OPEN"
    jar.advance(days=1)
    assert estate.org.describe_handshake(HandshakeId=handshake)["Handshake"]["State"] == "EXPIRED"
    with refused("InvalidHandshakeTransitionException"):
        root(jar, "organizations", OTHER).accept_handshake(HandshakeId=handshake)


def test_an_account_is_in_one_organization(jar: TestJar) -> None:
    estate, other = Estate(jar), Estate(jar, management="444455556666")
    handshake = invite(other, OTHER)
    estate.invited(OTHER)
    why = reason(
        "HandshakeConstraintViolationException",
        root(jar, "organizations", OTHER).accept_handshake,
        HandshakeId=handshake,
    )
    assert why == "ALREADY_IN_AN_ORGANIZATION"
    assert root(jar, "organizations", OTHER).describe_organization()["Organization"]["Id"] == estate.id


def test_invitations_count_as_accounts(steady_jar: TestJar) -> None:
    estate = Estate(steady_jar)
    for n in range(9):
        invite(estate, f"11112222333{n}")
    why = reason(
        "HandshakeConstraintViolationException",
        estate.org.invite_account_to_organization,
        Target={"Id": "222233334444", "Type": "ACCOUNT"},
    )
    assert why == "ACCOUNT_NUMBER_LIMIT_EXCEEDED"
