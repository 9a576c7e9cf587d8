"""Static websites, as browsers see them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.services.s3.conftest import Bucket
from tests.services.s3.raw import Answer, ask

HOST = "jam.s3-website-eu-west-3.localhost"


def make_public(bucket: Bucket) -> None:
    bucket.s3.delete_public_access_block(Bucket=bucket.name)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                 "Resource": f"arn:aws:s3:::{bucket.name}/*"}  # fmt: skip
    bucket.s3.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps({"Statement": [statement]}))


def configure(bucket: Bucket, **more: Any) -> None:
    settings = {"IndexDocument": {"Suffix": "index.html"}, **more}
    bucket.s3.put_bucket_website(Bucket=bucket.name, WebsiteConfiguration=settings)


@pytest.fixture
def site(bucket: Bucket) -> Bucket:
    """A website with an index, a folder and an error page."""
    make_public(bucket)
    configure(bucket, ErrorDocument={"Key": "oops.html"})
    bucket.put("index.html", b"<h1>home</h1>", ContentType="text/html")
    bucket.put("folder/index.html", b"folder", ContentType="text/html")
    bucket.put("oops.html", b"oops", ContentType="text/html")
    return bucket


def get(bucket: Bucket, path: str, method: str = "GET", host: str = HOST, **headers: str) -> Answer:
    return ask(bucket.jar, method, path, {n.replace("_", "-"): v for n, v in headers.items()}, host=host)


def test_pages(site: Bucket) -> None:
    home = get(site, "/")
    assert (home.status, home.body, home.headers["content-type"]) == (200, b"<h1>home</h1>", "text/html")
    assert get(site, "/folder/").body == b"folder"
    assert get(site, "/", host="jam.s3-website.eu-west-3.amazonaws.com").body == b"<h1>home</h1>"
    assert get(site, "/index.html", Range="bytes=0-3").body == b"<h1>"
    unchanged = get(site, "/", If_None_Match=home.headers["etag"])
    assert (unchanged.status, unchanged.body) == (304, b"")
    head = get(site, "/", "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "13")


def test_a_folder_is_found_without_its_slash(site: Bucket) -> None:
    answer = get(site, "/folder")
    assert (answer.status, answer.headers["location"]) == (302, "/folder/")


def test_errors_have_their_document(site: Bucket) -> None:
    answer = get(site, "/nothing")
    assert (answer.status, answer.body) == (403, b"oops")
    assert answer.headers["x-amz-error-code"] == "AccessDenied"


def test_errors_without_a_document(site: Bucket) -> None:
    configure(site)
    policy = {"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::jam/*"},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::jam"},
    ]}  # fmt: skip
    site.s3.put_bucket_policy(Bucket="jam", Policy=json.dumps(policy))
    answer = get(site, "/no<thing>")
    assert answer.status == 404
    assert "<h1>404 Not Found</h1>" in answer.text
    assert "<li>Code: NoSuchKey</li>" in answer.text
    assert "<li>Key: no&lt;thing&gt;</li>" in answer.text
    assert get(site, "/", "POST").status == 405


def test_the_error_document_may_be_missing(site: Bucket) -> None:
    site.s3.delete_object(Bucket="jam", Key="oops.html")
    answer = get(site, "/nothing")
    assert answer.status == 403
    assert "An Error Occurred While Attempting to Retrieve a Custom Error Document" in answer.text


def test_what_is_no_website(bucket: Bucket) -> None:
    none = get(bucket, "/")
    assert (none.status, none.headers["x-amz-error-code"]) == (404, "NoSuchWebsiteConfiguration")
    assert get(bucket, "/", host="nobody.s3-website-eu-west-3.localhost").headers["x-amz-error-code"] == "NoSuchBucket"
    configure(bucket)
    bucket.put("index.html", b"secret")
    assert get(bucket, "/").status == 403
    elsewhere = get(bucket, "/", host="jam.s3-website-us-east-1.localhost")
    assert elsewhere.headers["x-amz-error-code"] == "IncorrectEndpoint"


def test_everything_elsewhere(bucket: Bucket) -> None:
    settings = {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "https"}}
    bucket.s3.put_bucket_website(Bucket="jam", WebsiteConfiguration=settings)
    answer = get(bucket, "/a/b%20c?x=1")
    assert (answer.status, answer.headers["location"]) == (301, "https://example.com/a/b%20c?x=1")


def test_routing_rules(site: Bucket) -> None:
    configure(
        site,
        RoutingRules=[
            {"Condition": {"KeyPrefixEquals": "docs/"}, "Redirect": {"ReplaceKeyPrefixWith": "documents/"}},
            {
                "Condition": {"HttpErrorCodeReturnedEquals": "403"},
                "Redirect": {"HostName": "example.com", "ReplaceKeyWith": "lost", "HttpRedirectCode": "302"},
            },
        ],
    )
    moved = get(site, "/docs/a")
    assert (moved.status, moved.headers["location"]) == (301, f"http://{HOST}/documents/a")
    lost = get(site, "/nothing")
    assert (lost.status, lost.headers["location"]) == (302, "http://example.com/lost")
    assert get(site, "/").status == 200


def test_an_object_may_be_a_redirect(site: Bucket) -> None:
    site.put("old", b"x", WebsiteRedirectLocation="/new")
    answer = get(site, "/old")
    assert (answer.status, answer.headers["location"], answer.body) == (301, "/new", b"")


def test_a_domain_of_its_own(site: Bucket, make_bucket: Any) -> None:
    own = make_bucket("www.jam.example")
    make_public(own)
    configure(own)
    own.put("index.html", b"mine")
    assert get(own, "/", host="www.jam.example").body == b"mine"
    assert get(own, "/", host="www.other.example").tag("Code") == "AccessDenied"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"IndexDocument": {"Suffix": "a/b"}}, "InvalidArgument"),
        ({"ErrorDocument": {"Key": "x"}}, "InvalidArgument"),
        ({"RedirectAllRequestsTo": {"HostName": "a"}, "IndexDocument": {"Suffix": "b"}}, "InvalidArgument"),
        ({"IndexDocument": {"Suffix": "i"}, "RoutingRules": [{"Redirect": {"HttpRedirectCode": "200"}}]},
         "InvalidRequest"),
        ({"IndexDocument": {"Suffix": "i"}, "RoutingRules": [
            {"Condition": {"HttpErrorCodeReturnedEquals": "200"}, "Redirect": {"HostName": "a"}}]}, "InvalidRequest"),
        ({"IndexDocument": {"Suffix": "i"}, "RoutingRules": [
            {"Redirect": {"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}}]}, "InvalidRequest"),
    ],
)  # fmt: skip
def test_configurations_that_are_refused(bucket: Bucket, settings: dict[str, Any], code: str) -> None:
    with pytest.raises(bucket.s3.exceptions.ClientError) as caught:
        bucket.s3.put_bucket_website(Bucket="jam", WebsiteConfiguration=settings)
    assert caught.value.response["Error"]["Code"] == code
