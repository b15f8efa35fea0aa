"""Tencent's command line, which puts `http://` into the Host header and reads answers through its own schema."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TCCLI = Path(sys.executable).parent / "tccli"
UNKNOWN_KEY = "23e80852-1e38-11e9-b129-5cb9019b4b01"


@pytest.fixture(scope="module")
def tccli(server, account, tmp_path_factory):
    """Runs it as the root user; (exit code, answer or None, everything it said)."""
    home = tmp_path_factory.mktemp("home")

    def command(service: str, action: str, *arguments: str, key=None):
        key = key or account.key
        environment = os.environ | {
            "HOME": str(home),
            "TENCENTCLOUD_SECRET_ID": key.id,
            "TENCENTCLOUD_SECRET_KEY": key.secret,
            "TENCENTCLOUD_REGION": "ap-guangzhou",
        }
        done = subprocess.run(
            [str(TCCLI), service, action, "--endpoint", server.endpoint, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
            check=False,
        )
        said = done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout) if done.returncode == 0 else None, said

    return command


def succeeds(outcome) -> dict:
    code, answer, said = outcome
    assert code == 0, said
    assert answer["RequestId"]
    return answer


def refuses(outcome, error: str) -> None:
    code, _, said = outcome
    assert code != 0 and error in said, said


def test_create_describe_encrypt_decrypt(tccli):
    made = succeeds(tccli("kms", "CreateKey", "--Alias", "from-tccli", "--Description", "a b c"))
    seen = succeeds(tccli("kms", "DescribeKey", "--KeyId", made["KeyId"]))["KeyMetadata"]
    assert (seen["Alias"], seen["Description"], seen["KeyState"]) == ("from-tccli", "a b c", "Enabled")
    plaintext = base64.b64encode(b"tccli").decode()
    blob = succeeds(tccli("kms", "Encrypt", "--KeyId", made["KeyId"], "--Plaintext", plaintext))["CiphertextBlob"]
    assert succeeds(tccli("kms", "Decrypt", "--CiphertextBlob", blob))["Plaintext"] == plaintext


def test_bind_and_unbind(tccli, new_key):
    arguments = ["--KeyId", new_key(), "--ProductId", "ssm", "--ResourceId", "resourceId"]
    for _ in range(2):
        assert set(succeeds(tccli("kms", "BindCloudResource", *arguments))) == {"RequestId"}
    refuses(tccli("kms", "DisableKey", *arguments[:2]), "FailedOperation.CmkUsedByCloudProduct")
    succeeds(tccli("kms", "UnbindCloudResource", *arguments))
    refuses(tccli("kms", "UnbindCloudResource", *arguments), "ResourceUnavailable.CloudResourceBindingNotFound")


@pytest.mark.parametrize(
    ("key_id", "error"),
    [("x", "InvalidParameterValue.InvalidKeyId"), (UNKNOWN_KEY, "ResourceUnavailable.CmkNotFound")],
)
def test_bind_refused(tccli, key_id, error):
    refuses(tccli("kms", "BindCloudResource", "--KeyId", key_id, "--ProductId", "p", "--ResourceId", "r"), error)


def test_update_access_key(tccli, account, tencent):
    uin = str(account.user("spare").uin)
    key = succeeds(tccli("cam", "CreateAccessKey", "--TargetUin", uin))["AccessKey"]
    for status in ("Inactive", "Active"):
        arguments = ["--AccessKeyId", key["AccessKeyId"], "--Status", status, "--TargetUin", uin]
        assert set(succeeds(tccli("cam", "UpdateAccessKey", *arguments))) == {"RequestId"}
        listed = succeeds(tccli("cam", "ListAccessKeys", "--TargetUin", uin))["AccessKeys"]
        assert {entry["AccessKeyId"]: entry["Status"] for entry in listed}[key["AccessKeyId"]] == status
    arguments[3] = "active"
    refuses(tccli("cam", "UpdateAccessKey", *arguments), "InvalidParameter.ParamError")
    succeeds(tccli("cam", "DeleteAccessKey", "--AccessKeyId", key["AccessKeyId"], "--TargetUin", uin))
    refuses(tccli("cam", "UpdateAccessKey", *arguments[:3], "Active", *arguments[4:]), "ResourceNotFound.SecretNotExist")


def test_caller_identity(tccli, account):
    assert succeeds(tccli("sts", "GetCallerIdentity"))["AccountId"] == str(account.uin)


def test_tag_service(tccli, account, new_key):
    key_id = new_key()
    resource = f"qcs::kms:ap-guangzhou:uin/:key/creatorUin/{account.uin}/{key_id}"
    tags = json.dumps([{"TagKey": "team", "TagValue": "blue"}])
    succeeds(tccli("tag", "ModifyResourceTags", "--Resource", resource, "--ReplaceTags", tags))
    answer = succeeds(
        tccli(
            "tag",
            "DescribeResourceTagsByResourceIds",
            *("--ServiceType", "kms", "--ResourcePrefix", "key", "--ResourceRegion", "ap-guangzhou"),
            *("--ResourceIds", json.dumps([f"creatorUin/{account.uin}/{key_id}"])),
        )
    )
    assert [(tag["TagKey"], tag["TagValue"]) for tag in answer["Tags"]] == [("team", "blue")]


def test_wrong_secret(tccli, account):
    wrong = type(account.key)(account.key.id, "0" * 32)
    refuses(tccli("kms", "ListKeys", key=wrong), "AuthFailure.SignatureFailure")
