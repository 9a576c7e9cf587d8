"""A browser: a page from a website bucket uploads by a presigned form into another bucket, which lets it by CORS."""

from __future__ import annotations

import json

import pytest

from tests.stories.s3.conftest import Tool
from tests.stories.served import REGION, Served

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]

PAGE = """<!doctype html><title>upload</title><p id=said>nothing</p><script>
const post = %s;
async function upload(name, bytes) {
  const form = new FormData();
  for (const [field, value] of Object.entries(post.fields)) form.append(field, value);
  form.append("file", new Blob([bytes]), name);
  try {
    const answer = await fetch(post.url, {method: "POST", body: form});
    return answer.status + " " + answer.headers.get("ETag");
  } catch (wrong) { return "blocked"; }
}
(async () => {
  const said = [await upload("a.txt", "from a browser"), await upload("b.txt", "x".repeat(2000))];
  document.getElementById("said").textContent = said.join(" | ");
})();
</script>"""


def website(shop: Served, name: str) -> str:
    """A public website; its address."""
    s3 = shop.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.delete_public_access_block(Bucket=name)
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    s3.put_bucket_website(
        Bucket=name,
        WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "404.html"}},
    )
    return f"http://{name}.s3-website.{REGION}.localhost:{shop.endpoint.rpartition(':')[2]}"


def dom(run: Tool, url: str) -> str:
    """What a page has become when its scripts have done their work."""
    return run(
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--virtual-time-budget=20000", "--dump-dom", url,
    )  # fmt: skip


def test_a_page_uploads_by_a_presigned_form(run: Tool, shop: Served, key: tuple[str, str]) -> None:
    origin = website(shop, "cj-page")
    s3 = shop.client("s3", *key)
    s3.create_bucket(Bucket="cj-inbox", CreateBucketConfiguration={"LocationConstraint": REGION})
    post = s3.generate_presigned_post(
        "cj-inbox", "in/${filename}", Conditions=[["content-length-range", 1, 1000], ["starts-with", "$key", "in/"]]
    )
    page = (PAGE % json.dumps(post)).encode()
    shop.client("s3").put_object(Bucket="cj-page", Key="index.html", Body=page, ContentType="text/html")
    assert "blocked | blocked" in dom(run, origin + "/")  # what was sent may have arrived: CORS forbids to look
    rule = {"AllowedOrigins": [origin], "AllowedMethods": ["POST"], "ExposeHeaders": ["ETag"]}
    s3.put_bucket_cors(Bucket="cj-inbox", CORSConfiguration={"CORSRules": [rule]})
    shown = dom(run, origin + "/")
    etag = s3.head_object(Bucket="cj-inbox", Key="in/a.txt")["ETag"]
    assert f"204 {etag} | 400 null" in shown
    assert s3.get_object(Bucket="cj-inbox", Key="in/a.txt")["Body"].read() == b"from a browser"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="cj-inbox")["Contents"]] == ["in/a.txt"]


def test_a_website_has_an_index_and_a_page_for_what_is_missing(run: Tool, shop: Served) -> None:
    origin = website(shop, "cj-site")
    put = shop.client("s3").put_object
    put(Bucket="cj-site", Key="index.html", Body=b"<h1>Hello</h1>", ContentType="text/html")
    put(Bucket="cj-site", Key="docs/index.html", Body=b"<h1>Docs</h1>", ContentType="text/html")
    put(Bucket="cj-site", Key="404.html", Body=b"<h1>Lost</h1>", ContentType="text/html")
    assert "<h1>Hello</h1>" in dom(run, f"{origin}/")
    assert "<h1>Docs</h1>" in dom(run, f"{origin}/docs")  # redirected to docs/
    assert "<h1>Lost</h1>" in dom(run, f"{origin}/nowhere")
