"""Tencent KMS BindCloudResource: success, every row of its error table, and what a binding forbids."""

import time

import pytest

from harness.faults import REFUSE, UNKNOWN
from harness.material import import_material
from harness.tencent import Tencent, fails

UNKNOWN_KEY = "23e80852-1e38-11e9-b129-5cb9019b4b01"
PRODUCT_BYTES = 128
RESOURCE_BYTES = 256


def bind(tencent, key_id, product="ssm", resource="resourceId"):
    return tencent.kms("BindCloudResource", KeyId=key_id, ProductId=product, ResourceId=resource)


def unbind(tencent, key_id, product="ssm", resource="resourceId"):
    return tencent.kms("UnbindCloudResource", KeyId=key_id, ProductId=product, ResourceId=resource)


def describe(tencent, key_id):
    return tencent.kms("DescribeKey", KeyId=key_id)["KeyMetadata"]


def test_answers_nothing_but_the_request_id(tencent, new_key):
    answer = bind(tencent, new_key())
    assert set(answer) == {"RequestId"} and len(answer["RequestId"]) == 36


def test_binding_twice_succeeds_and_changes_nothing(tencent, new_key):
    key_id = new_key()
    bind(tencent, key_id)
    before = describe(tencent, key_id)
    bind(tencent, key_id)
    assert describe(tencent, key_id) == before
    unbind(tencent, key_id)
    with fails("ResourceUnavailable.CloudResourceBindingNotFound"):
        unbind(tencent, key_id)


def test_several_resources_hold_one_key_until_the_last_is_released(tencent, new_key):
    key_id = new_key()
    triples = [("ssm", "a"), ("ssm", "b"), ("mysql", "a")]
    for product, resource in triples:
        bind(tencent, key_id, product, resource)
    for product, resource in triples:
        with fails("FailedOperation.CmkUsedByCloudProduct"):
            tencent.kms("DisableKey", KeyId=key_id)
        unbind(tencent, key_id, product, resource)
    tencent.kms("DisableKey", KeyId=key_id)


@pytest.mark.parametrize(
    ("product", "resource"),
    [
        ("x", "y"),
        ("ssm", "ins-数据库/1:*?"),
        ("p" * PRODUCT_BYTES, "r" * (RESOURCE_BYTES - 1)),
        ("p" * (PRODUCT_BYTES - 3) + "数", "数" * (RESOURCE_BYTES // 3)),
        (" p\n", "\u200br\t"),
    ],
)
def test_names_are_kept_verbatim(tencent, new_key, product, resource):
    key_id = new_key()
    bind(tencent, key_id, product, resource)
    with fails("ResourceUnavailable.CloudResourceBindingNotFound"):
        unbind(tencent, key_id, product, resource + " ")
    unbind(tencent, key_id, product, resource)


def test_longest_names(tencent, new_key):
    key_id = new_key()
    bind(tencent, key_id, "p" * PRODUCT_BYTES, "r" * RESOURCE_BYTES)
    unbind(tencent, key_id, "p" * PRODUCT_BYTES, "r" * RESOURCE_BYTES)


def test_cancels_the_expiry_of_imported_material(tencent, new_key):
    key_id = new_key(Type=2)
    expiry = int(time.time()) + 3600
    import_material(tencent, key_id, ValidTo=expiry)
    assert describe(tencent, key_id)["ValidTo"] == expiry
    bind(tencent, key_id)
    bound = describe(tencent, key_id)
    assert (bound["ValidTo"], bound["KeyState"]) == (0, "Enabled")
    unbind(tencent, key_id)
    assert describe(tencent, key_id)["ValidTo"] == 0, "an unbind does not bring the expiry back"


def test_a_bound_key_takes_no_expiry_with_new_material(tencent, new_key):
    key_id = new_key(Type=2)
    import_material(tencent, key_id)
    bind(tencent, key_id)
    import_material(tencent, key_id, ValidTo=int(time.time()) + 3600)
    assert describe(tencent, key_id)["ValidTo"] == 0


@pytest.mark.parametrize(
    ("action", "parameters"),
    [("DisableKey", {}), ("ScheduleKeyDeletion", {"PendingWindowInDays": 7}), ("DeleteImportedKeyMaterial", {})],
)
def test_used_by_cloud_product(tencent, new_key, action, parameters):
    key_id = new_key(Type=2)
    import_material(tencent, key_id)
    bind(tencent, key_id)
    with fails("FailedOperation.CmkUsedByCloudProduct"):
        tencent.kms(action, KeyId=key_id, **parameters)
    assert describe(tencent, key_id)["KeyState"] == "Enabled"
    unbind(tencent, key_id)
    with_disabled = action == "ScheduleKeyDeletion"
    if with_disabled:
        tencent.kms("DisableKey", KeyId=key_id)
    tencent.kms(action, KeyId=key_id, **parameters)


@pytest.mark.parametrize(
    ("product", "resource"),
    [
        ("", "r"),
        ("p", ""),
        ("p" * (PRODUCT_BYTES + 1), "r"),
        ("p", "r" * (RESOURCE_BYTES + 1)),
        ("数" * (PRODUCT_BYTES // 3 + 1), "r"),
        ("p", "数" * (RESOURCE_BYTES // 3 + 1)),
        ("p\0", "r"),
        ("p", "\0r"),
    ],
)
def test_invalid_parameter(tencent, new_key, product, resource):
    with fails("InvalidParameter"):
        bind(tencent, new_key(), product, resource)


@pytest.mark.parametrize("missing", ["KeyId", "ProductId", "ResourceId"])
def test_missing_parameter(tencent, missing):
    parameters = {"KeyId": UNKNOWN_KEY, "ProductId": "p", "ResourceId": "r"}
    del parameters[missing]
    with fails("MissingParameter", f"`{missing}`"):
        tencent.call_untyped("kms", "BindCloudResource", parameters)


@pytest.mark.parametrize(
    "key_id",
    ["", "x", UNKNOWN_KEY[:-1], UNKNOWN_KEY + "0", UNKNOWN_KEY.replace("-", ""), UNKNOWN_KEY[:-1] + "g", "密钥"],
)
def test_invalid_key_id(tencent, key_id):
    with fails("InvalidParameterValue.InvalidKeyId"):
        bind(tencent, key_id)


def test_cmk_not_found(tencent):
    with fails("ResourceUnavailable.CmkNotFound"):
        bind(tencent, UNKNOWN_KEY)


def test_cmk_of_another_account_is_not_found(server, foreign, new_key):
    with fails("ResourceUnavailable.CmkNotFound"):
        bind(Tencent(server.host, foreign.key), new_key())


@pytest.mark.parametrize("state", ["Disabled", "PendingDelete", "PendingImport"])
def test_cmk_state_not_support(tencent, key_in_state, state):
    with fails("ResourceUnavailable.CmkStateNotSupport"):
        bind(tencent, key_in_state(state))


def test_internal_error(faulty):
    with faulty.commits(UNKNOWN), fails("InternalError"):
        bind(faulty.tencent, faulty.key_id, resource="unknown")
    bind(faulty.tencent, faulty.key_id, resource="unknown")


def test_service_temporary_unavailable(faulty):
    with faulty.commits(REFUSE), fails("UnsupportedOperation.ServiceTemporaryUnavailable"):
        bind(faulty.tencent, faulty.key_id, resource="refused")
    with fails("ResourceUnavailable.CloudResourceBindingNotFound"):
        unbind(faulty.tencent, faulty.key_id, resource="refused")
    bind(faulty.tencent, faulty.key_id, resource="refused")


@pytest.mark.parametrize(
    ("user", "code"),
    [
        ("alice", "UnauthorizedOperation"),
        ("denied", "UnauthorizedOperation"),
        ("encrypter", "UnauthorizedOperation"),
        ("admin", None),
    ],
)
def test_authorised_on_the_key(as_tencent, new_key, user, code):
    key_id = new_key()
    if code is None:
        bind(as_tencent(user), key_id)
    else:
        with fails(code, "kms:BindCloudResource"):
            bind(as_tencent(user), key_id)


class TestUnbind:
    """Its opposite: not idempotent, allowed in every state, and authorised."""

    @pytest.mark.parametrize(
        ("product", "resource"), [("ssm", "other"), ("other", "resourceId"), ("SSM", "resourceId")]
    )
    def test_binding_not_found(self, tencent, new_key, product, resource):
        key_id = new_key()
        bind(tencent, key_id)
        with fails("ResourceUnavailable.CloudResourceBindingNotFound"):
            unbind(tencent, key_id, product, resource)

    @pytest.mark.parametrize("state", ["Disabled", "PendingDelete", "PendingImport"])
    def test_reaches_the_binding_in_every_state(self, tencent, key_in_state, state):
        with fails("ResourceUnavailable.CloudResourceBindingNotFound"):
            unbind(tencent, key_in_state(state))

    def test_unknown_and_malformed_key(self, tencent):
        with fails("ResourceUnavailable.CmkNotFound"):
            unbind(tencent, UNKNOWN_KEY)
        with fails("InvalidParameterValue.InvalidKeyId"):
            unbind(tencent, "x")

    def test_unauthorised(self, tencent, as_tencent, new_key):
        key_id = new_key()
        bind(tencent, key_id)
        with fails("UnauthorizedOperation", "kms:UnbindCloudResource"):
            unbind(as_tencent("alice"), key_id)
