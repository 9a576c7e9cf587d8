"""Identities of both APIs: addresses are verified by a link, domains wait for a DNS that is not there."""

from __future__ import annotations

from tests.services.ses.conftest import Post, follow, refused


def test_an_address_is_verified_by_its_link(post: Post) -> None:
    post.v1.verify_email_identity(EmailAddress="a@example.com")
    [letter] = post.letters("a@example.com")
    assert letter.subject.startswith("Amazon Web Services")
    assert letter.link in letter.body
    shown = post.v1.get_identity_verification_attributes(Identities=["a@example.com", "b@example.com"])
    assert shown["VerificationAttributes"] == {"a@example.com": {"VerificationStatus": "Pending"}}
    assert post.v2.get_email_identity(EmailIdentity="a@example.com")["VerifiedForSendingStatus"] is False
    assert follow(letter.link) == 200
    found = post.v2.get_email_identity(EmailIdentity="a@example.com")
    assert (found["VerifiedForSendingStatus"], found["VerificationStatus"]) == (True, "SUCCESS")
    assert post.v1.list_verified_email_addresses()["VerifiedEmailAddresses"] == ["a@example.com"]
    assert follow(letter.link.replace("a%40example.com", "b%40example.com")) == 400
    post.v1.delete_identity(Identity="a@example.com")
    assert post.v1.list_identities()["Identities"] == []
    assert follow(letter.link) == 400


def test_a_link_holds_a_day_and_another_replaces_it(post: Post) -> None:
    made = post.v2.create_email_identity(EmailIdentity="a@example.com", Tags=[{"Key": "team", "Value": "x"}])
    assert (made["IdentityType"], made["VerifiedForSendingStatus"]) == ("EMAIL_ADDRESS", False)
    link = post.letters("a@example.com")[0].link
    post.jar.advance(hours=25)
    assert follow(link) == 400
    shown = post.v1.get_identity_verification_attributes(Identities=["a@example.com"])
    assert shown["VerificationAttributes"]["a@example.com"]["VerificationStatus"] == "Failed"
    post.verify("a@example.com")
    assert follow(link) == 400
    found = post.v2.get_email_identity(EmailIdentity="a@example.com")
    assert (found["VerificationStatus"], found["Tags"]) == ("SUCCESS", [{"Key": "team", "Value": "x"}])


def test_a_domain_waits_three_days(post: Post) -> None:
    token = post.v1.verify_domain_identity(Domain="Example.com")["VerificationToken"]
    tokens = post.v1.verify_domain_dkim(Domain="example.com")["DkimTokens"]
    assert len(set(tokens)) == 3
    assert all(len(one) == 32 for one in tokens)
    assert post.v1.verify_domain_dkim(Domain="example.com")["DkimTokens"] == tokens
    shown = post.v1.get_identity_verification_attributes(Identities=["example.com"])["VerificationAttributes"]
    assert shown == {"example.com": {"VerificationStatus": "Pending", "VerificationToken": token}}
    found = post.v2.get_email_identity(EmailIdentity="example.com")
    assert (found["IdentityType"], found["DkimAttributes"]["Tokens"]) == ("DOMAIN", tokens)
    post.jar.advance(hours=73)
    dkim = post.v1.get_identity_dkim_attributes(Identities=["example.com"])["DkimAttributes"]["example.com"]
    assert dkim == {"DkimEnabled": True, "DkimVerificationStatus": "Failed", "DkimTokens": tokens}
    [listed] = post.v2.list_email_identities()["EmailIdentities"]
    assert (listed["IdentityName"], listed["SendingEnabled"], listed["VerificationStatus"]) == (
        "example.com", False, "FAILED"
    )  # fmt: skip
    refusal = refused(post.v1.set_identity_dkim_enabled, Identity="example.com", DkimEnabled=True)
    assert refusal == ("InvalidParameterValue", "Identity example.com is not verified for DKIM signing.")


def test_what_is_no_identity_is_refused(post: Post) -> None:
    assert refused(post.v1.verify_email_identity, EmailAddress="x")[0] == "InvalidParameterValue"
    assert refused(post.v1.verify_email_identity, EmailAddress="x@y")[0] == "InvalidParameterValue"
    assert refused(post.v1.verify_domain_identity, Domain="x@y.com")[0] == "InvalidParameterValue"
    assert refused(post.v2.create_email_identity, EmailIdentity="x y")[0] == "BadRequestException"
    assert refused(post.v2.get_email_identity, EmailIdentity="a@example.com") == (
        "NotFoundException", "Email identity a@example.com does not exist."
    )  # fmt: skip
    assert refused(post.v2.delete_email_identity, EmailIdentity="a@example.com")[0] == "NotFoundException"
    post.v2.create_email_identity(EmailIdentity="a@example.com")
    assert refused(post.v2.create_email_identity, EmailIdentity="a@example.com")[0] == "AlreadyExistsException"
    pages = [post.v2.list_email_identities(PageSize=1)]
    assert [one["IdentityName"] for one in pages[0]["EmailIdentities"]] == ["a@example.com"]
