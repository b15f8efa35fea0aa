"""Tencent KMS: importing, expiring and deleting key material of the customer's own."""

import base64
import time

import pytest

from harness.material import MATERIAL, import_material, wrap
from harness.tencent import fails

DAY_SECONDS = 86_400
VALID_TO_LIMIT = 2_147_443_200
ALGORITHMS = ["RSAES_PKCS1_V1_5", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]


def describe(tencent, key_id):
    return tencent.kms("DescribeKey", KeyId=key_id)["KeyMetadata"]


def parameters(tencent, key_id, algorithm="RSAES_OAEP_SHA_256", spec="RSA_2048"):
    return tencent.kms("GetParametersForImport", KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=spec)


@pytest.fixture
def external(new_key):
    return new_key(Type=2)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_import_and_use(tencent, external, algorithm):
    import_material(tencent, external, algorithm=algorithm)
    seen = describe(tencent, external)
    assert (seen["KeyState"], seen["Origin"], seen["ValidTo"]) == ("Enabled", "EXTERNAL", 0)
    plaintext = base64.b64encode(b"x").decode()
    blob = tencent.kms("Encrypt", KeyId=external, Plaintext=plaintext)["CiphertextBlob"]
    assert tencent.kms("Decrypt", CiphertextBlob=blob)["Plaintext"] == plaintext


def test_parameters(tencent, external):
    answer = parameters(tencent, external)
    assert answer["KeyId"] == external
    assert abs(answer["ParametersValidTo"] - time.time() - DAY_SECONDS) < 60
    assert base64.b64decode(answer["ImportToken"]) and base64.b64decode(answer["PublicKey"])


@pytest.mark.parametrize(
    ("algorithm", "spec"), [("RSA_RAW", "RSA_2048"), ("RSAES_OAEP_SHA_256", "RSA_512"), ("", "RSA_2048")]
)
def test_bad_parameters(tencent, external, algorithm, spec):
    with fails("InvalidParameter"):
        parameters(tencent, external, algorithm, spec)


def test_not_external(tencent, new_key):
    key_id = new_key()
    with fails("UnsupportedOperation.NotExternalCmk"):
        parameters(tencent, key_id)
    with fails("UnsupportedOperation.NotExternalCmk"):
        tencent.kms("DeleteImportedKeyMaterial", KeyId=key_id)


@pytest.mark.parametrize("size", [0, 1, 15, 31, 33, 64])
def test_wrong_length(tencent, external, size):
    with fails("InvalidParameter.DecryptMaterialError"):
        import_material(tencent, external, bytes(size))
    assert describe(tencent, external)["KeyState"] == "PendingImport"


def test_wrapped_under_another_key(tencent, external, new_key):
    other = new_key(Type=2)
    mine, theirs = parameters(tencent, external), parameters(tencent, other)
    with fails("InvalidParameter.DecryptMaterialError"):
        tencent.kms(
            "ImportKeyMaterial",
            KeyId=external,
            EncryptedKeyMaterial=wrap(MATERIAL, theirs["PublicKey"], "RSAES_OAEP_SHA_256"),
            ImportToken=mine["ImportToken"],
        )


@pytest.mark.parametrize("token", ["", "x", "AAAA", "another key's"])
def test_token(tencent, external, new_key, token):
    mine = parameters(tencent, external)
    if token == "another key's":
        token = parameters(tencent, new_key(Type=2))["ImportToken"]
    with fails("InvalidParameter"):
        tencent.kms(
            "ImportKeyMaterial",
            KeyId=external,
            EncryptedKeyMaterial=wrap(MATERIAL, mine["PublicKey"], "RSAES_OAEP_SHA_256"),
            ImportToken=token,
        )


@pytest.mark.parametrize("moment", [lambda: 1, lambda: int(time.time()) - 1, lambda: VALID_TO_LIMIT + 1])
def test_bad_valid_to(tencent, external, moment):
    with fails("InvalidParameter"):
        import_material(tencent, external, ValidTo=moment())
    assert describe(tencent, external)["KeyState"] == "PendingImport"


def test_again_only_with_the_same_bytes_even_after_deletion(tencent, external):
    import_material(tencent, external)
    plaintext = base64.b64encode(b"kept").decode()
    blob = tencent.kms("Encrypt", KeyId=external, Plaintext=plaintext)["CiphertextBlob"]
    with fails("InvalidParameterValue.MaterialNotMatch"):
        import_material(tencent, external, MATERIAL[::-1])
    tencent.kms("DeleteImportedKeyMaterial", KeyId=external)
    assert describe(tencent, external)["KeyState"] == "PendingImport"
    with fails("ResourceUnavailable.CmkStateNotSupport"):
        tencent.kms("DeleteImportedKeyMaterial", KeyId=external)
    with fails("ResourceUnavailable.CmkDisabled"):
        tencent.kms("Decrypt", CiphertextBlob=blob)
    with fails("InvalidParameterValue.MaterialNotMatch"):
        import_material(tencent, external, MATERIAL[::-1])
    import_material(tencent, external)
    assert tencent.kms("Decrypt", CiphertextBlob=blob)["Plaintext"] == plaintext


def test_same_material_in_two_keys_does_not_open_the_others_blobs(tencent, new_key):
    first, second = new_key(Type=2), new_key(Type=2)
    import_material(tencent, first)
    import_material(tencent, second)
    plaintext = base64.b64encode(b"x").decode()
    one, two = (tencent.kms("Encrypt", KeyId=k, Plaintext=plaintext)["CiphertextBlob"].split("-k-") for k in (first, second))
    with fails("FailedOperation.EncryptionError"):
        tencent.kms("Decrypt", CiphertextBlob="-k-".join([one[0], one[1], two[2]]))


def test_material_expires(tencent, external):
    import_material(tencent, external, ValidTo=int(time.time()) + 2)
    deadline = time.monotonic() + 15
    while describe(tencent, external)["KeyState"] != "PendingImport":
        assert time.monotonic() < deadline, "the material outlived its date"
        time.sleep(0.2)
    with fails("ResourceUnavailable.CmkStateNotSupport"):
        tencent.kms("BindCloudResource", KeyId=external, ProductId="p", ResourceId="r")
    import_material(tencent, external)
    assert describe(tencent, external)["KeyState"] == "Enabled"


@pytest.mark.parametrize("state", ["Disabled", "PendingDelete"])
def test_states(tencent, external, state):
    import_material(tencent, external)
    tencent.kms("DisableKey", KeyId=external)
    asked = parameters(tencent, external)
    if state == "PendingDelete":
        tencent.kms("ScheduleKeyDeletion", KeyId=external, PendingWindowInDays=7)
        with fails("ResourceUnavailable.CmkStateNotSupport"):
            parameters(tencent, external)
    with fails("ResourceUnavailable.CmkStateNotSupport"):
        tencent.kms(
            "ImportKeyMaterial",
            KeyId=external,
            EncryptedKeyMaterial=wrap(MATERIAL, asked["PublicKey"], "RSAES_OAEP_SHA_256"),
            ImportToken=asked["ImportToken"],
        )
