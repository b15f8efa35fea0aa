"""Huawei KMS: the key life cycle, lists, data keys and small data."""

import base64
import re
import time
import uuid

import pytest
from conftest import FIRST

from harness.huawei import Huawei, refused

UNKNOWN_KEY = "0d0466b0-e727-4d9c-b35d-f84bb474a37f"
DAY_MILLISECONDS = 86_400_000
DATA_LIMIT = 4096
CIPHERTEXT = re.compile(r"^[0-9a-zA-Z+/=]{128,5648}$")


@pytest.fixture(scope="module")
def create(huawei):
    made = iter(range(10_000))

    def make(**body) -> str:
        body.setdefault("key_alias", f"key/{next(made)}")
        return huawei.kms("create_key", body=body).to_json_object()["key_info"]["key_id"]

    return make


@pytest.fixture(scope="module")
def in_state(huawei, create):
    """Makes a key and takes it to state 2, 3, 4 or 5."""

    def make(state: str) -> str:
        key_id = create(origin="external") if state == "5" else create()
        if state == "3":
            huawei.kms("disable_key", body={"key_id": key_id})
        if state == "4":
            huawei.kms("delete_key", body={"key_id": key_id, "pending_days": "7"})
        assert describe(huawei, key_id)["key_state"] == state
        return key_id

    return make


def describe(huawei, key_id) -> dict:
    return huawei.kms("list_key_detail", body={"key_id": key_id}).to_json_object()["key_info"]


class TestCreate:
    def test_answer_and_description(self, huawei, account):
        before = time.time() * 1000
        body = {"key_alias": "app:1/a_b-c", "key_description": "für alles", "sequence": str(uuid.uuid4())}
        answer = huawei.kms("create_key", body=body)
        info = answer.to_json_object()["key_info"]
        assert answer.status_code == 200 and info["domain_id"] == account.domain_id
        seen = describe(huawei, info["key_id"])
        expected = {
            "key_id": info["key_id"],
            "domain_id": account.domain_id,
            "key_alias": "app:1/a_b-c",
            "key_description": "für alles",
            "key_spec": "AES_256",
            "key_usage": "ENCRYPT_DECRYPT",
            "key_state": "2",
            "default_key_flag": "0",
            "key_type": "1",
            "origin": "kms",
            "scheduled_deletion_date": "",
            "expiration_time": "",
            "keystore_id": "0",
            "sys_enterprise_project_id": "0",
            "key_rotation_enabled": "false",
        }
        assert {name: seen[name] for name in expected} == expected
        assert all(isinstance(value, str) for value in seen.values())
        assert len(seen["creation_date"]) == 13 and before - 1 <= int(seen["creation_date"]) <= time.time() * 1000

    def test_external_waits_for_its_material(self, huawei, create):
        key_id = create(origin="external")
        assert (describe(huawei, key_id)["key_state"], describe(huawei, key_id)["origin"]) == ("5", "external")

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "KMS.0204"),
            ({"key_alias": ""}, "KMS.1101"),
            ({"key_alias": "x" * 256}, "KMS.1101"),
            ({"key_alias": "a b"}, "KMS.1101"),
            ({"key_alias": "obs/default"}, "KMS.1101"),
            ({"key_alias": "d", "key_description": "x" * 256}, "KMS.1103"),
            ({"key_alias": "d", "key_spec": "DES"}, "KMS.1110"),
            ({"key_alias": "d", "key_spec": "AES_256", "key_usage": "SIGN_VERIFY"}, "KMS.1115"),
            ({"key_alias": "d", "sequence": "x"}, "KMS.0206"),
            ({"key_alias": "d", "origin": "moon"}, "KMS.0308"),
        ],
    )
    def test_refused(self, huawei, body, code):
        with refused(400, code):
            huawei.kms("create_key", body=body)

    def test_alias_taken(self, huawei, create):
        create(key_alias="taken")
        with refused(400, "KMS.1104"):
            create(key_alias="taken")

    def test_forbidden(self, as_huawei):
        with refused(403):
            as_huawei("alice").kms("create_key", body={"key_alias": "never"})


class TestStates:
    CELLS = [
        ("enable_key", {}, {"2": "KMS.1201", "3": None, "4": "KMS.1201", "5": "KMS.1201"}, "2"),
        ("disable_key", {}, {"2": None, "3": "KMS.1301", "4": "KMS.1301", "5": "KMS.1301"}, "3"),
        ("delete_key", {"pending_days": "7"}, {"2": None, "3": None, "4": "KMS.1402", "5": None}, "4"),
        ("cancel_key_deletion", {}, {"2": "KMS.1501", "3": "KMS.1501", "4": None, "5": "KMS.1501"}, "3"),
        ("create_datakey", {"datakey_length": "256"}, {"2": None, "3": "KMS.0209", "4": "KMS.0210", "5": "KMS.0209"}, None),
        ("encrypt_data", {"plain_text": "x"}, {"2": None, "3": "KMS.0209", "4": "KMS.0210", "5": "KMS.0209"}, None),
    ]
    TABLE = [
        pytest.param(operation, body, state, code, after, id=f"{operation}-{state}")
        for operation, body, row, after in CELLS
        for state, code in row.items()
    ]

    @pytest.mark.parametrize(("operation", "body", "state", "code", "after"), TABLE)
    def test_cell(self, huawei, in_state, operation, body, state, code, after):
        key_id = in_state(state)
        if code is None:
            answer = huawei.kms(operation, body={"key_id": key_id} | body).to_json_object()
            assert describe(huawei, key_id)["key_state"] == (after or state)
            if after is not None:
                told = answer.get("key_info", answer)
                assert (told["key_id"], told["key_state"]) == (key_id, after)
        else:
            with refused(400, code):
                huawei.kms(operation, body={"key_id": key_id} | body)
            assert describe(huawei, key_id)["key_state"] == state

    @pytest.mark.parametrize("days", ["7", "1096", 30])
    def test_days(self, huawei, create, days):
        key_id = create()
        huawei.kms("delete_key", body={"key_id": key_id, "pending_days": days})
        date = int(describe(huawei, key_id)["scheduled_deletion_date"])
        assert abs(date - time.time() * 1000 - int(days) * DAY_MILLISECONDS) < 60_000
        huawei.kms("cancel_key_deletion", body={"key_id": key_id})
        assert describe(huawei, key_id)["scheduled_deletion_date"] == ""

    @pytest.mark.parametrize("days", ["6", "1097", "x", "-7", ""])
    def test_bad_days(self, huawei, create, days):
        with refused(400, "KMS.1401"):
            huawei.kms("delete_key", body={"key_id": create(), "pending_days": days})

    OPERATIONS = ["list_key_detail", "enable_key", "disable_key", "cancel_key_deletion"]

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_key_id(self, server, huawei, foreign, create, operation):
        with refused(400, "KMS.0204"):
            huawei.kms(operation, body={})
        with refused(400, "KMS.0205"):
            huawei.kms(operation, body={"key_id": "x"})
        with refused(404, "KMS.0207"):
            huawei.kms(operation, body={"key_id": UNKNOWN_KEY})
        with refused(404, "KMS.0207"):
            Huawei(server.endpoint, foreign).kms(operation, body={"key_id": create()})

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_forbidden(self, as_huawei, create, operation):
        with refused(403):
            as_huawei("alice").kms(operation, body={"key_id": create()})


class TestList:
    @pytest.fixture(scope="class")
    @classmethod
    def lister(cls, server):
        return Huawei(server.endpoint, FIRST)

    @pytest.fixture(scope="class")
    @classmethod
    def made(cls, lister):
        aliases = [f"listed-{number}" for number in range(5)]
        ids = [
            lister.kms("create_key", body={"key_alias": alias}).to_json_object()["key_info"]["key_id"]
            for alias in aliases
        ]
        lister.kms("disable_key", body={"key_id": ids[4]})
        return ids

    def list(self, lister, **body) -> dict:
        return lister.kms("list_keys", body=body).to_json_object()

    def test_pages_join_up(self, lister, made):
        whole = self.list(lister, limit="1000")
        assert (whole["truncated"], whole["next_marker"]) == ("false", "")
        assert len(whole["keys"]) == len(whole["key_details"]) == whole["total"] and set(made) <= set(whole["keys"])
        joined, marker = [], ""
        while True:
            page = self.list(lister, limit="2", marker=marker)
            joined += page["keys"]
            marker = page["next_marker"]
            assert page["truncated"] == ("true" if marker else "false")
            if not marker:
                break
        assert joined == whole["keys"]

    def test_exact_page(self, lister, made):
        total = self.list(lister, limit="1000")["total"]
        page = self.list(lister, limit=str(total))
        assert (page["truncated"], page["next_marker"]) == ("false", "")

    def test_filter_by_state(self, lister, made):
        found = self.list(lister, key_state="3", limit="1000")
        assert made[4] in found["keys"] and not set(made[:4]) & set(found["keys"])
        assert {detail["key_state"] for detail in found["key_details"]} == {"3"}

    @pytest.mark.parametrize("limit", [2000, "2000", ""])
    def test_generous_limits(self, lister, made, limit):
        assert set(made) <= set(self.list(lister, limit=limit)["keys"])

    @pytest.mark.parametrize(
        ("body", "code"),
        [({"limit": "x"}, "KMS.1601"), ({"limit": "-1"}, "KMS.1601"), ({"marker": "-1"}, "KMS.1602"), ({"marker": "x"}, "KMS.1602")],
    )
    def test_refused(self, lister, body, code):
        with refused(400, code):
            self.list(lister, **body)


class TestData:
    @pytest.fixture(scope="class")
    @classmethod
    def key_id(cls, create):
        return create()

    def encrypt(self, huawei, key_id, text, **body) -> str:
        body |= {"key_id": key_id, "plain_text": text}
        return huawei.kms("encrypt_data", body=body).to_json_object()["cipher_text"]

    def decrypt(self, huawei, blob, **body) -> dict:
        return huawei.kms("decrypt_data", body={"cipher_text": blob} | body).to_json_object()

    @pytest.mark.parametrize("text", ["x", "hello world", "密钥 \U0001f511", "x" * DATA_LIMIT])
    def test_round_trip(self, huawei, key_id, text):
        blob = self.encrypt(huawei, key_id, text)
        assert CIPHERTEXT.match(blob) and blob != self.encrypt(huawei, key_id, text)
        opened = self.decrypt(huawei, blob)
        assert (opened["key_id"], opened["plain_text"]) == (key_id, text)
        assert base64.b64decode(opened["plain_text_base64"]).decode() == text

    def test_with_the_key_named(self, huawei, key_id, create):
        blob = self.encrypt(huawei, key_id, "x", encryption_algorithm="SYMMETRIC_DEFAULT")
        assert self.decrypt(huawei, blob, key_id=key_id)["plain_text"] == "x"
        with refused(400):
            self.decrypt(huawei, blob, key_id=create())

    def test_associated_data(self, huawei, key_id):
        blob = self.encrypt(huawei, key_id, "x", additional_authenticated_data="a")
        assert self.decrypt(huawei, blob, additional_authenticated_data="a")["plain_text"] == "x"
        for wrong in ({}, {"additional_authenticated_data": "b"}):
            with refused(400, "KMS.2201"):
                self.decrypt(huawei, blob, **wrong)
        with refused(400, "KMS.2201"):
            self.decrypt(huawei, self.encrypt(huawei, key_id, "x"), additional_authenticated_data="a")

    @pytest.mark.parametrize("text", ["", "x" * (DATA_LIMIT + 1), "密" * 1366])
    def test_bad_plaintext(self, huawei, key_id, text):
        with refused(400, "KMS.2101"):
            self.encrypt(huawei, key_id, text)

    @pytest.mark.parametrize("blob", ["", "x", "A" * 127, "A" * 128, "A" * 5652, "!" * 200])
    def test_bad_ciphertext(self, huawei, blob):
        with refused(400, "KMS.2201"):
            self.decrypt(huawei, blob)

    def test_algorithm_of_another_kind_of_key(self, huawei, key_id):
        with refused(400, "KMS.2105"):
            self.encrypt(huawei, key_id, "x", encryption_algorithm="RSAES_OAEP_SHA_256")

    def test_foreign_account(self, server, huawei, foreign, key_id):
        blob = self.encrypt(huawei, key_id, "x")
        with refused(404, "KMS.0207"):
            self.decrypt(Huawei(server.endpoint, foreign), blob)


class TestDataKey:
    @pytest.mark.parametrize(
        ("body", "size"),
        [
            ({}, 32),
            ({"key_spec": "AES_128"}, 16),
            ({"key_spec": "AES_256"}, 32),
            ({"datakey_length": "8"}, 1),
            ({"datakey_length": "512"}, 64),
            ({"datakey_length": "8192"}, 1024),
            ({"datakey_length": 512}, 64),
            ({"datakey_length": "128", "key_spec": "AES_256"}, 16),
        ],
    )
    def test_hex_of_that_size(self, huawei, create, body, size):
        key_id = create()
        made = huawei.kms("create_datakey", body={"key_id": key_id} | body).to_json_object()
        assert (made["key_id"], len(bytes.fromhex(made["plain_text"]))) == (key_id, size)
        assert bytes.fromhex(made["cipher_text"])

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"datakey_length": "0"}, "KMS.1901"),
            ({"datakey_length": "8200"}, "KMS.1901"),
            ({"datakey_length": "x"}, "KMS.1901"),
            ({"datakey_length": "12"}, "KMS.1903"),
            ({"key_spec": "DES"}, "KMS.1902"),
        ],
    )
    def test_refused(self, huawei, create, body, code):
        with refused(400, code):
            huawei.kms("create_datakey", body={"key_id": create()} | body)
