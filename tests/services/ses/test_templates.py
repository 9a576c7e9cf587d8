"""Templates of both APIs, and the part of Handlebars that fills them."""

from __future__ import annotations

import json

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.kit.mailing import rendering
from tests.services.ses.conftest import Post, refused

HELLO = {"TemplateName": "hello", "SubjectPart": "Hi {{name}}", "TextPart": "Dear {{name}}, {{n}} apples."}


@pytest.mark.parametrize(
    ("text", "data", "made"),
    [
        ("a {{x}} b", {"x": "<1>"}, "a <1> b"),
        ("{{a.b.c}} {{{a.b.c}}}{{! note }}", {"a": {"b": {"c": 3}}}, "3 3"),
        ("{{#if x}}yes{{else}}no{{/if}}", {"x": 1}, "yes"),
        ("{{#if x}}yes{{else}}no{{/if}}", {}, "no"),
        ("{{#if x}}{{#if y}}a{{else}}b{{/if}}c{{else}}d{{#if y}}e{{/if}}f{{/if}}", {"y": 1}, "def"),
        ("{{#unless x}}none{{/unless}}", {"x": []}, "none"),
        ("{{#each l}}{{@index}}={{name}}{{#unless @last}},{{/unless}}{{/each}}", {"l": [{"name": "a"}, {"name": "b"}]},
         "0=a,1=b"),
        ("{{#each l}}<{{this}} {{../x}}>{{/each}}", {"l": [1, True, None], "x": "y"}, "<1 y><true y>< y>"),
        ("{{#with o}}{{k}}{{/with}}", {"o": {"k": "v"}}, "v"),
    ],
)  # fmt: skip
def test_gaps_are_filled(text: str, data: dict[str, object], made: str) -> None:
    assert rendering.render(text, data) == made


@pytest.mark.parametrize("text", ["{{#if x}}", "{{/if}}", "{{> part}}", "{{x", "{{upper x}}", "{{#foo x}}{{/foo}}"])
def test_what_is_not_built_is_refused(text: str) -> None:
    with pytest.raises(AwsError) as caught:
        rendering.parse(text)
    assert caught.value.code == "InvalidTemplate"


def test_both_versions_show_the_same_templates(post: Post) -> None:
    post.v1.create_template(Template=HELLO)
    assert refused(post.v1.create_template, Template=HELLO) == (
        "AlreadyExists", "Template hello already exists for account id 000000000000"
    )  # fmt: skip
    content = {"Subject": "Hi {{name}}", "Text": "Dear {{name}}, {{n}} apples."}
    assert post.v2.get_email_template(TemplateName="hello")["TemplateContent"] == content
    post.v2.update_email_template(TemplateName="hello", TemplateContent={"Subject": "Bye", "Html": "<b>{{x}}</b>"})
    assert post.v1.get_template(TemplateName="hello")["Template"] == {
        "TemplateName": "hello", "SubjectPart": "Bye", "HtmlPart": "<b>{{x}}</b>",
    }  # fmt: skip
    assert [one["TemplateName"] for one in post.v2.list_email_templates()["TemplatesMetadata"]] == ["hello"]
    made = post.v2.test_render_email_template(TemplateName="hello", TemplateData='{"x": 1}')["RenderedTemplate"]
    assert "Subject: Bye" in made
    assert "<b>1</b>" in made
    assert refused(post.v1.test_render_template, TemplateName="hello", TemplateData="{}") == (
        "MissingRenderingAttribute", "Attribute 'x' is not present in the rendering data."
    )  # fmt: skip
    assert refused(post.v1.test_render_template, TemplateName="hello", TemplateData="[")[0] == (
        "InvalidRenderingParameter"
    )
    post.v2.delete_email_template(TemplateName="hello")
    assert refused(post.v1.get_template, TemplateName="hello") == (
        "TemplateDoesNotExist", "Template hello does not exist"
    )  # fmt: skip
    assert refused(post.v2.get_email_template, TemplateName="hello")[0] == "NotFoundException"
    bad = {**HELLO, "TextPart": "{{#if}}"}
    assert refused(post.v1.create_template, Template=bad)[0] == "InvalidTemplate"


def test_letters_of_templates(post: Post) -> None:
    post.verify("from@example.com", "to@example.com")
    post.v1.create_template(Template=HELLO)
    asked = {"Source": "from@example.com", "Destination": {"ToAddresses": ["to@example.com"]}, "Template": "hello"}
    post.v1.send_templated_email(**asked, TemplateData=json.dumps({"name": "Ada", "n": 2}))
    letter = post.letters("to@example.com")[0]
    assert (letter.subject, letter.body) == ("Hi Ada", "Dear Ada, 2 apples.")
    assert post.v1.send_templated_email(**asked, TemplateData="{}")["MessageId"]  # and nothing is sent
    assert len(post.letters("to@example.com")) == 2
    sent = post.v1.send_bulk_templated_email(
        Source="from@example.com", Template="hello", DefaultTemplateData='{"n": 1, "name": "?"}',
        Destinations=[
            {"Destination": asked["Destination"], "ReplacementTemplateData": '{"name": "Bob"}'},
            {"Destination": {"ToAddresses": ["nobody@example.com"]}},
        ],
    )["Status"]  # fmt: skip
    assert [one["Status"] for one in sent] == ["Success", "MessageRejected"]
    assert post.letters("to@example.com")[0].subject == "Hi Bob"


def test_letters_of_templates_in_version_two(post: Post) -> None:
    post.verify("from@example.com", "to@example.com")
    own = {"TemplateContent": {"Subject": "{{a}}", "Text": "{{b}}"}, "TemplateData": '{"a": "A", "b": "B"}'}
    to = {"ToAddresses": ["to@example.com"]}
    post.v2.send_email(FromEmailAddress="from@example.com", Destination=to, Content={"Template": own})
    assert post.letters("to@example.com")[0].body == "B"
    entries = [{"Destination": to, "ReplacementEmailContent": {"ReplacementTemplate": {
        "ReplacementTemplateData": '{"b": "C"}'}}}]  # fmt: skip
    sent = post.v2.send_bulk_email(
        FromEmailAddress="from@example.com", DefaultContent={"Template": own}, BulkEmailEntries=entries
    )["BulkEmailEntryResults"]
    assert [one["Status"] for one in sent] == ["SUCCESS"]
    assert post.letters("to@example.com")[0].body == "C"
    content = {"Template": {"TemplateName": "none", "TemplateData": "{}"}}
    refusal = refused(post.v2.send_email, FromEmailAddress="from@example.com", Destination=to, Content=content)
    assert refusal[0] == "NotFoundException"
