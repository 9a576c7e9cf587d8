"""Virtual MFA devices: their seeds, codes, users and ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.services.iam import mfa_rules
from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, allow, refused, root, user
from tests.services.iam.phones import Phone, Watch, phone, phone_of


@pytest.fixture
def watch(jar: TestJar, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """The machine's clock, moved by hand."""
    return Watch(jar, monkeypatch)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    step = mfa_rules.step_at(datetime.fromtimestamp(seconds, UTC))
    assert mfa_rules.code_at(b"12345678901234567890", step) == code


def test_a_device_has_a_seed_and_a_picture_of_it(jar: TestJar, iam: Any, watch: Watch) -> None:
    made = iam.create_virtual_mfa_device(
        VirtualMFADeviceName="phone", Path="/team/", Tags=[{"Key": "owner", "Value": "ann"}]
    )["VirtualMFADevice"]
    assert made["SerialNumber"] == f"arn:aws:iam::{ACCOUNT}:mfa/team/phone"
    assert len(made["Base32StringSeed"]) == 64
    assert made["QRCodePNG"].startswith(b"\x89PNG\r\n\x1a\n")
    assert made["Tags"] == [{"Key": "owner", "Value": "ann"}]
    assert iam.list_mfa_device_tags(SerialNumber=made["SerialNumber"])["Tags"] == made["Tags"]
    with refused("EntityAlreadyExists", "MFADevice entity at the same path and name already exists.", status=409):
        iam.create_virtual_mfa_device(VirtualMFADeviceName="phone", Path="/team/")


def test_a_name_may_be_so_long(iam: Any) -> None:
    assert iam.create_virtual_mfa_device(VirtualMFADeviceName="d" * 226)["VirtualMFADevice"]["QRCodePNG"]
    with pytest.raises(ClientError, match="less than or equal to 226"):
        iam.create_virtual_mfa_device(VirtualMFADeviceName="d" * 227)


def test_the_seed_lies_sealed_in_the_store(jar: TestJar, iam: Any) -> None:
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    from base64 import b32decode

    secrets = (made["Base32StringSeed"], b32decode(made["Base32StringSeed"]))
    kept = b"".join(path.read_bytes() for path in jar.home.iterdir() if path.is_file())
    assert b"phone" in kept
    assert not any(secret in kept for secret in secrets)


def test_the_picture_carries_the_address_that_apps_read(steady_jar: TestJar) -> None:
    address = mfa_rules.uri("phone", ACCOUNT, b"\0" * 40)
    assert address.startswith("otpauth://totp/Amazon%20Web%20Services:phone%40000000000000?secret=AAAA")


def test_two_codes_in_a_row_give_a_device_to_a_user(jar: TestJar, iam: Any, watch: Watch) -> None:
    user(jar, "ann")
    mine = phone(watch, iam)
    with refused("InvalidAuthenticationCode", "Authentication code for device is not valid.", status=403):
        iam.enable_mfa_device(
            UserName="ann", SerialNumber=mine.serial, AuthenticationCode1=mine.code(), AuthenticationCode2=mine.code()
        )
    assert iam.list_mfa_devices(UserName="ann")["MFADevices"] == []
    iam.enable_mfa_device(UserName="ann", SerialNumber=mine.serial, **mine.two())
    (shown,) = iam.list_mfa_devices(UserName="ann")["MFADevices"]
    assert (shown["UserName"], shown["SerialNumber"]) == ("ann", mine.serial)
    assert shown["EnableDate"] == jar.clock.now()
    assert iam.get_mfa_device(SerialNumber=mine.serial, UserName="ann")["EnableDate"] == jar.clock.now()
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["MFADevices"], summary["MFADevicesInUse"], summary["AccountMFAEnabled"]) == (1, 1, 0)


def test_a_device_has_one_user(jar: TestJar, iam: Any, watch: Watch) -> None:
    user(jar, "ann")
    user(jar, "bob")
    mine = phone_of(watch, iam, "ann")
    with refused("EntityAlreadyExists", "MFA Device is already in use.", status=409):
        iam.enable_mfa_device(UserName="bob", SerialNumber=mine.serial, **mine.two())
    with refused("NoSuchEntity", "MFA Device invalid for user.", status=404):
        iam.deactivate_mfa_device(UserName="bob", SerialNumber=mine.serial)
    with refused("NoSuchEntity", "MFA Device invalid for user."):
        iam.get_mfa_device(UserName="bob", SerialNumber=mine.serial)


def test_a_device_that_was_never_registered_is_not_there(jar: TestJar, iam: Any, watch: Watch) -> None:
    user(jar, "ann")
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    for serial in ("GAHT12345678", f"arn:aws:iam::{ACCOUNT}:mfa/nobodys", f"arn:aws:iam::{OTHER}:mfa/theirs"):
        with refused("NoSuchEntity", f"VirtualMFADevice with serial number {serial} doesn't exist.", status=404):
            iam.enable_mfa_device(UserName="ann", SerialNumber=serial, **codes)


def test_a_user_has_at_most_eight(jar: TestJar, iam: Any, watch: Watch) -> None:
    user(jar, "ann")
    for number in range(8):
        made = phone(watch, iam, f"phone{number}")
        iam.enable_mfa_device(UserName="ann", SerialNumber=made.serial, **made.two())
    ninth = phone(watch, iam, "ninth")
    with refused("LimitExceeded", "8", status=409):
        iam.enable_mfa_device(UserName="ann", SerialNumber=ninth.serial, **ninth.two())


def test_a_device_in_use_and_its_user_cannot_be_deleted(jar: TestJar, iam: Any, watch: Watch) -> None:
    iam.create_user(UserName="ann")
    mine = phone_of(watch, iam, "ann")
    with refused("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.", status=409):
        iam.delete_virtual_mfa_device(SerialNumber=mine.serial)
    with refused("DeleteConflict", "must delete MFA device first", status=409):
        iam.delete_user(UserName="ann")
    iam.deactivate_mfa_device(UserName="ann", SerialNumber=mine.serial)
    iam.delete_user(UserName="ann")
    iam.delete_virtual_mfa_device(SerialNumber=mine.serial)
    with refused("NoSuchEntity", status=404):
        iam.delete_virtual_mfa_device(SerialNumber=mine.serial)


def test_a_device_stays_with_a_user_who_changes_his_name(jar: TestJar, iam: Any, watch: Watch) -> None:
    user(jar, "ann")
    mine = phone_of(watch, iam, "ann")
    iam.update_user(UserName="ann", NewUserName="anna")
    assert iam.list_mfa_devices(UserName="anna")["MFADevices"][0]["SerialNumber"] == mine.serial


def test_lists_tell_who_has_which(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann = user(jar, "ann", allow("iam:ListMFADevices"))
    mine, free = phone_of(watch, iam, "ann"), phone(watch, iam, "free")
    listed = {d["SerialNumber"]: d for d in iam.list_virtual_mfa_devices()["VirtualMFADevices"]}
    assert listed[mine.serial]["User"]["Arn"] == ann.arn
    assert "User" not in listed[free.serial]
    for status, serial in (("Assigned", mine.serial), ("Unassigned", free.serial)):
        found = iam.list_virtual_mfa_devices(AssignmentStatus=status)["VirtualMFADevices"]
        assert [device["SerialNumber"] for device in found] == [serial]
    assert ann.client("iam").list_mfa_devices()["MFADevices"][0]["SerialNumber"] == mine.serial


def test_the_root_user_has_a_device_of_his_own(jar: TestJar, iam: Any, watch: Watch) -> None:
    other = phone(watch, iam, "other")
    with refused("InvalidInput"):
        iam.enable_mfa_device(UserName="root", SerialNumber=other.serial, **other.two())
    phone_of(watch, iam, "root", "root-account-mfa-device")
    (shown,) = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert shown["SerialNumber"] == f"arn:aws:iam::{ACCOUNT}:mfa/root-account-mfa-device"
    assert shown["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"] == 1
    assert len(iam.list_mfa_devices()["MFADevices"]) == 1
    assert root(jar, "iam", OTHER).list_mfa_devices()["MFADevices"] == []


def test_a_clock_that_is_off_is_learned_from_two_codes(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann = user(jar, "ann")
    mine = phone_of(watch, iam, "ann")
    mine.fast = 40

    def sign_in() -> Any:
        return ann.client("sts").get_session_token(SerialNumber=mine.serial, TokenCode=mine.code())

    with refused("AccessDenied", "invalid MFA one time pass code"):
        sign_in()
    with refused("InvalidAuthenticationCode", status=403):
        iam.resync_mfa_device(
            UserName="ann", SerialNumber=mine.serial, AuthenticationCode1=mine.code(), AuthenticationCode2="000000"
        )
    iam.resync_mfa_device(UserName="ann", SerialNumber=mine.serial, **mine.two())
    watch.tick()
    assert sign_in()["Credentials"]["SessionToken"]


def test_tags_of_a_device(jar: TestJar, iam: Any, watch: Watch) -> None:
    mine = phone(watch, iam)
    iam.tag_mfa_device(SerialNumber=mine.serial, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_mfa_device(SerialNumber=mine.serial, TagKeys=["a"])
    assert iam.list_mfa_device_tags(SerialNumber=mine.serial)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_people_may_manage_their_own_device_alone(jar: TestJar, iam: Any, watch: Watch) -> None:
    own = f"arn:aws:iam::{ACCOUNT}:mfa/${{aws:username}}"
    self_service = [
        allow("iam:CreateVirtualMFADevice", on=own),
        allow("iam:EnableMFADevice", on=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"),
    ]
    ann = user(jar, "ann", *self_service)
    user(jar, "bob")
    with refused("AccessDenied", "iam:CreateVirtualMFADevice"):
        ann.client("iam").create_virtual_mfa_device(VirtualMFADeviceName="bob")
    mine = Phone(watch, ann.client("iam").create_virtual_mfa_device(VirtualMFADeviceName="ann"))
    with refused("AccessDenied", "iam:EnableMFADevice"):
        ann.client("iam").enable_mfa_device(UserName="bob", SerialNumber=mine.serial, **mine.two())
    ann.client("iam").enable_mfa_device(UserName="ann", SerialNumber=mine.serial, **mine.two())
    assert len(iam.list_mfa_devices(UserName="ann")["MFADevices"]) == 1
