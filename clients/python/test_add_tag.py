"""Huawei KMS, add one CMK tag: 204 without a body, every limit, and the documented 400, 403 and 404."""

import json
import uuid

import pytest
import requests
from huaweicloudsdkkms.v2 import CreateKmsTagRequest, CreateKmsTagRequestBody, TagItem

from harness.faults import REFUSE, UNKNOWN
from harness.huawei import Huawei, nested_error, refused, token

UNKNOWN_KEY = "0d0466b0-e727-4d9c-b35d-f84bb474a37f"
KEY_LIMIT = 36
VALUE_LIMIT = 43
TAGS_PER_KEY = 10
ASTRAL = "\U0001f511"
FORBIDDEN = ["\x00", "\x01", "\t", "\n", "\x1f", "*", "<", ">", "\\", "="]


def test_typed_request_of_the_example(huawei, new_key):
    key_id = new_key()
    body = CreateKmsTagRequestBody(tag=TagItem(key="DEV", value="DEV1"), sequence=str(uuid.uuid4()))
    answer = huawei.client("kms").create_kms_tag(CreateKmsTagRequest(key_id=key_id, body=body))
    assert (answer.status_code, answer.raw_content or b"") == (204, b"")
    assert huawei.tags(key_id) == {"DEV": "DEV1"}


def test_no_content_still_carries_a_type_and_a_request_id(server, account, new_key):
    answer = requests.post(
        f"{server.endpoint}/v1.0/{account.project_id}/kms/{new_key()}/tags",
        json={"tag": {"key": "DEV", "value": "DEV1"}},
        headers={"X-Auth-Token": token(server.endpoint, account)},
        timeout=30,
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert len(answer.headers["X-Request-Id"]) == 32 and int(answer.headers["X-Request-Id"], 16) >= 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("k", ""),
        ("k" * KEY_LIMIT, "v" * VALUE_LIMIT),
        (ASTRAL * KEY_LIMIT, ASTRAL * VALUE_LIMIT),
        ("环 境/x", "生 产+100%"),
        (" padded ", " padded "),
        ("a/b", "c?d&e#f"),
    ],
)
def test_accepted_and_read_back_verbatim(huawei, new_key, key, value):
    key_id = new_key()
    assert huawei.add_tag(key_id, key, value).status_code == 204
    assert huawei.tags(key_id) == {key: value}


def test_absent_value_is_the_empty_value(huawei, new_key):
    key_id = new_key()
    huawei.kms("create_kms_tag", key_id=key_id, body={"tag": {"key": "k"}})
    assert huawei.tags(key_id) == {"k": ""}


def test_existing_key_is_overwritten(huawei, new_key):
    key_id = new_key()
    huawei.add_tag(key_id, "k", "old")
    assert huawei.add_tag(key_id, "k", "new").status_code == 204
    assert huawei.tags(key_id) == {"k": "new"}


@pytest.mark.parametrize("state", ["Disabled", "PendingDelete", "PendingImport"])
def test_allowed_in_every_state(huawei, key_in_state, state):
    assert huawei.add_tag(key_in_state(state), "k", "v").status_code == 204


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "KMS.0204"),
        ({"tag": None}, "KMS.0204"),
        ({"tag": {}}, "KMS.0204"),
        ({"tag": {"value": "v"}}, "KMS.0204"),
        ({"tag": {"key": "", "value": "v"}}, "KMS.0411"),
        ({"tag": {"key": "k" * (KEY_LIMIT + 1), "value": "v"}}, "KMS.0411"),
        ({"tag": {"key": ASTRAL * (KEY_LIMIT + 1), "value": "v"}}, "KMS.0411"),
        ({"tag": {"key": "k", "value": "v" * (VALUE_LIMIT + 1)}}, "KMS.0410"),
        ({"tag": {"key": "k", "value": ASTRAL * (VALUE_LIMIT + 1)}}, "KMS.0410"),
        ({"tag": {"key": "k", "value": "v"}, "sequence": "short"}, "KMS.0206"),
        *[({"tag": {"key": f"a{c}b", "value": "v"}}, "KMS.0406") for c in FORBIDDEN],
        *[({"tag": {"key": "k", "value": f"a{c}b"}}, "KMS.0405") for c in FORBIDDEN],
    ],
)
def test_bad_request_changes_nothing(huawei, new_key, body, code):
    key_id = new_key()
    with refused(400, code):
        huawei.kms("create_kms_tag", key_id=key_id, body=body)
    assert huawei.tags(key_id) == {}


def test_blank_key_is_refused(huawei, new_key):
    with refused(400):
        huawei.add_tag(new_key(), "   ", "v")


def test_the_eleventh_tag(huawei, new_key):
    key_id = new_key()
    for number in range(TAGS_PER_KEY):
        huawei.add_tag(key_id, f"k{number}", "v")
    with refused(400, "KMS.0409"):
        huawei.add_tag(key_id, "one-more", "v")
    huawei.add_tag(key_id, "k0", "overwritten at the limit")
    assert len(huawei.tags(key_id)) == TAGS_PER_KEY


@pytest.mark.parametrize("key_id", ["x", UNKNOWN_KEY[:-1], UNKNOWN_KEY + "0", UNKNOWN_KEY.upper()])
def test_malformed_key_id(huawei, key_id):
    with refused(400, "KMS.0205"):
        huawei.add_tag(key_id, "k", "v")


def test_unknown_key(huawei):
    with refused(404, "KMS.0207"):
        huawei.add_tag(UNKNOWN_KEY, "k", "v")


def test_key_of_another_account_is_unknown(server, foreign, new_key):
    with refused(404, "KMS.0207"):
        Huawei(server.endpoint, foreign).add_tag(new_key(), "k", "v")


def test_foreign_project_is_forbidden(server, account, foreign, new_key):
    with refused(403):
        huawei = Huawei(server.endpoint, account)
        huawei.call(
            "kms",
            "create_kms_tag",
            client=huawei.client("kms", project_id=foreign.project_id),
            key_id=new_key(),
            body={"tag": {"key": "k", "value": "v"}},
        )


def test_forbidden_without_permission(as_huawei, huawei, new_key):
    key_id = new_key()
    with refused(403) as caught:
        as_huawei("alice").add_tag(key_id, "k", "v")
    assert caught.value.error_code == "KMS.0306"
    assert huawei.tags(key_id) == {}
    as_huawei("admin").add_tag(key_id, "k", "v")


class TestRawRequests:
    """What the SDK cannot send."""

    @pytest.fixture
    def post(self, server, account, new_key):
        url = f"{server.endpoint}/v1.0/{account.project_id}/kms/{new_key()}/tags"

        def send(body: bytes, headers: dict) -> requests.Response:
            return requests.post(
                url, data=body, headers={"Content-Type": "application/json"} | headers, timeout=30
            )

        return send

    BODY = json.dumps({"tag": {"key": "k", "value": "v"}}).encode()

    def test_token(self, post, server, account):
        assert post(self.BODY, {"X-Auth-Token": token(server.endpoint, account)}).status_code == 204

    def test_no_credentials_at_all(self, post):
        answer = post(self.BODY, {})
        assert (answer.status_code, nested_error(answer)) == (403, "KMS.0301")

    @pytest.mark.parametrize(("bad", "code"), [("", "KMS.0302"), ("x", "KMS.0302"), ("MII" + "A" * 400, "KMS.0302")])
    def test_undecodable_token(self, post, bad, code):
        answer = post(self.BODY, {"X-Auth-Token": bad})
        assert (answer.status_code, nested_error(answer)) == (403, code)

    def test_bad_signature(self, post):
        answer = post(self.BODY, {"Authorization": "SDK-HMAC-SHA256 nonsense"})
        assert (answer.status_code, answer.json()["error_code"]) == (401, "APIGW.0301")

    def test_token_of_another_project(self, post, server, foreign):
        answer = post(self.BODY, {"X-Auth-Token": token(server.endpoint, foreign)})
        assert answer.status_code == 403
        assert nested_error(answer) in ("KMS.0302", "KMS.0321")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"tag":1}'])
    def test_body_that_is_no_request(self, post, server, account, body):
        answer = post(body, {"X-Auth-Token": token(server.endpoint, account)})
        assert answer.status_code == 400
        assert nested_error(answer) in ("KMS.0202", "KMS.0204", "KMS.0214", "KMS.0308")


def test_internal_error(faulty):
    with faulty.commits(UNKNOWN), refused(500, "KMS.0101"):
        faulty.huawei.add_tag(faulty.key_id, "k", "v")


def test_unavailable(faulty):
    with faulty.commits(REFUSE), refused(503, "KMS.0104"):
        faulty.huawei.add_tag(faulty.key_id, "other", "v")
    assert "other" not in faulty.huawei.tags(faulty.key_id)
    faulty.huawei.add_tag(faulty.key_id, "other", "v")
