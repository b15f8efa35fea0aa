"""Tencent's wire through the SDK: signatures, clock, encodings, typing, envelope and the common errors."""

import base64
import json
import re
import time
import types
import uuid

import pytest
import requests
from tencentcloud.common import abstract_client

from harness.raw import Tc3, tencent_error
from harness.seed import AccessKey
from harness.tencent import Tencent, fails

PLAINTEXT = base64.b64encode(b"a+b/c d&e=f%20").decode()
SCHEMES = ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"]
METHODS = ["GET", "POST"]
WINDOW_SECONDS = 300
REQUEST_ID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


@pytest.fixture(scope="module")
def key_id(new_key):
    return new_key()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sign", SCHEMES)
class TestSchemes:
    """Every signature by every method."""

    def test_round_trip(self, server, account, key_id, sign, method):
        tencent = Tencent(server.host, account.key, sign=sign, method=method)
        blob = tencent.kms("Encrypt", KeyId=key_id, Plaintext=PLAINTEXT, EncryptionContext='{"a":"b c"}')
        answer = tencent.kms(
            "Decrypt", CiphertextBlob=blob["CiphertextBlob"], EncryptionContext='{"a":"b c"}'
        )
        assert (answer["Plaintext"], answer["KeyId"]) == (PLAINTEXT, key_id)

    def test_nested_parameters(self, server, account, sign, method):
        tencent = Tencent(server.host, account.key, sign=sign, method=method)
        tags = [{"TagKey": f"键 {i}", "TagValue": "v+/="[:2] + str(i)} for i in range(3)]
        made = tencent.kms("CreateKey", Alias=f"wire-{SCHEMES.index(sign)}-{method}", Tags=tags)
        assert (made["TagCode"], made["KeyState"]) == (0, "Enabled")
        keys = tencent.kms("DescribeKeys", KeyIds=[made["KeyId"]])["KeyMetadatas"]
        assert [key["KeyId"] for key in keys] == [made["KeyId"]]

    def test_no_parameters(self, server, account, sign, method):
        tencent = Tencent(server.host, account.key, sign=sign, method=method)
        assert tencent.sts("GetCallerIdentity")["AccountId"] == str(account.uin)

    def test_integers(self, server, account, sign, method):
        tencent = Tencent(server.host, account.key, sign=sign, method=method)
        assert tencent.kms("ListKeys", Offset=0, Limit=5)["Keys"]

    def test_wrong_secret(self, server, account, sign, method):
        wrong = AccessKey(account.key.id, "0" * 32)
        with fails("AuthFailure.SignatureFailure"):
            Tencent(server.host, wrong, sign=sign, method=method).kms("ListKeys")

    def test_unknown_secret_id(self, server, account, sign, method):
        unknown = AccessKey("AKID" + "0" * 32, account.key.secret)
        with fails("AuthFailure.SecretIdNotFound"):
            Tencent(server.host, unknown, sign=sign, method=method).kms("ListKeys")

    def test_token_with_a_permanent_key(self, server, account, sign, method):
        with fails("AuthFailure.TokenFailure"):
            Tencent(server.host, account.key, sign=sign, method=method, token="unknown").kms("ListKeys")

    @pytest.mark.parametrize("offset", [-WINDOW_SECONDS - 30, WINDOW_SECONDS + 30])
    def test_clock_past_the_window(self, server, account, monkeypatch, sign, method, offset):
        clock = types.SimpleNamespace(time=lambda: time.time() + offset)
        monkeypatch.setattr(abstract_client, "time", clock)
        with fails("AuthFailure.SignatureExpire"):
            Tencent(server.host, account.key, sign=sign, method=method).kms("ListKeys")

    @pytest.mark.parametrize("offset", [-WINDOW_SECONDS + 30, WINDOW_SECONDS - 30])
    def test_clock_within_the_window(self, server, account, monkeypatch, sign, method, offset):
        clock = types.SimpleNamespace(time=lambda: time.time() + offset)
        monkeypatch.setattr(abstract_client, "time", clock)
        Tencent(server.host, account.key, sign=sign, method=method).kms("ListKeys")

    def test_unknown_action(self, server, account, sign, method):
        tencent = Tencent(server.host, account.key, sign=sign, method=method)
        text = "The request action=`Frobnicate` is invalid or not found in service=`kms` and version=`2019-01-18`."
        with fails("InvalidAction", text):
            tencent.call_untyped("kms", "Frobnicate", {})

    def test_unknown_version(self, server, account, sign, method):
        tencent = Tencent(server.host, account.key, sign=sign, method=method)
        with fails("InvalidAction"):
            tencent.call_untyped("kms", "ListKeys", {}, version="2001-01-01")

    def test_missing_parameter(self, server, account, sign, method):
        tencent = Tencent(server.host, account.key, sign=sign, method=method)
        with fails("MissingParameter", "The request is missing a required parameter `KeyId`."):
            tencent.call_untyped("kms", "DescribeKey", {})

    def test_unknown_parameter(self, server, account, key_id, sign, method):
        tencent = Tencent(server.host, account.key, sign=sign, method=method)
        with fails("UnknownParameter", "The parameter `PkgType` is not recognized."):
            tencent.call_untyped("kms", "DescribeKey", {"KeyId": key_id, "PkgType": "x"})


@pytest.mark.parametrize("method", METHODS)
def test_unsigned_payload(server, account, key_id, method):
    tencent = Tencent(server.host, account.key, method=method, unsigned_payload=True)
    assert tencent.kms("Encrypt", KeyId=key_id, Plaintext=PLAINTEXT)["KeyId"] == key_id
    wrong = AccessKey(account.key.id, "0" * 32)
    with fails("AuthFailure.SignatureFailure"):
        Tencent(server.host, wrong, method=method, unsigned_payload=True).kms("ListKeys")


def test_endpoint_with_a_scheme_lands_in_the_host_header(server, account):
    """What tccli does, and the SDK when told an endpoint that way."""
    assert Tencent(f"http://{server.host}", account.key).sts("GetCallerIdentity")["Type"] == "CAMUser"


@pytest.mark.parametrize("region", ["ap-guangzhou", "ap-singapore", "", None])
def test_any_region_by_default(server, account, region):
    Tencent(server.host, account.key, region=region).kms("ListKeys")


class TestTyping:
    """JSON is strict; decimal strings are integers; null is absent."""

    @pytest.mark.parametrize(
        ("action", "parameters", "message"),
        [
            ("DescribeKey", {"KeyId": 5}, "The value type of parameter `KeyId` is not valid, input type should be `string`"),
            ("DescribeKey", {"KeyId": True}, "The value type of parameter `KeyId` is not valid"),
            ("DescribeKey", {"KeyId": ["x"]}, "The value type of parameter `KeyId` is not valid"),
            ("DescribeKey", {"KeyId": {"a": 1}}, "The value type of parameter `KeyId` is not valid"),
            ("ListKeys", {"Offset": -1}, "The value type of parameter `Offset` is not valid."),
            ("ListKeys", {"Limit": "ten"}, "The value type of parameter `Limit` is not valid"),
            ("ListKeys", {"Limit": 1.5}, "The value type of parameter `Limit` is not valid"),
            ("DescribeKeys", {"KeyIds": "x"}, "The value type of parameter `KeyIds` is not valid"),
            ("DescribeKeys", {"KeyIds": [1]}, "The value type of parameter `KeyIds.0` is not valid"),
            ("CreateKey", {"Alias": "t", "Tags": [{"TagKey": 1}]}, "parameter `Tags.0.TagKey`"),
        ],
    )
    def test_refused(self, tencent, action, parameters, message):
        with fails("InvalidParameter", message):
            tencent.call_untyped("kms", action, parameters)

    @pytest.mark.parametrize("parameters", [{"Offset": "0", "Limit": "7"}, {"Limit": None}, {"Offset": 0, "Limit": 200}])
    def test_accepted(self, tencent, parameters):
        assert "Keys" in tencent.call_untyped("kms", "ListKeys", parameters)

    def test_nested_missing_and_unknown(self, tencent):
        with fails("MissingParameter", "`Tags.0.TagKey`"):
            tencent.call_untyped("kms", "CreateKey", {"Alias": "t", "Tags": [{"TagValue": "v"}]})
        with fails("UnknownParameter"):
            tags = [{"TagKey": "k", "TagValue": "v", "Colour": "red"}]
            tencent.call_untyped("kms", "CreateKey", {"Alias": "t", "Tags": tags})


class TestEnvelope:
    """HTTP 200 and exactly application/json, whatever happens; a fresh v4 request id each time."""

    def test_success(self, server, account):
        answer = Tc3(account.key, "ListKeys").send(server.endpoint)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        assert set(answer.json()) == {"Response"}
        assert REQUEST_ID.match(answer.json()["Response"]["RequestId"])

    def test_request_ids_differ(self, server, account):
        ids = {Tc3(account.key, "ListKeys").send(server.endpoint).json()["Response"]["RequestId"] for _ in range(20)}
        assert len(ids) == 20 and all(uuid.UUID(text).version == 4 for text in ids)

    def test_two_identical_requests_in_one_second_both_work(self, server, account):
        now = int(time.time())
        for _ in range(2):
            answer = Tc3(account.key, "ListKeys", timestamp=now).send(server.endpoint)
            assert "Error" not in answer.json()["Response"]

    @pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/json;charset=UTF-8"])
    def test_content_type_with_charset(self, server, account, content_type):
        """What the Java SDK sends."""
        answer = Tc3(account.key, "ListKeys", content_type=content_type).send(server.endpoint)
        assert "Keys" in answer.json()["Response"]

    @pytest.mark.parametrize(
        ("change", "codes"),
        [
            ({"body": b"{"}, ["InvalidParameter", "InvalidRequest"]),
            ({"body": b"[]"}, ["InvalidParameter", "InvalidRequest"]),
            ({"body": b"\xff\xfe"}, ["InvalidParameter", "InvalidRequest"]),
            ({"action": "DescribeKey", "body": b""}, ["MissingParameter"]),
            ({"content_type": "multipart/form-data; boundary=x"}, ["InvalidRequest", "InvalidParameter"]),
            ({"headers": {"X-TC-Action": None}}, ["MissingParameter", "InvalidAction", "InvalidParameter"]),
            ({"headers": {"X-TC-Version": None}}, ["MissingParameter", "NoSuchVersion", "InvalidParameter"]),
            ({"headers": {"X-TC-Timestamp": None}}, ["MissingParameter", "AuthFailure.SignatureExpire", "InvalidParameter"]),
            ({"headers": {"X-TC-Timestamp": "soon"}}, ["AuthFailure.SignatureExpire", "InvalidParameter", "InvalidParameterValue"]),
            ({"headers": {"Authorization": "TC3-HMAC-SHA256 nonsense"}}, ["AuthFailure.InvalidAuthorization"]),
            ({"headers": {"Authorization": "TC3-HMAC-SHA256 Credential=a, Signature="}}, ["AuthFailure.InvalidAuthorization"]),
            ({"headers": {"Authorization": "SKIP"}}, ["AuthFailure.InvalidAuthorization", "AuthFailure.SignatureFailure"]),
            ({"headers": {"X-TC-Token": "x"}}, ["AuthFailure.TokenFailure"]),
            ({"version": "2019-01-19"}, ["InvalidAction", "NoSuchVersion"]),
            ({"service": "cvm"}, ["AuthFailure.SignatureFailure", "NoSuchProduct"]),
            ({"action": "listKeys"}, ["InvalidAction"]),
        ],
    )
    def test_refusals(self, server, account, change, codes):
        request = Tc3(**({"key": account.key, "action": "ListKeys"} | change))
        assert tencent_error(request.send(server.endpoint)) in codes

    def test_an_empty_body_is_an_empty_object(self, server, account):
        assert "Keys" in Tc3(account.key, "ListKeys", body=b"").send(server.endpoint).json()["Response"]

    def test_body_changed_after_signing(self, server, account, monkeypatch):
        request = Tc3(account.key, "ListKeys", body=b'{"Limit":1}')
        send = requests.request

        def tampered(method, url, **options):
            return send(method, url, **(options | {"data": b'{"Limit":2}'}))

        monkeypatch.setattr(requests, "request", tampered)
        assert tencent_error(request.send(server.endpoint)) == "AuthFailure.SignatureFailure"

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    def test_other_methods(self, server, account, method):
        answer = Tc3(account.key, "ListKeys").send(server.endpoint, method)
        assert tencent_error(answer) == "UnsupportedProtocol"

    def test_oversized_body(self, server, account):
        body = json.dumps({"Alias": "x" * (11 << 20)}).encode()
        try:
            answer = Tc3(account.key, "CreateKey", body=body).send(server.endpoint)
        except requests.ConnectionError:
            return  # closed while we were still writing: also a refusal
        assert tencent_error(answer) == "RequestSizeLimitExceeded"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "The SecretId is not found, please ensure that your SecretId is correct."),
        ("zh-CN", "SecretId"),
    ],
)
def test_language_of_messages(server, account, language, text):
    unknown = AccessKey("AKID" + "0" * 32, "x")
    with fails("AuthFailure.SecretIdNotFound", text) as caught:
        Tencent(server.host, unknown, language=language).kms("ListKeys")
    assert caught.value.get_message().isascii() is (language == "en-US")
