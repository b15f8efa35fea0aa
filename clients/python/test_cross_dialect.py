"""One key, many dialects: what is set through one cloud is law in the other."""

import base64
import json

import pytest

from harness.huawei import Huawei, refused, token
from harness.seed import AccessKey
from harness.tencent import Tencent, fails

TEXT = "the same key"
PLAINTEXT = base64.b64encode(TEXT.encode()).decode()


def encrypt_tencent(tencent, key_id):
    return tencent.kms("Encrypt", KeyId=key_id, Plaintext=PLAINTEXT)["CiphertextBlob"]


def encrypt_huawei(huawei, key_id):
    body = {"key_id": key_id, "plain_text": TEXT}
    return huawei.kms("encrypt_data", body=body).to_json_object()["cipher_text"]


def state_tencent(tencent, key_id):
    return tencent.kms("DescribeKey", KeyId=key_id)["KeyMetadata"]["KeyState"]


def state_huawei(huawei, key_id):
    return huawei.kms("list_key_detail", body={"key_id": key_id}).to_json_object()["key_info"]["key_state"]


@pytest.fixture
def huawei_key(huawei):
    made = iter(range(1000))

    def make(**body) -> str:
        body.setdefault("key_alias", f"huawei-{next(made)}-{id(make)}")
        return huawei.kms("create_key", body=body).to_json_object()["key_info"]["key_id"]

    return make


def test_a_key_made_in_one_cloud_is_the_same_key_in_the_other(tencent, huawei, new_key, huawei_key):
    for key_id in (new_key(), huawei_key()):
        assert state_tencent(tencent, key_id) == "Enabled"
        assert state_huawei(huawei, key_id) == "2"
        encrypt_tencent(tencent, key_id)
        encrypt_huawei(huawei, key_id)


def test_the_alias_is_one_name_space(tencent, huawei, new_key):
    new_key(Alias="one-name")
    with refused(400, "KMS.1104"):
        huawei.kms("create_key", body={"key_alias": "one-name"})
    huawei.kms("create_key", body={"key_alias": "other-name"})
    with fails("InvalidParameterValue.AliasAlreadyExists"):
        tencent.kms("CreateKey", Alias="other-name")


def test_a_key_disabled_through_tencent_refuses_in_huawei(tencent, huawei, new_key):
    key_id = new_key()
    blob = encrypt_huawei(huawei, key_id)
    tencent.kms("DisableKey", KeyId=key_id)
    assert state_huawei(huawei, key_id) == "3"
    with refused(400, "KMS.0209"):
        encrypt_huawei(huawei, key_id)
    with refused(400, "KMS.0209"):
        huawei.kms("decrypt_data", body={"cipher_text": blob})
    with refused(400, "KMS.0209"):
        huawei.kms("create_datakey", body={"key_id": key_id, "datakey_length": "256"})
    huawei.kms("enable_key", body={"key_id": key_id})
    assert tencent.kms("DescribeKey", KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled"
    assert huawei.kms("decrypt_data", body={"cipher_text": blob}).to_json_object()["plain_text"] == TEXT


def test_a_key_disabled_through_huawei_refuses_in_tencent(tencent, huawei, new_key):
    key_id = new_key()
    blob = encrypt_tencent(tencent, key_id)
    huawei.kms("disable_key", body={"key_id": key_id})
    for action, parameters in [
        ("Encrypt", {"KeyId": key_id, "Plaintext": PLAINTEXT}),
        ("Decrypt", {"CiphertextBlob": blob}),
        ("GenerateDataKey", {"KeyId": key_id, "KeySpec": "AES_256"}),
    ]:
        with fails("ResourceUnavailable.CmkDisabled"):
            tencent.kms(action, **parameters)
    tencent.kms("EnableKey", KeyId=key_id)
    assert tencent.kms("Decrypt", CiphertextBlob=blob)["Plaintext"] == PLAINTEXT


def test_deletion_scheduled_in_one_is_cancelled_in_the_other(tencent, huawei, new_key):
    key_id = new_key()
    huawei.kms("delete_key", body={"key_id": key_id, "pending_days": "7"})
    assert state_tencent(tencent, key_id) == "PendingDelete"
    with fails("ResourceUnavailable.CmkStateNotSupport"):
        tencent.kms("BindCloudResource", KeyId=key_id, ProductId="p", ResourceId="r")
    tencent.kms("CancelKeyDeletion", KeyId=key_id)
    assert state_huawei(huawei, key_id) == "3"
    tencent.kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
    with refused(400, "KMS.1402"):
        huawei.kms("delete_key", body={"key_id": key_id, "pending_days": "7"})
    huawei.kms("cancel_key_deletion", body={"key_id": key_id})
    assert state_tencent(tencent, key_id) == "Disabled"


def test_a_key_bound_through_tencent_is_held_in_huawei(tencent, huawei, new_key):
    key_id = new_key()
    tencent.kms("BindCloudResource", KeyId=key_id, ProductId="p", ResourceId="r")
    with refused(400):
        huawei.kms("disable_key", body={"key_id": key_id})
    with refused(400):
        huawei.kms("delete_key", body={"key_id": key_id, "pending_days": "7"})
    assert state_huawei(huawei, key_id) == "2"
    tencent.kms("UnbindCloudResource", KeyId=key_id, ProductId="p", ResourceId="r")
    huawei.kms("disable_key", body={"key_id": key_id})


def tencent_tags(tencent, account, key_id) -> dict[str, str]:
    answer = tencent.tag(
        "DescribeResourceTagsByResourceIds",
        ServiceType="kms",
        ResourcePrefix="key",
        ResourceRegion="ap-guangzhou",
        ResourceIds=[f"creatorUin/{account.uin}/{key_id}"],
    )
    return {tag["TagKey"]: tag["TagValue"] for tag in answer["Tags"]}


def test_tags_set_through_huawei_are_read_through_tencent(tencent, huawei, account, new_key):
    key_id = new_key()
    huawei.add_tag(key_id, "DEV", "DEV1")
    assert tencent_tags(tencent, account, key_id) == {"DEV": "DEV1"}
    huawei.batch(key_id, "create", [("DEV", "DEV2"), ("环境", "生产")])
    assert tencent_tags(tencent, account, key_id) == {"DEV": "DEV2", "环境": "生产"}
    huawei.batch(key_id, "delete", [("DEV", "")])
    assert tencent_tags(tencent, account, key_id) == {"环境": "生产"}


def test_tags_set_through_tencent_are_read_through_huawei(tencent, huawei, account, new_key):
    key_id = new_key(Tags=[{"TagKey": "made", "TagValue": "here"}])
    assert huawei.tags(key_id) == {"made": "here"}
    for uin in (str(account.uin), ""):
        tencent.tag(
            "ModifyResourceTags",
            Resource=f"qcs::kms:ap-guangzhou:uin/{uin}:key/creatorUin/{account.uin}/{key_id}",
            ReplaceTags=[{"TagKey": "team", "TagValue": f"blue{uin}"}],
            DeleteTags=[{"TagKey": "made"}],
        )
        assert huawei.tags(key_id) == {"team": f"blue{uin}"}


def test_the_same_person_either_pair_either_dialect(server, account):
    for key in account.keys:
        identity = Tencent(server.host, key).sts("GetCallerIdentity")
        assert identity["AccountId"] == str(account.uin)
        domains = Huawei(server.endpoint, account, key).iam("keystone_list_auth_domains").to_json_object()
        assert [domain["id"] for domain in domains["domains"]] == [account.domain_id]


def test_a_cam_deny_also_stops_the_person_in_huawei(as_tencent, as_huawei, new_key):
    """`denied` may do everything but kms:Encrypt, kms:BindCloudResource and kms:CreateKey."""
    key_id = new_key()
    with fails("UnauthorizedOperation", "kms:Encrypt"):
        encrypt_tencent(as_tencent("denied"), key_id)
    with refused(403):
        encrypt_huawei(as_huawei("denied"), key_id)
    with refused(403):
        as_huawei("denied").kms("create_key", body={"key_alias": "never"})
    as_huawei("denied").add_tag(key_id, "k", "v")
    as_tencent("denied").kms("DescribeKey", KeyId=key_id)


def test_a_cam_allow_lets_the_person_in_huawei_do_just_that(as_tencent, as_huawei, huawei, new_key):
    key_id = new_key()
    blob = encrypt_huawei(as_huawei("encrypter"), key_id)
    encrypt_tencent(as_tencent("encrypter"), key_id)
    with refused(403):
        as_huawei("encrypter").kms("decrypt_data", body={"cipher_text": blob})
    assert huawei.kms("decrypt_data", body={"cipher_text": blob}).to_json_object()["plain_text"] == TEXT


def test_a_deny_attached_and_detached_is_felt_at_once(server, account, tencent, new_key):
    key_id = new_key()
    uin = tencent.cam("AddUser", Name="felt-at-once")["Uin"]
    pair = tencent.cam("CreateAccessKey", TargetUin=uin)["AccessKey"]
    key = AccessKey(pair["AccessKeyId"], pair["SecretAccessKey"])
    document = json.dumps(
        {"version": "2.0", "statement": [{"effect": "allow", "action": "kms:Encrypt", "resource": "*"}]}
    )
    policy_id = tencent.cam("CreatePolicy", PolicyName="felt", PolicyDocument=document)["PolicyId"]
    here, there = Tencent(server.host, key), Huawei(server.endpoint, account, key)
    for _ in range(3):
        with fails("UnauthorizedOperation"):
            encrypt_tencent(here, key_id)
        with refused(403):
            encrypt_huawei(there, key_id)
        tencent.cam("AttachUserPolicy", PolicyId=policy_id, AttachUin=uin)
        encrypt_tencent(here, key_id)
        encrypt_huawei(there, key_id)
        tencent.cam("DetachUserPolicy", PolicyId=policy_id, DetachUin=uin)


def test_a_token_follows_the_key_state_and_the_policy(server, account, tencent, new_key):
    key_id = new_key()
    by_token = Huawei(server.endpoint, account, token=token(server.endpoint, account, account.user("encrypter")))
    encrypt_huawei(by_token, key_id)
    tencent.kms("DisableKey", KeyId=key_id)
    with refused(400, "KMS.0209"):
        encrypt_huawei(by_token, key_id)


def test_a_huawei_credential_made_inactive_stops_in_tencent(server, account, huawei):
    user_id = account.user("spare").user_id
    made = huawei.iam(
        "create_permanent_access_key", body={"credential": {"user_id": user_id}}
    ).to_json_object()["credential"]
    here = Tencent(server.host, AccessKey(made["access"], made["secret"]))
    try:
        here.sts("GetCallerIdentity")
        for status, code in (("inactive", "AuthFailure.SecretIdNotFound"), ("active", None)):
            huawei.iam(
                "update_permanent_access_key",
                access_key=made["access"],
                body={"credential": {"status": status}},
            )
            if code is None:
                here.sts("GetCallerIdentity")
            else:
                with fails(code):
                    here.sts("GetCallerIdentity")
    finally:
        huawei.iam("delete_permanent_access_key", access_key=made["access"])
