"""Tencent CAM UpdateAccessKey: success, every row of its error table, and its effect in both clouds at once."""

import pytest

from harness.faults import REFUSE, UNKNOWN
from harness.huawei import Huawei, refused
from harness.seed import AccessKey
from harness.tencent import Tencent, fails

KEYS_PER_USER = 2


@pytest.fixture(scope="module")
def new_user(tencent):
    """Makes a sub-user with one fresh access key; (name, uin, key)."""
    made = iter(range(1000))

    def make() -> tuple[str, int, AccessKey]:
        name = f"user-{next(made)}"
        uin = tencent.cam("AddUser", Name=name)["Uin"]
        pair = tencent.cam("CreateAccessKey", TargetUin=uin)["AccessKey"]
        return name, uin, AccessKey(pair["AccessKeyId"], pair["SecretAccessKey"])

    return make


def update(tencent, key_id, status, **parameters):
    return tencent.cam("UpdateAccessKey", AccessKeyId=key_id, Status=status, **parameters)


def statuses(tencent, uin) -> dict[str, str]:
    keys = tencent.cam("ListAccessKeys", TargetUin=uin)["AccessKeys"]
    return {key["AccessKeyId"]: key["Status"] for key in keys}


def test_root_turns_a_sub_users_key_off_and_on(tencent, new_user):
    _, uin, key = new_user()
    for status in ("Inactive", "Inactive", "Active", "Active"):
        assert set(update(tencent, key.id, status, TargetUin=uin)) == {"RequestId"}
        assert statuses(tencent, uin) == {key.id: status}


@pytest.mark.parametrize("target", [{}, {"TargetUin": 0}, {"TargetUin": None}, {"TargetUin": "own"}])
def test_own_key_without_and_with_a_target(server, tencent, new_user, as_tencent, account, target):
    """No target, and the target 0 that Terraform sends, mean the caller."""
    spare = account.user("spare")
    caller = as_tencent("spare")
    pair = caller.cam("CreateAccessKey")["AccessKey"]
    if target == {"TargetUin": "own"}:
        target = {"TargetUin": spare.uin}
    try:
        update(caller, pair["AccessKeyId"], "Inactive", **target)
        assert statuses(tencent, spare.uin)[pair["AccessKeyId"]] == "Inactive"
    finally:
        caller.cam("DeleteAccessKey", AccessKeyId=pair["AccessKeyId"])


def test_roots_own_key(server, account, tencent):
    second = Huawei(server.endpoint, account, account.keys[1])
    update(tencent, account.keys[1].id, "Inactive")
    with refused(401, "APIGW.0301"):
        second.kms("list_keys", body={})
    update(tencent, account.keys[1].id, "Active")
    second.kms("list_keys", body={})


def test_an_inactive_key_stops_in_both_clouds_at_once(server, account, tencent, new_user):
    name, uin, key = new_user()
    policy = tencent.cam("ListAttachedUserPolicies", TargetUin=account.user("admin").uin)["List"][0]
    tencent.cam("AttachUserPolicy", PolicyId=policy["PolicyId"], AttachUin=uin)
    here, there = Tencent(server.host, key), Huawei(server.endpoint, account, key)
    for _ in range(3):
        here.kms("ListKeys")
        there.kms("list_keys", body={})
        update(tencent, key.id, "Inactive", TargetUin=uin)
        with fails("AuthFailure.SecretIdNotFound"):
            here.kms("ListKeys")
        with refused(401, "APIGW.0301"):
            there.kms("list_keys", body={})
        update(tencent, key.id, "Active", TargetUin=uin)


def test_authorised_by_policy(as_tencent, tencent, new_user):
    _, uin, key = new_user()
    for caller in ("keeper", "admin"):
        update(as_tencent(caller), key.id, "Inactive", TargetUin=uin)
        update(as_tencent(caller), key.id, "Active", TargetUin=uin)
    assert statuses(tencent, uin) == {key.id: "Active"}


@pytest.mark.parametrize("caller", ["alice", "encrypter"])
def test_unauthorized_operation(as_tencent, tencent, new_user, caller):
    _, uin, key = new_user()
    with fails("AuthFailure.UnauthorizedOperation", "cam:UpdateAccessKey"):
        update(as_tencent(caller), key.id, "Inactive", TargetUin=uin)
    assert statuses(tencent, uin) == {key.id: "Active"}


def test_unauthorized_on_the_own_key(as_tencent, account):
    with fails("AuthFailure.UnauthorizedOperation"):
        update(as_tencent("alice"), account.user("alice").keys[0].id, "Inactive")


@pytest.mark.parametrize(
    ("key_id", "status"),
    [
        (None, "active"),
        (None, "INACTIVE"),
        (None, "Enabled"),
        (None, ""),
        (None, " Active"),
        ("", "Active"),
        ("AKID with spaces", "Active"),
        ("AKID" + "密" * 32, "Active"),
        ("A" * 2000, "Active"),
    ],
)
def test_param_error(tencent, new_user, key_id, status):
    _, uin, key = new_user()
    with fails("InvalidParameter.ParamError"):
        update(tencent, key.id if key_id is None else key_id, status, TargetUin=uin)
    assert statuses(tencent, uin) == {key.id: "Active"}


@pytest.mark.parametrize(("missing", "parameters"), [("AccessKeyId", {"Status": "Active"}), ("Status", {"AccessKeyId": "x"})])
def test_missing_parameter(tencent, missing, parameters):
    with fails("MissingParameter", f"`{missing}`"):
        tencent.call_untyped("cam", "UpdateAccessKey", parameters)


def test_user_not_exist(tencent, account, foreign):
    key_id = account.user("alice").keys[0].id
    for uin in (999_999_999_999, foreign.uin, foreign.user("alice").uin):
        with fails("InvalidParameter.UserNotExist"):
            update(tencent, key_id, "Inactive", TargetUin=uin)


@pytest.mark.parametrize("caller", ["admin", "keeper"])
def test_sub_user_may_not_touch_roots_key(as_tencent, tencent, account, caller):
    with fails("OperationDenied.SubUin"):
        update(as_tencent(caller), account.keys[1].id, "Inactive", TargetUin=account.uin)
    assert statuses(tencent, account.uin)[account.keys[1].id] == "Active"


def test_uin_not_match(tencent, new_user):
    _, uin, key = new_user()
    _, other_uin, other_key = new_user()
    with fails("OperationDenied.UinNotMatch"):
        update(tencent, key.id, "Inactive", TargetUin=other_uin)
    with fails("OperationDenied.UinNotMatch"):
        update(tencent, other_key.id, "Inactive")
    assert (statuses(tencent, uin), statuses(tencent, other_uin)) == (
        {key.id: "Active"},
        {other_key.id: "Active"},
    )


def test_key_of_another_account(server, tencent, foreign):
    with fails("OperationDenied.UinNotMatch"):
        update(tencent, foreign.key.id, "Inactive")
    Tencent(server.host, foreign.key).kms("ListKeys")


def test_secret_not_exist(tencent, new_user):
    _, uin, key = new_user()
    with fails("ResourceNotFound.SecretNotExist"):
        update(tencent, "AKID" + "0" * 32, "Inactive", TargetUin=uin)
    tencent.cam("DeleteAccessKey", AccessKeyId=key.id, TargetUin=uin)
    with fails("ResourceNotFound.SecretNotExist"):
        update(tencent, key.id, "Active", TargetUin=uin)


def test_access_key_over_limit(tencent, new_user):
    """The third key, counting an inactive one."""
    _, uin, key = new_user()
    update(tencent, key.id, "Inactive", TargetUin=uin)
    tencent.cam("CreateAccessKey", TargetUin=uin)
    with fails("OperationDenied.AccessKeyOverLimit"):
        tencent.cam("CreateAccessKey", TargetUin=uin)
    assert len(statuses(tencent, uin)) == KEYS_PER_USER


def test_failed_operation_accesskey(faulty):
    """A commit that was refused: the key is as it was, and works."""
    spare = faulty.account.user("spare")
    with faulty.commits(REFUSE), fails("FailedOperation.Accesskey"):
        update(faulty.tencent, spare.keys[0].id, "Inactive", TargetUin=spare.uin)
    assert statuses(faulty.tencent, spare.uin) == {spare.keys[0].id: "Active"}
    Tencent(faulty.server.host, spare.keys[0]).kms("ListKeys")


def test_internal_error(faulty):
    """A commit that ends without saying how: what the store then holds is what counts, at once."""
    spare = faulty.account.user("spare")
    caller = Tencent(faulty.server.host, spare.keys[0])
    with faulty.commits(UNKNOWN), fails("InternalError"):
        update(faulty.tencent, spare.keys[0].id, "Inactive", TargetUin=spare.uin)
    assert statuses(faulty.tencent, spare.uin) == {spare.keys[0].id: "Inactive"}
    with fails("AuthFailure.SecretIdNotFound"):
        caller.kms("ListKeys")
    update(faulty.tencent, spare.keys[0].id, "Active", TargetUin=spare.uin)
    caller.kms("ListKeys")


@pytest.mark.parametrize(("way", "code"), [(REFUSE, "FailedOperation.Accesskey"), (UNKNOWN, "InternalError")])
def test_siblings_on_a_failing_store(faulty, way, code):
    uin = faulty.tencent.cam("AddUser", Name=f"failing-{way}")["Uin"]
    with faulty.commits(way), fails(code):
        faulty.tencent.cam("CreateAccessKey", TargetUin=uin)
    key_id = faulty.tencent.cam("CreateAccessKey", TargetUin=uin)["AccessKey"]["AccessKeyId"]
    with faulty.commits(way), fails(code):
        faulty.tencent.cam("DeleteAccessKey", AccessKeyId=key_id, TargetUin=uin)
    assert (key_id in statuses(faulty.tencent, uin)) is (way == REFUSE)


class TestSiblings:
    """Create, list, delete and last use of access keys."""

    def test_created_key_has_tencents_shape_and_shows_its_secret_once(self, tencent, new_user):
        _, uin, key = new_user()
        assert key.id.startswith("AKID") and len(key.id) == 36 and key.id.isalnum()
        assert len(key.secret) == 32 and key.secret.isalnum()
        (listed,) = tencent.cam("ListAccessKeys", TargetUin=uin)["AccessKeys"]
        assert listed["AccessKeyId"] == key.id and "SecretAccessKey" not in listed

    @pytest.mark.parametrize(("description", "code"), [("ci+key=1,a.b@c:/-", None), ("no spaces", "InvalidParameter.ParamError"), ("x" * 1025, "InvalidParameter.ParamError")])
    def test_description(self, tencent, description, code):
        uin = tencent.cam("AddUser", Name=f"d-{len(description)}-{code is None}")["Uin"]
        if code is not None:
            with fails(code):
                tencent.cam("CreateAccessKey", TargetUin=uin, Description=description)
            return
        made = tencent.cam("CreateAccessKey", TargetUin=uin, Description=description)["AccessKey"]
        assert (made["Description"], made["Status"]) == (description, "Active")

    def test_an_active_key_may_be_deleted_and_stops_at_once(self, server, account, tencent, new_user):
        _, uin, key = new_user()
        tencent.cam("DeleteAccessKey", AccessKeyId=key.id, TargetUin=uin)
        assert statuses(tencent, uin) == {}
        with fails("AuthFailure.SecretIdNotFound"):
            Tencent(server.host, key).sts("GetCallerIdentity")
        with refused(401, "APIGW.0301"):
            Huawei(server.endpoint, account, key).kms("list_keys", body={})
        with fails("ResourceNotFound.SecretNotExist"):
            tencent.cam("DeleteAccessKey", AccessKeyId=key.id, TargetUin=uin)

    def test_last_used(self, server, tencent, new_user):
        _, _, key = new_user()
        (unused,) = tencent.cam("GetSecurityLastUsed", SecretIdList=[key.id])["SecretIdLastUsedRows"]
        assert unused["SecretId"] == key.id and not unused["LastSecretUsedDate"]
        Tencent(server.host, key).sts("GetCallerIdentity")
        (used,) = tencent.cam("GetSecurityLastUsed", SecretIdList=[key.id])["SecretIdLastUsedRows"]
        assert used["LastSecretUsedDate"] > 1_700_000_000_000

    def test_last_used_of_eleven(self, tencent):
        with fails("InvalidParameter"):
            tencent.cam("GetSecurityLastUsed", SecretIdList=["AKID" + "0" * 32] * 11)
