"""IAM database authentication: whom a token lets in, and what an instance says of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloudjar.auth.presign import Credentials, presign
from cloudjar.base.errors import AwsError
from cloudjar.services.rds import tokens
from cloudjar.services.rds.tokens import Endpoint
from tests.jar import ACCOUNT, TestJar
from tests.services.iam import people
from tests.services.iam.people import Person, allow
from tests.services.rds.site import Site, refused

REGION = "eu-west-3"


def endpoint(shown: dict[str, Any]) -> Endpoint:
    """An instance as tokens know it."""
    return Endpoint(
        ACCOUNT, REGION, shown["Endpoint"]["Address"], shown["Endpoint"]["Port"], shown["DbiResourceId"]
    )


def token(who: Person, place: Endpoint, user: str = "jane") -> str:
    """As a customer's tools make it."""
    made = who.client("rds").generate_db_auth_token(DBHostname=place.name, Port=place.port, DBUsername=user)
    return str(made)


def connect(place: Endpoint, user: str = "jane") -> str:
    """What policies call logging in."""
    return f"arn:aws:rds-db:{REGION}:{ACCOUNT}:dbuser:{place.resource}/{user}"


def why(jar: TestJar, place: Endpoint, text: str, user: str = "jane") -> str:
    """The code of the refusal; "" when nobody is refused."""
    try:
        tokens.refuse_wrong(jar.jar.world, place, user, text)
    except AwsError as error:
        return error.code
    return ""


def test_who_may_connect_comes_in_as_the_user_that_he_may_be(jar: TestJar) -> None:
    place = endpoint(Site(jar).available(EnableIAMDatabaseAuthentication=True))
    may = people.user(jar, "may", allow("rds-db:connect", on=connect(place)))
    other = people.user(jar, "other", allow("rds-db:connect", on=connect(place, "joe")))
    admin = people.user(jar, "admin", allow("rds:*"))
    good = token(may, place)
    assert why(jar, place, good) == ""
    assert why(jar, place, good) == ""  # a token is good as often as one likes, for its fifteen minutes
    assert why(jar, place, token(may, place, "joe"), "joe") == "AccessDenied"
    assert why(jar, place, token(other, place)) == "AccessDenied"
    assert why(jar, place, token(admin, place)) == "AccessDenied"
    assert why(jar, place, good, "joe") == "WrongUser"
    assert why(jar, place._replace(name="other." + place.name), good) == "WrongEndpoint"
    assert why(jar, place._replace(port=5433), good) == "WrongEndpoint"


def test_a_role_comes_in_with_its_sessions_token(jar: TestJar) -> None:
    place = endpoint(Site(jar).available(EnableIAMDatabaseAuthentication=True))
    iam = people.root(jar, "iam")
    document = people.policy({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    may = people.policy(allow("rds-db:connect", on=connect(place, "*")))
    iam.put_role_policy(RoleName="app", PolicyName="own", PolicyDocument=may)
    session = people.user(jar, "someone", allow("sts:AssumeRole")).assume(role)
    text = token(session, place)
    assert len(text) > 512  # more than PAM's own module would hand on
    assert why(jar, place, text) == ""
    iam.delete_role_policy(RoleName="app", PolicyName="own")
    assert why(jar, place, text) == "AccessDenied"


def test_what_was_not_signed_so_or_long_ago_lets_nobody_in(jar: TestJar) -> None:
    place = endpoint(Site(jar).available(EnableIAMDatabaseAuthentication=True))
    may = people.user(jar, "may", allow("rds-db:connect", on="*"))
    now, keys = jar.clock.real(), Credentials(may.key, may.secret)
    url = f"https://{place.name}:{place.port}/?Action=connect&DBUser=jane"

    def signed(**otherwise: Any) -> str:
        asked = {"region": REGION, "service": "rds-db", "now": now, "expires": 900, **otherwise}
        made = presign("GET", url, keys, asked["region"], asked["service"], asked["now"], expires=asked["expires"])
        return made.removeprefix("https://")

    good = signed()
    assert why(jar, place, good) == ""
    assert why(jar, place, signed(now=now - timedelta(minutes=16))) == "SignatureDoesNotMatch"
    assert why(jar, place, signed(expires=86400)) == "SignatureDoesNotMatch"
    assert why(jar, place, signed(service="rds")) == "SignatureDoesNotMatch"
    assert why(jar, place, signed(region="eu-west-1")) in ("SignatureDoesNotMatch", "WrongRegion")
    assert why(jar, place, good[:-1] + ("0" if good[-1] != "0" else "1")) == "SignatureDoesNotMatch"
    assert why(jar, place, good.replace("DBUser=jane", "DBUser=root"), "root") == "SignatureDoesNotMatch"
    assert why(jar, place, good + "&DBUser=root", "root") == "WrongUser"
    assert why(jar, place, f"{place.name}:{place.port}/?Action=connect&DBUser=jane") == "MissingAuthenticationToken"
    assert why(jar, place, "correct-horse-9") == "MalformedToken"
    assert why(jar, place, good + "&x=" + "a" * 9000) == "MalformedToken"
    nobody = Person(jar, "", "test", "test")
    assert why(jar, place, token(nobody, place)) == "InvalidClientTokenId"  # the default key is this host's alone


def test_the_door_is_open_while_tokens_are_taken(jar: TestJar) -> None:
    site = Site(jar)
    shown = site.available()
    assert shown["IAMDatabaseAuthenticationEnabled"] is False
    place = endpoint(shown)
    text = token(people.user(jar, "may", allow("rds-db:connect")), place)

    def comes() -> bool | None:
        site.jar.settle()
        answer = tokens.doors(jar.jar.world).answers.get(place.resource)  # type: ignore[attr-defined]  # the simulated ones
        return None if answer is None else bool(answer("jane", text))

    assert comes() is None
    ask = {"DBInstanceIdentifier": "shop", "EnableIAMDatabaseAuthentication": True}
    waits = site.rds.modify_db_instance(**ask)["DBInstance"]
    assert waits["PendingModifiedValues"] == {"IAMDatabaseAuthenticationEnabled": True}
    site.rds.modify_db_instance(**ask, ApplyImmediately=True)
    jar.settle()
    assert site.show()["IAMDatabaseAuthenticationEnabled"] is True
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop")
    assert comes() is True
    site.rds.stop_db_instance(DBInstanceIdentifier="shop")
    assert comes() is None
    site.rds.start_db_instance(DBInstanceIdentifier="shop")
    assert comes() is True
    site.rds.modify_db_instance(
        DBInstanceIdentifier="shop", EnableIAMDatabaseAuthentication=False, ApplyImmediately=True
    )
    assert comes() is None


def test_engines_that_cannot_ask_are_told_apart(jar: TestJar) -> None:
    site = Site(jar)
    asked: dict[str, Any] = {"EnableIAMDatabaseAuthentication": True}
    with refused("UnsupportedOperation", "IAM database authentication of mariadb"):
        site.create(Engine="mariadb", **asked)
    with refused("UnsupportedOperation", "whose build here has no PAM"):
        site.create(EngineVersion="16", **asked)
    site.available(**asked)
    later = [
        one["EngineVersion"]
        for one in site.rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]
        if one["EngineVersion"].startswith("16.")
    ]
    with refused("UnsupportedOperation", "whose build here has no PAM"):
        site.rds.modify_db_instance(
            DBInstanceIdentifier="shop", EngineVersion=later[-1], AllowMajorVersionUpgrade=True, ApplyImmediately=True
        )


@pytest.mark.parametrize("given", [True, None])
def test_a_snapshot_says_it_and_a_restored_instance_takes_none_unless_asked(jar: TestJar, given: bool | None) -> None:
    site = Site(jar)
    site.available(EnableIAMDatabaseAuthentication=True)
    site.rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="kept")
    jar.settle()
    snapshot = site.rds.describe_db_snapshots(DBSnapshotIdentifier="kept")["DBSnapshots"][0]
    assert snapshot["IAMDatabaseAuthenticationEnabled"] is True
    more = {} if given is None else {"EnableIAMDatabaseAuthentication": given}
    restored = site.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="again", DBSnapshotIdentifier="kept", DBSubnetGroupName="private", **more
    )["DBInstance"]
    assert restored["IAMDatabaseAuthenticationEnabled"] is bool(given)
