"""Huawei KMS, add or delete CMK tags in batches: all or nothing, up to ten, and the reading side."""

import pytest
import requests
from huaweicloudsdkkms.v2 import (
    BatchCreateKmsTagsRequest,
    BatchCreateKmsTagsRequestBody,
    DeleteTagRequest,
    TagItem,
)

from harness.faults import REFUSE, UNKNOWN
from harness.huawei import Huawei, nested_error, refused, token

UNKNOWN_KEY = "0d0466b0-e727-4d9c-b35d-f84bb474a37f"
TAGS_PER_KEY = 10


def numbered(count: int, value: str = "v", start: int = 0) -> list[tuple[str, str]]:
    return [(f"k{number}", value) for number in range(start, start + count)]


@pytest.mark.parametrize("action", ["create", "delete"])
def test_typed_request_of_the_example(huawei, new_key, action):
    key_id = new_key()
    huawei.add_tag(key_id, "key2", "kept by create")
    tags = [TagItem(key="key1", value="value1"), TagItem(key="key2", value="value3")]
    body = BatchCreateKmsTagsRequestBody(tags=tags, action=action)
    request = BatchCreateKmsTagsRequest(key_id=key_id, body=body)
    answer = huawei.client("kms").batch_create_kms_tags(request)
    assert (answer.status_code, answer.raw_content or b"") == (204, b"")
    assert huawei.tags(key_id) == ({"key1": "value1", "key2": "value3"} if action == "create" else {})


def test_ten_at_once_and_overwriting_all_ten(huawei, new_key):
    key_id = new_key()
    huawei.batch(key_id, "create", numbered(TAGS_PER_KEY))
    huawei.batch(key_id, "create", numbered(TAGS_PER_KEY, "new"))
    assert huawei.tags(key_id) == dict(numbered(TAGS_PER_KEY, "new"))


def test_union_is_counted_not_the_sum(huawei, new_key):
    key_id = new_key()
    huawei.batch(key_id, "create", numbered(8))
    huawei.batch(key_id, "create", numbered(4, "new", start=6))
    assert huawei.tags(key_id) == dict(numbered(6)) | dict(numbered(4, "new", start=6))


def test_past_the_limit_nothing_is_applied(huawei, new_key):
    key_id = new_key()
    huawei.batch(key_id, "create", numbered(8))
    with refused(400, "KMS.0409"):
        huawei.batch(key_id, "create", numbered(4, "new", start=7))
    assert huawei.tags(key_id) == dict(numbered(8))


def test_list_longer_than_the_limit(huawei, new_key):
    key_id = new_key()
    with refused(400, "KMS.0407"):
        huawei.batch(key_id, "create", numbered(TAGS_PER_KEY + 1))
    assert huawei.tags(key_id) == {}


def test_duplicate_key_in_a_batch(huawei, new_key):
    key_id = new_key()
    with refused(400, "KMS.0412"):
        huawei.batch(key_id, "create", [("a", "1"), ("b", "2"), ("a", "3")])
    assert huawei.tags(key_id) == {}


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (("x*y", "v"), "KMS.0406"),
        (("x", "v<"), "KMS.0405"),
        (("k" * 37, "v"), "KMS.0411"),
        (("", "v"), "KMS.0411"),
        (("x", "v" * 44), "KMS.0410"),
    ],
)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_bad_tag_refuses_the_batch(huawei, new_key, bad, code, position):
    key_id = new_key()
    tags = [("a", "1"), ("b", "2")]
    tags.insert(position, bad)
    with refused(400, code):
        huawei.batch(key_id, "create", tags)
    assert huawei.tags(key_id) == {}


def test_delete_of_missing_tags_is_ignored(huawei, new_key):
    key_id = new_key()
    huawei.batch(key_id, "create", [("a", "1"), ("b", "2")])
    answer = huawei.batch(key_id, "delete", [("a", "1"), ("never", "there")])
    assert answer.status_code == 204
    assert huawei.tags(key_id) == {"b": "2"}


@pytest.mark.parametrize("value", ["1", "another value", ""])
def test_delete_goes_by_key_alone(huawei, new_key, value):
    key_id = new_key()
    huawei.add_tag(key_id, "a", "1")
    huawei.batch(key_id, "delete", [("a", value)])
    assert huawei.tags(key_id) == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action": "create"}, "KMS.0204"),
        ({"tags": [{"key": "a", "value": "1"}]}, "KMS.0204"),
        ({"action": "create", "tags": []}, "KMS.0401"),
        ({"action": "delete", "tags": []}, "KMS.0401"),
        ({"action": "Create", "tags": [{"key": "a", "value": "1"}]}, "KMS.0404"),
        ({"action": "update", "tags": [{"key": "a", "value": "1"}]}, "KMS.0404"),
        ({"action": "", "tags": [{"key": "a", "value": "1"}]}, "KMS.0404"),
        ({"action": "create", "tags": [{"key": "a", "value": "1"}], "sequence": "x"}, "KMS.0206"),
    ],
)
def test_bad_request(huawei, new_key, body, code):
    key_id = new_key()
    with refused(400, code):
        huawei.kms("batch_create_kms_tags", key_id=key_id, body=body)
    assert huawei.tags(key_id) == {}


@pytest.mark.parametrize("action", ["create", "delete"])
def test_key_id(huawei, action):
    with refused(400, "KMS.0205"):
        huawei.batch("x", action, [("a", "1")])
    with refused(404, "KMS.0207"):
        huawei.batch(UNKNOWN_KEY, action, [("a", "1")])


@pytest.mark.parametrize("action", ["create", "delete"])
def test_forbidden(server, as_huawei, huawei, foreign, new_key, action):
    key_id = new_key()
    huawei.add_tag(key_id, "kept", "v")
    with refused(403):
        as_huawei("alice").batch(key_id, action, [("kept", "x")])
    with refused(404, "KMS.0207"):
        Huawei(server.endpoint, foreign).batch(key_id, action, [("kept", "x")])
    assert huawei.tags(key_id) == {"kept": "v"}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 403, "KMS.0301"),
        ({"X-Auth-Token": "garbage"}, 403, "KMS.0302"),
        ({"Authorization": "SDK-HMAC-SHA256 nonsense"}, 401, "APIGW.0301"),
    ],
)
def test_unauthenticated(server, account, huawei, new_key, headers, status, code):
    key_id = new_key()
    url = f"{server.endpoint}/v1.0/{account.project_id}/kms/{key_id}/tags/action"
    body = {"action": "create", "tags": [{"key": "a"}]}
    answer = requests.post(url, json=body, headers=headers, timeout=30)
    assert answer.status_code == status
    assert (answer.json()["error_code"] if status == 401 else nested_error(answer)) == code
    assert huawei.tags(key_id) == {}


def test_foreign_project_token(server, account, foreign, new_key):
    answer = requests.post(
        f"{server.endpoint}/v1.0/{account.project_id}/kms/{new_key()}/tags/action",
        json={"action": "create", "tags": [{"key": "a"}]},
        headers={"X-Auth-Token": token(server.endpoint, foreign)},
        timeout=30,
    )
    assert answer.status_code == 403
    assert nested_error(answer) == "KMS.0321"


def test_internal_error_and_unavailable(faulty):
    with faulty.commits(REFUSE), refused(503, "KMS.0104"):
        faulty.huawei.batch(faulty.key_id, "create", [("a", "1"), ("b", "2")])
    assert faulty.huawei.tags(faulty.key_id) == {}
    with faulty.commits(UNKNOWN), refused(500, "KMS.0101"):
        faulty.huawei.batch(faulty.key_id, "create", [("a", "1"), ("b", "2")])


class TestDeleteOne:
    """`DELETE …/tags/{key}`, with every character a path can be confused by."""

    @pytest.mark.parametrize("key", ["plain", "a b", "a/b", "a+b", "100%", "环境", "%2F", "a?b#c", "tags"])
    def test_existing(self, huawei, new_key, key):
        key_id = new_key()
        huawei.batch(key_id, "create", [(key, "v"), ("other", "v")])
        answer = huawei.client("kms").delete_tag(DeleteTagRequest(key_id=key_id, key=key))
        assert answer.status_code == 204
        assert huawei.tags(key_id) == {"other": "v"}

    def test_missing(self, huawei, new_key):
        with refused(404, "KMS.0416"):
            huawei.kms("delete_tag", key_id=new_key(), key="never")


class TestReading:
    """Show, the project's tags, and instances by tag."""

    @pytest.fixture(scope="class")
    @classmethod
    def tagged(cls, huawei, new_key):
        marks = [{"team": "blue", "env": "dev"}, {"team": "blue", "env": "prod"}, {"team": "red"}, {}]
        made = {}
        for number, tags in enumerate(marks):
            key_id = new_key(Alias=f"Reading-{number}")
            if tags:
                huawei.batch(key_id, "create", list(tags.items()))
            made[key_id] = tags
        return list(made)

    def search(self, huawei, **body) -> dict:
        body = {"action": "filter"} | body
        return huawei.kms(
            "list_kms_by_tags", resource_instances="resource_instances", body=body
        ).to_json_object()

    def test_a_key_without_tags(self, huawei, tagged):
        body = huawei.kms("show_kms_tags", key_id=tagged[3]).to_json_object()
        assert (body["tags"], body["existTagsNum"]) == ([], 0)

    def test_unknown_key(self, huawei):
        with refused(404, "KMS.0207"):
            huawei.tags(UNKNOWN_KEY)

    def test_project_tags_are_the_union(self, huawei, tagged):
        tags = {t["key"]: t["values"] for t in huawei.kms("list_kms_tags").to_json_object()["tags"]}
        assert sorted(tags["team"]) == ["blue", "red"]
        assert sorted(tags["env"]) == ["dev", "prod"]

    @pytest.mark.parametrize(
        ("tags", "expected"),
        [
            ([{"key": "team", "values": ["blue"]}], [0, 1]),
            ([{"key": "team", "values": ["blue", "red"]}], [0, 1, 2]),
            ([{"key": "team", "values": []}], [0, 1, 2]),
            ([{"key": "team", "values": ["blue"]}, {"key": "env", "values": ["prod"]}], [1]),
            ([{"key": "team", "values": ["green"]}], []),
        ],
    )
    def test_filter_and_count(self, huawei, tagged, tags, expected):
        found = self.search(huawei, tags=tags, limit="100", offset="0")
        ids = {item["resource_id"] for item in found["resources"]}
        assert ids == {tagged[number] for number in expected}
        assert found["total_count"] == len(expected)
        counted = self.search(huawei, action="count", tags=tags)
        assert counted["total_count"] == len(expected) and not counted.get("resources")

    def test_resource_detail_is_an_object_of_strings(self, huawei, tagged):
        found = self.search(huawei, tags=[{"key": "env", "values": ["prod"]}])["resources"]
        (item,) = found
        assert item["resource_name"] == item["resource_detail"]["key_alias"] == "Reading-1"
        assert all(isinstance(value, str) for value in item["resource_detail"].values())
        assert {t["key"]: t["value"] for t in item["tags"]} == {"team": "blue", "env": "prod"}

    def test_match_by_name_ignores_case(self, huawei, tagged):
        found = self.search(huawei, matches=[{"key": "resource_name", "value": "rEADING-"}])
        assert {item["resource_id"] for item in found["resources"]} == set(tagged)

    def test_pages(self, huawei, tagged):
        match = [{"key": "resource_name", "value": "reading-"}]
        pages = [
            [item["resource_id"] for item in self.search(huawei, matches=match, limit="3", offset=o)["resources"]]
            for o in ("0", "3", "6")
        ]
        assert [len(page) for page in pages] == [3, 1, 0]
        assert set(pages[0] + pages[1]) == set(tagged)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"action": "find"}, "KMS.0404"),
            ({"limit": "0"}, "KMS.1601"),
            ({"limit": "1001"}, "KMS.1601"),
            ({"limit": "x"}, "KMS.1601"),
            ({"offset": "-1"}, "KMS.0417"),
            ({"matches": [{"key": "colour", "value": "red"}]}, "KMS.0403"),
        ],
    )
    def test_refused(self, huawei, body, code):
        with refused(400, code):
            self.search(huawei, **body)
