"""Texts to telephones: settings, numbers that want none, the sandbox's numbers."""

from __future__ import annotations

import re
from typing import Any

from cloudjar.kit import mailbox
from tests.jar import TestJar
from tests.services.sns.conftest import News
from tests.services.sns.test_endpoints import follow
from tests.services.sns.test_sealing import code

NUMBER = "+33612345678"


def letters(jar: TestJar) -> list[mailbox.Mail]:
    return [one.mail for one in mailbox.letters(jar.jar.world, recipient=NUMBER)]


def test_settings_hold_for_texts(jar: TestJar, sns: Any) -> None:
    assert sns.get_sms_attributes()["attributes"] == {"MonthlySpendLimit": "1"}
    for bad in ({"MonthlySpendLimit": "2"}, {"DefaultSMSType": "Any"}, {"DefaultSenderID": "123"}, {"Other": "x"},
                {"DeliveryStatusIAMRole": "x"}, {"DeliveryStatusSuccessSamplingRate": "101"}):  # fmt: skip
        assert code(sns.set_sms_attributes, attributes=bad) == "InvalidParameter"
    sns.set_sms_attributes(attributes={"DefaultSenderID": "Shop", "DefaultSMSType": "Transactional"})
    assert sns.get_sms_attributes(attributes=["DefaultSMSType"])["attributes"] == {"DefaultSMSType": "Transactional"}
    sns.publish(PhoneNumber=NUMBER, Message="one")
    own = {"AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "Mine"}}
    sns.publish(PhoneNumber=NUMBER, Message="two", MessageAttributes=own)
    assert [(one.sender, one.body) for one in letters(jar)] == [("Mine", "two"), ("Shop", "one")]


def test_who_wants_no_texts_gets_none(jar: TestJar, sns: Any, news: News) -> None:
    news.subscribe("sms", NUMBER)
    assert sns.check_if_phone_number_is_opted_out(phoneNumber=NUMBER)["isOptedOut"] is False
    sns.publish(PhoneNumber=NUMBER, Message="one")
    follow(letters(jar)[0].link)
    follow(letters(jar)[0].link)
    assert sns.check_if_phone_number_is_opted_out(phoneNumber=NUMBER)["isOptedOut"] is True
    assert sns.list_phone_numbers_opted_out()["phoneNumbers"] == [NUMBER]
    assert code(sns.create_sms_sandbox_phone_number, PhoneNumber=NUMBER) == "OptedOut"
    sns.publish(PhoneNumber=NUMBER, Message="two")
    news.publish("three")
    assert [one.body for one in letters(jar)] == ["one"]
    sns.opt_in_phone_number(phoneNumber=NUMBER)
    assert sns.list_phone_numbers_opted_out()["phoneNumbers"] == []
    news.publish("four")
    assert [one.body for one in letters(jar)] == ["four", "one"]
    follow(letters(jar)[0].link)
    assert code(sns.opt_in_phone_number, phoneNumber=NUMBER) == "InvalidParameter"
    jar.advance(days=31)
    sns.opt_in_phone_number(phoneNumber=NUMBER)
    assert sns.check_if_phone_number_is_opted_out(phoneNumber=NUMBER)["isOptedOut"] is False
    assert code(sns.check_if_phone_number_is_opted_out, phoneNumber="none") == "InvalidParameter"


def test_the_sandboxs_numbers_are_proven_by_a_password(jar: TestJar, sns: Any) -> None:
    assert sns.get_sms_sandbox_account_status()["IsInSandbox"] is False
    assert code(sns.verify_sms_sandbox_phone_number, PhoneNumber=NUMBER, OneTimePassword="123456") == "ResourceNotFound"
    sns.create_sms_sandbox_phone_number(PhoneNumber=NUMBER)
    listed = sns.list_sms_sandbox_phone_numbers
    assert listed()["PhoneNumbers"] == [{"PhoneNumber": NUMBER, "Status": "Pending"}]
    (first,) = re.findall(r"\d{6}", letters(jar)[0].body)
    other = f"{(int(first) + 1) % 1_000_000:06d}"
    wrong = code(sns.verify_sms_sandbox_phone_number, PhoneNumber=NUMBER, OneTimePassword=other)
    assert wrong == "VerificationException"
    jar.advance(hours=25)
    late = code(sns.verify_sms_sandbox_phone_number, PhoneNumber=NUMBER, OneTimePassword=first)
    assert late == "VerificationException"
    sns.create_sms_sandbox_phone_number(PhoneNumber=NUMBER)
    (second,) = re.findall(r"\d{6}", letters(jar)[0].body)
    sns.verify_sms_sandbox_phone_number(PhoneNumber=NUMBER, OneTimePassword=second)
    assert listed()["PhoneNumbers"] == [{"PhoneNumber": NUMBER, "Status": "Verified"}]
    for n in range(9):
        sns.create_sms_sandbox_phone_number(PhoneNumber=f"+3361111111{n}")
    assert code(sns.create_sms_sandbox_phone_number, PhoneNumber="+33611111119") == "UserError"
    sns.delete_sms_sandbox_phone_number(PhoneNumber=NUMBER)  # added more than a day ago
    sns.delete_sms_sandbox_phone_number(PhoneNumber="+33611111110")
    assert len(listed()["PhoneNumbers"]) == 8
    assert sns.list_origination_numbers().get("PhoneNumbers", []) == []
