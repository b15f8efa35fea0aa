"""Tencent KMS keys from creation to deletion: metadata, states, lists and every refusal between."""

import time

import pytest
from conftest import FOREIGN

from harness.tencent import Tencent, fails

UNKNOWN_KEY = "23e80852-1e38-11e9-b129-5cb9019b4b01"
DAY_SECONDS = 86_400


def describe(tencent, key_id):
    return tencent.kms("DescribeKey", KeyId=key_id)["KeyMetadata"]


class TestCreate:
    def test_answer_and_metadata(self, tencent, account):
        before = int(time.time())
        made = tencent.kms("CreateKey", Alias="app-key_1", Description="für alles", KeyUsage="ENCRYPT_DECRYPT")
        assert (made["Alias"], made["Description"], made["KeyState"]) == ("app-key_1", "für alles", "Enabled")
        assert (made["KeyUsage"], made["TagCode"], made["TagMsg"], made["HsmClusterId"]) == ("ENCRYPT_DECRYPT", 0, "", "")
        assert before <= made["CreateTime"] <= time.time()
        seen = describe(tencent, made["KeyId"])
        expected = {
            "KeyId": made["KeyId"],
            "Alias": "app-key_1",
            "Description": "für alles",
            "CreateTime": made["CreateTime"],
            "KeyState": "Enabled",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "Type": 2,
            "CreatorUin": account.uin,
            "Owner": "user",
            "KeyRotationEnabled": False,
            "DeletionDate": 0,
            "Origin": "TENCENT_KMS",
            "ValidTo": 0,
            "ResourceId": f"creatorUin/{account.uin}/{made['KeyId']}",
        }
        assert {name: seen[name] for name in expected} == expected

    def test_external(self, tencent):
        made = tencent.kms("CreateKey", Alias="external", Type=2)
        assert made["KeyState"] == "PendingImport"
        assert describe(tencent, made["KeyId"])["Origin"] == "EXTERNAL"

    def test_by_a_sub_user_belongs_to_the_root(self, tencent, as_tencent, account):
        made = as_tencent("admin").kms("CreateKey", Alias="by-admin")
        creator = account.user("admin").uin
        seen = describe(tencent, made["KeyId"])
        assert seen["CreatorUin"] == creator
        assert seen["ResourceId"] == f"creatorUin/{creator}/{made['KeyId']}"

    @pytest.mark.parametrize("alias", ["a", "9", "A-_z", "x" * 60])
    def test_alias(self, tencent, alias):
        assert tencent.kms("CreateKey", Alias=alias)["Alias"] == alias

    @pytest.mark.parametrize("alias", ["", "x" * 61, "-a", "_a", "a b", "a.b", "键", "kms-a"])
    def test_invalid_alias(self, tencent, alias):
        with fails("InvalidParameterValue.InvalidAlias"):
            tencent.kms("CreateKey", Alias=alias)

    def test_alias_already_exists(self, server, tencent, foreign):
        tencent.kms("CreateKey", Alias="taken")
        with fails("InvalidParameterValue.AliasAlreadyExists"):
            tencent.kms("CreateKey", Alias="taken")
        Tencent(server.host, foreign.key).kms("CreateKey", Alias="taken")

    @pytest.mark.parametrize(
        ("parameters", "code"),
        [
            ({"Type": 3}, "InvalidParameterValue.InvalidType"),
            ({"Type": 0}, "InvalidParameterValue.InvalidType"),
            ({"KeyUsage": "FLY"}, "InvalidParameterValue.InvalidKeyUsage"),
            ({"KeyUsage": "encrypt_decrypt"}, "InvalidParameterValue.InvalidKeyUsage"),
            ({"HsmClusterId": "cluster"}, "InvalidParameterValue.InvalidHsmClusterId"),
            ({"Description": "x" * 1025}, "InvalidParameter"),
            (
                {"Tags": [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}]},
                "InvalidParameterValue.TagKeysDuplicated",
            ),
        ],
    )
    def test_refused_and_the_alias_is_still_free(self, tencent, parameters, code):
        with fails(code):
            tencent.kms("CreateKey", Alias="still-free", **parameters)
        found = tencent.kms("ListKeyDetail", SearchKeyAlias="still-free")
        assert found["TotalCount"] == 0

    def test_unauthorized(self, as_tencent):
        for user in ("alice", "denied"):
            with fails("UnauthorizedOperation", "kms:CreateKey"):
                as_tencent(user).kms("CreateKey", Alias="never")


class TestStates:
    """The operation × state matrix; None is success, and the state afterwards is checked."""

    MATRIX = [
        ("EnableKey", {}, {"Enabled": None, "Disabled": None, "PendingDelete": "S", "PendingImport": "S"}, "Enabled"),
        ("DisableKey", {}, {"Enabled": None, "Disabled": None, "PendingDelete": "S", "PendingImport": "S"}, "Disabled"),
        (
            "ScheduleKeyDeletion",
            {"PendingWindowInDays": 7},
            {"Enabled": "SD", "Disabled": None, "PendingDelete": "S", "PendingImport": None},
            "PendingDelete",
        ),
        (
            "CancelKeyDeletion",
            {},
            {"Enabled": "NP", "Disabled": "NP", "PendingDelete": None, "PendingImport": "NP"},
            "Disabled",
        ),
        (
            "GenerateDataKey",
            {"KeySpec": "AES_256"},
            {"Enabled": None, "Disabled": "D", "PendingDelete": "P", "PendingImport": "D"},
            None,
        ),
    ]
    CODES = {
        "S": "ResourceUnavailable.CmkStateNotSupport",
        "SD": "ResourceUnavailable.CmkShouldBeDisabled",
        "NP": "ResourceUnavailable.CmkNotPendingDelete",
        "D": "ResourceUnavailable.CmkDisabled",
        "P": "ResourceUnavailable.KeyPendingDelete",
    }
    CELLS = [
        pytest.param(action, parameters, state, cell, after, id=f"{action}-{state}")
        for action, parameters, row, after in MATRIX
        for state, cell in row.items()
    ]

    @pytest.mark.parametrize(("action", "parameters", "state", "cell", "after"), CELLS)
    def test_cell(self, tencent, key_in_state, action, parameters, state, cell, after):
        key_id = key_in_state(state)
        if cell is None:
            tencent.kms(action, KeyId=key_id, **parameters)
            assert describe(tencent, key_id)["KeyState"] == (after or state)
        else:
            with fails(self.CODES[cell]):
                tencent.kms(action, KeyId=key_id, **parameters)
            assert describe(tencent, key_id)["KeyState"] == state

    def test_cancelling_brings_a_key_without_material_back_to_waiting(self, tencent, key_in_state):
        key_id = key_in_state("PendingImport")
        tencent.kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
        tencent.kms("CancelKeyDeletion", KeyId=key_id)
        assert describe(tencent, key_id)["KeyState"] == "PendingImport"

    @pytest.mark.parametrize("days", [7, 30])
    def test_deletion_date(self, tencent, key_in_state, days):
        key_id = key_in_state("Disabled")
        answer = tencent.kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=days)
        assert answer["KeyId"] == key_id
        assert abs(answer["DeletionDate"] - time.time() - days * DAY_SECONDS) < 60
        assert describe(tencent, key_id)["DeletionDate"] == answer["DeletionDate"]

    @pytest.mark.parametrize("days", [0, 6, 31, 4_000_000_000])
    def test_invalid_pending_window(self, tencent, key_in_state, days):
        with fails("InvalidParameter.InvalidPendingWindowInDays"):
            tencent.kms("ScheduleKeyDeletion", KeyId=key_in_state("Disabled"), PendingWindowInDays=days)

    ACTIONS = ["DescribeKey", "EnableKey", "DisableKey", "CancelKeyDeletion", "DeleteImportedKeyMaterial"]

    @pytest.mark.parametrize("action", ACTIONS)
    def test_key_id(self, server, tencent, foreign, new_key, action):
        with fails("InvalidParameterValue.InvalidKeyId"):
            tencent.kms(action, KeyId="x")
        with fails("ResourceUnavailable.CmkNotFound"):
            tencent.kms(action, KeyId=UNKNOWN_KEY)
        with fails("ResourceUnavailable.CmkNotFound"):
            Tencent(server.host, foreign.key).kms(action, KeyId=new_key())

    @pytest.mark.parametrize("action", ["DescribeKey", "EnableKey", "DisableKey", "CancelKeyDeletion"])
    def test_unauthorized(self, as_tencent, new_key, action):
        with fails("UnauthorizedOperation", f"kms:{action}"):
            as_tencent("alice").kms(action, KeyId=new_key())


class TestDescribeKeys:
    def test_in_the_order_asked(self, tencent, new_key):
        ids = [new_key() for _ in range(3)]
        for order in (ids, ids[::-1]):
            found = tencent.kms("DescribeKeys", KeyIds=order)["KeyMetadatas"]
            assert [key["KeyId"] for key in found] == order

    def test_refused(self, tencent, new_key):
        key_id = new_key()
        for ids, code in [
            ([key_id, key_id], "InvalidParameterValue.DuplicatedKeyId"),
            ([key_id, UNKNOWN_KEY], "ResourceUnavailable.CmkNotFound"),
            ([key_id, "x"], "InvalidParameterValue.InvalidKeyId"),
            ([], "InvalidParameter"),
            ([f"{n:08x}-1e38-11e9-b129-5cb9019b4b01" for n in range(101)], "InvalidParameter"),
        ]:
            with fails(code):
                tencent.kms("DescribeKeys", KeyIds=ids)


class TestLists:
    """In an account of their own, where nothing else is made."""

    @pytest.fixture(scope="class")
    @classmethod
    def lister(cls, server):
        return Tencent(server.host, FOREIGN.key)

    @pytest.fixture(scope="class")
    @classmethod
    def made(cls, lister):
        ids = {}
        for number in range(6):
            kind = 2 if number == 5 else 1
            tags = [{"TagKey": "n", "TagValue": str(number % 2)}] if number < 4 else []
            made = lister.kms("CreateKey", Alias=f"listed-{number}", Type=kind, Tags=tags)
            ids[number] = made["KeyId"]
        lister.kms("DisableKey", KeyId=ids[3])
        lister.kms("DisableKey", KeyId=ids[4])
        lister.kms("ScheduleKeyDeletion", KeyId=ids[4], PendingWindowInDays=7)
        return ids

    def find(self, lister, **parameters) -> list[str]:
        found = lister.kms("ListKeyDetail", SearchKeyAlias="listed-", Limit=200, **parameters)
        assert found["TotalCount"] == len(found["KeyMetadatas"])
        return [key["Alias"].removeprefix("listed-") for key in found["KeyMetadatas"]]

    def test_list_keys_hides_what_waits_for_deletion(self, lister, made):
        ids = [key["KeyId"] for key in lister.kms("ListKeys", Limit=200)["Keys"]]
        assert made[4] not in ids and {made[n] for n in (0, 1, 2, 3, 5)} <= set(ids)

    @pytest.mark.parametrize(
        ("parameters", "expected"),
        [
            ({}, "012345"),
            ({"KeyState": 0}, "012345"),
            ({"KeyState": 1}, "012"),
            ({"KeyState": 2}, "3"),
            ({"KeyState": 3}, "4"),
            ({"KeyState": 4}, "5"),
            ({"KeyState": 5}, ""),
            ({"Origin": "EXTERNAL"}, "5"),
            ({"Origin": "TENCENT_KMS"}, "01234"),
            ({"Origin": "ALL"}, "012345"),
            ({"KeyUsage": "ALL"}, "012345"),
            ({"KeyUsage": "ASYMMETRIC_DECRYPT_SM2"}, ""),
            ({"Role": 1}, ""),
            ({"TagFilters": [{"TagKey": "n", "TagValue": ["1"]}]}, "13"),
            ({"TagFilters": [{"TagKey": "n", "TagValue": ["0", "1"]}]}, "0123"),
            ({"TagFilters": [{"TagKey": "n", "TagValue": []}]}, "0123"),
            ({"TagFilters": [{"TagKey": "m", "TagValue": []}]}, ""),
        ],
    )
    def test_filters(self, lister, made, parameters, expected):
        assert sorted(self.find(lister, **parameters)) == sorted(expected)

    def test_search_by_id(self, lister, made):
        found = lister.kms("ListKeyDetail", SearchKeyAlias=made[2][:13])["KeyMetadatas"]
        assert [key["KeyId"] for key in found] == [made[2]]

    def test_pages_join_up(self, lister, made):
        whole = [key["KeyId"] for key in lister.kms("ListKeyDetail", Limit=200)["KeyMetadatas"]]
        joined, offset = [], 0
        while page := lister.kms("ListKeyDetail", Offset=offset, Limit=2)["KeyMetadatas"]:
            joined += [key["KeyId"] for key in page]
            offset += len(page)
        assert joined == whole

    def test_default_page(self, lister, made):
        answer = lister.kms("ListKeys")
        assert len(answer["Keys"]) == min(10, answer["TotalCount"])

    @pytest.mark.parametrize("action", ["ListKeys", "ListKeyDetail"])
    def test_page_too_large(self, lister, action):
        with fails("InvalidParameter"):
            lister.kms(action, Limit=201)

    def test_unauthorized(self, as_tencent):
        for action in ("ListKeys", "ListKeyDetail"):
            with fails("UnauthorizedOperation"):
                as_tencent("alice").kms(action)


class TestService:
    def test_regions_and_status(self, tencent):
        assert tencent.kms("GetRegions")["Regions"]
        status = tencent.kms("GetServiceStatus")
        assert (status["ServiceEnabled"], status["InvalidType"], status["UserLevel"]) == (True, 1, 1)
        assert status["CmkLimit"] > 0 and status["CmkUserCount"] >= 0
