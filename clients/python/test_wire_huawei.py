"""Huawei's wire through the SDK: signatures, tokens, clock, special characters, and which refusal is a 401 and which a 403."""

import json
from datetime import datetime, timedelta

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer import signer
from huaweicloudsdkkms.v2 import KmsClient, ListKeysRequest, ListKeysRequestBody, ShowVersionsRequest

from harness.huawei import Huawei, issue_token, nested_error, refused, token
from harness.seed import AccessKey

WINDOW = timedelta(minutes=15)
MARGIN = timedelta(seconds=30)


def list_keys(client):
    return client.list_keys(ListKeysRequest(body=ListKeysRequestBody(limit="10")))


def skewed(offset: timedelta):
    """A stand-in for the signer's clock."""

    class Skewed(datetime):
        @classmethod
        def utcnow(cls):
            return datetime.utcnow() + offset

    return Skewed


def derived(endpoint: str, account, key, region: str = "cn-north-4"):
    """A client that signs with V11-HMAC-SHA256."""
    credentials = BasicCredentials(key.id, key.secret, account.project_id).with_derived_predicate(lambda _: True)
    credentials._process_derived_auth_params("kms", region)
    return KmsClient.new_builder().with_credentials(credentials).with_endpoints([endpoint]).build()


class TestSignature:
    @pytest.mark.parametrize("shape", [0, 1])
    def test_sdk_hmac_with_either_shape_of_pair(self, server, account, shape):
        assert list_keys(Huawei(server.endpoint, account, account.keys[shape]).client("kms")).status_code == 200

    @pytest.mark.parametrize("shape", [0, 1])
    @pytest.mark.parametrize("region", ["cn-north-4", "local-1"])
    def test_v11_derived(self, server, account, shape, region):
        assert list_keys(derived(server.endpoint, account, account.keys[shape], region)).status_code == 200

    @pytest.mark.parametrize("make", [lambda e, a, k: Huawei(e, a, k).client("kms"), derived])
    def test_wrong_secret(self, server, account, make):
        with refused(401, "APIGW.0301"):
            list_keys(make(server.endpoint, account, AccessKey(account.key.id, "wrong" * 8)))

    @pytest.mark.parametrize("make", [lambda e, a, k: Huawei(e, a, k).client("kms"), derived])
    def test_unknown_access_key(self, server, account, make):
        with refused(401, "APIGW.0301"):
            list_keys(make(server.endpoint, account, AccessKey("UNKNOWNUNKNOWN000000", "x" * 40)))

    @pytest.mark.parametrize("sign", [1, -1])
    def test_clock_past_the_window(self, server, account, monkeypatch, sign):
        monkeypatch.setattr(signer, "datetime", skewed(sign * (WINDOW + MARGIN)))
        with refused(401, "APIGW.0301"):
            list_keys(Huawei(server.endpoint, account).client("kms"))
        with refused(401, "APIGW.0301"):
            list_keys(derived(server.endpoint, account, account.key))

    @pytest.mark.parametrize("sign", [1, -1])
    def test_clock_within_the_window(self, server, account, monkeypatch, sign):
        monkeypatch.setattr(signer, "datetime", skewed(sign * (WINDOW - MARGIN)))
        list_keys(Huawei(server.endpoint, account).client("kms"))
        list_keys(derived(server.endpoint, account, account.key))

    def test_unknown_security_token(self, server, account):
        credentials = Huawei(server.endpoint, account).credentials().with_security_token("unknown")
        client = KmsClient.new_builder().with_credentials(credentials).with_endpoints([server.endpoint]).build()
        with refused(401, "APIGW.0301"):
            list_keys(client)

    def test_project_looked_up_by_region(self, server, account):
        """No project id given: the SDK asks IAM for the project that is named like the region."""
        name = Huawei(server.endpoint, account).iam("keystone_list_auth_projects").to_json_object()
        region = name["projects"][0]["name"]
        credentials = BasicCredentials(account.key.id, account.key.secret).with_iam_endpoint(server.endpoint)
        client = (
            KmsClient.new_builder()
            .with_credentials(credentials)
            .with_region(Region(region, server.endpoint))
            .build()
        )
        assert credentials.project_id == account.project_id
        assert list_keys(client).status_code == 200

    def test_tampered_body(self, server, account, new_key):
        request = signed(server, account, "POST", f"/v1.0/{account.project_id}/kms/list-keys", b'{"limit":"10"}')
        answer = requests.post(request[0], data=b'{"limit":"11"}', headers=request[1], timeout=30)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "APIGW.0301")

    def test_unsigned_payload_is_refused_for_json(self, server, account):
        path = f"/v1.0/{account.project_id}/kms/list-keys"
        url, headers = signed(
            server, account, "POST", path, b'{"limit":"10"}', {"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}
        )
        answer = requests.post(url, data=b'{"limit":"10"}', headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "APIGW.0301")

    def test_get_with_a_signed_body(self, server, account, new_key):
        """What the Node SDK does."""
        path = f"/v1.0/{account.project_id}/kms/{new_key()}/tags"
        url, headers = signed(server, account, "GET", path, b"{}")
        answer = requests.get(url, data=b"{}", headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["tags"]) == (200, [])

    def test_project_header_that_contradicts_the_path(self, server, account, foreign):
        path = f"/v1.0/{account.project_id}/kms/list-keys"
        url, headers = signed(server, account, "POST", path, b"{}", {"X-Project-Id": foreign.project_id})
        assert requests.post(url, data=b"{}", headers=headers, timeout=30).status_code == 403


def signed(server, account, method: str, path: str, body: bytes, extra: dict | None = None):
    """The SDK's own signer over a request of ours; (url, headers)."""
    request = SdkRequest(
        method=method,
        schema="http",
        host=server.host,
        resource_path=path,
        query_params=[],
        header_params={"Content-Type": "application/json"} | (extra or {}),
        body=body.decode(),
        stream=False,
        signing_algorithm=None,
    )
    signer.Signer(BasicCredentials(account.key.id, account.key.secret)).sign(request)
    return server.endpoint + path, request.header_params


class TestPaths:
    """Tag keys put every awkward character into a path."""

    KEYS = ["plain", "a b", "a/b", "/", "a//b", "a+b", "100%", "%20", "%2F", "环境", "\U0001f511", "a?b", "a#b", "a&b", "~-_.", "'\"", "action"]

    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize("make", [lambda e, a: Huawei(e, a).client("kms"), lambda e, a: derived(e, a, a.key)])
    def test_delete_by_signed_path(self, server, account, huawei, new_key, key, make):
        key_id = new_key()
        huawei.add_tag(key_id, key, "v")
        huawei.call("kms", "delete_tag", client=make(server.endpoint, account), key_id=key_id, key=key)
        assert huawei.tags(key_id) == {}


class TestToken:
    """X-Auth-Token from each way of logging in."""

    def test_password(self, server, account, new_key):
        by_token = Huawei(server.endpoint, account, token=token(server.endpoint, account))
        by_token.add_tag(new_key(), "k", "v")

    def test_of_a_token(self, server, account):
        first = token(server.endpoint, account)
        answer = issue_token(
            server.endpoint,
            {"methods": ["token"], "token": {"id": first}},
            {"project": {"id": account.project_id}},
        )
        assert answer.status_code == 201
        second = Huawei(server.endpoint, account, token=answer.headers["X-Subject-Token"])
        assert list_keys(second.client("kms")).status_code == 200

    @pytest.mark.parametrize("shape", [0, 1])
    def test_of_an_access_key(self, server, account, shape):
        key = account.keys[shape]
        identity = {"methods": ["hw_ak_sk"], "hw_ak_sk": {"access": {"key": key.id}, "secret": {"key": key.secret}}}
        answer = issue_token(server.endpoint, identity, {"project": {"id": account.project_id}})
        assert answer.status_code == 201
        by_token = Huawei(server.endpoint, account, token=answer.headers["X-Subject-Token"])
        assert list_keys(by_token.client("kms")).status_code == 200

    def test_deleted_token(self, server, account):
        own = token(server.endpoint, account)
        headers = {"X-Auth-Token": own, "X-Subject-Token": own}
        assert requests.delete(f"{server.endpoint}/v3/auth/tokens", headers=headers, timeout=30).status_code == 204
        with refused(403, "KMS.0302"):
            list_keys(Huawei(server.endpoint, account, token=own).client("kms"))

    def test_one_changed_character(self, server, account):
        own = token(server.endpoint, account)
        for position in (10, len(own) // 2, len(own) - 10):
            other = "A" if own[position] != "A" else "B"
            changed = own[:position] + other + own[position + 1 :]
            with refused(403, "KMS.0302"):
                list_keys(Huawei(server.endpoint, account, token=changed).client("kms"))


class TestRefusals:
    """401 flat from the gateway for signatures, 403 nested from the service for tokens."""

    @pytest.fixture
    def list_url(self, server, account):
        return f"{server.endpoint}/v1.0/{account.project_id}/kms/list-keys"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Authorization": "SDK-HMAC-SHA256 nonsense"},
            {"Authorization": "SDK-HMAC-SHA256 nonsense", "X-Auth-Token": "garbage"},
            {"Authorization": "SDK-HMAC-SHA256 Access=a, SignedHeaders=x-sdk-date, Signature="},
            {"Authorization": "Basic YTpi"},
            {"Authorization": "V11-HMAC-SHA256 Credential=a/20200101/x/kms, SignedHeaders=x-sdk-date, Signature=00"},
        ],
    )
    def test_gateway(self, list_url, headers):
        answer = requests.post(list_url, json={}, headers=headers, timeout=30)
        assert answer.status_code == 401
        body = json.loads(answer.text)
        assert body["error_code"] == "APIGW.0301" and body["error_msg"] and body["request_id"]
        assert answer.headers["Content-Type"].startswith("application/json")

    @pytest.mark.parametrize(
        ("headers", "code"),
        [({}, "KMS.0301"), ({"X-Auth-Token": ""}, "KMS.0302"), ({"X-Auth-Token": "garbage"}, "KMS.0302")],
    )
    def test_token(self, list_url, headers, code):
        answer = requests.post(list_url, json={}, headers=headers, timeout=30)
        assert (answer.status_code, nested_error(answer)) == (403, code)
        assert answer.headers["Content-Type"].startswith("application/json")

    def test_signed_header_that_is_not_sent(self, server, account):
        url, headers = signed(server, account, "POST", f"/v1.0/{account.project_id}/kms/list-keys", b"{}")
        headers["Authorization"] = headers["Authorization"].replace("SignedHeaders=", "SignedHeaders=absent;")
        assert requests.post(url, data=b"{}", headers=headers, timeout=30).status_code == 401

    def test_project_of_another_account(self, list_url, server, foreign):
        answer = requests.post(list_url, json={}, headers={"X-Auth-Token": token(server.endpoint, foreign)}, timeout=30)
        assert answer.status_code == 403 and nested_error(answer) in ("KMS.0302", "KMS.0321")

    def test_domain_scoped_token_on_a_project(self, list_url, server, account):
        scoped = token(server.endpoint, account, scope={"domain": {"id": account.domain_id}})
        answer = requests.post(list_url, json={}, headers={"X-Auth-Token": scoped}, timeout=30)
        assert answer.status_code == 403 and nested_error(answer).startswith("KMS.03")

    def test_without_permission(self, list_url, server, account):
        plain = token(server.endpoint, account, account.user("alice"))
        answer = requests.post(list_url, json={}, headers={"X-Auth-Token": plain}, timeout=30)
        assert answer.status_code == 403 and nested_error(answer).startswith("KMS.03")

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
    @pytest.mark.parametrize("path", ["/v1.0/{p}/kms/frobnicate", "/v1.0/{p}/nothing", "/v9/{p}/kms/list-keys", "/nothing"])
    def test_unknown_route(self, server, account, method, path):
        answer = requests.request(
            method,
            server.endpoint + path.format(p=account.project_id),
            json={},
            headers={"X-Auth-Token": token(server.endpoint, account)},
            timeout=30,
        )
        assert (answer.status_code, answer.json()["error_code"]) == (404, "APIGW.0101")

    def test_wrong_method(self, list_url, server, account):
        answer = requests.put(list_url, json={}, headers={"X-Auth-Token": token(server.endpoint, account)}, timeout=30)
        assert (answer.status_code, nested_error(answer)) == (405, "KMS.0215")

    def test_oversized_body(self, list_url, server, account):
        headers = {"X-Auth-Token": token(server.endpoint, account), "Content-Type": "application/json"}
        body = json.dumps({"limit": "1", "junk": "x" * (11 << 20)}).encode()
        try:
            answer = requests.post(list_url, data=body, headers=headers, timeout=30)
        except requests.ConnectionError:
            return  # closed while we were still writing: also a refusal
        assert answer.status_code in (400, 413)


class TestVersions:
    def test_list_needs_no_credentials(self, server):
        answer = requests.get(server.endpoint + "/", timeout=30)
        (version,) = answer.json()["versions"]
        assert (answer.status_code, version["id"], version["status"]) == (200, "v1.0", "CURRENT")

    def test_through_the_sdk(self, huawei):
        (version,) = huawei.client("kms").show_versions(ShowVersionsRequest()).versions
        assert version.id == "v1.0"
        shown = huawei.kms("show_version", version_id="v1.0").to_json_object()
        assert shown["version"]["id"] == "v1.0"


def test_every_answer_names_itself(server, account):
    answers = [
        requests.get(server.endpoint + "/v1.0", timeout=30),
        requests.post(f"{server.endpoint}/v1.0/{account.project_id}/kms/list-keys", json={}, timeout=30),
        requests.post(f"{server.endpoint}/v3/auth/tokens", json={}, timeout=30),
    ]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(ids)) == 3 and all(len(text) == 32 and int(text, 16) >= 0 for text in ids)
