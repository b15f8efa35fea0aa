"""Tencent KMS Encrypt, Decrypt and GenerateDataKey."""

import base64
import json

import pytest

from harness.tencent import Tencent, fails

UNKNOWN_KEY = "23e80852-1e38-11e9-b129-5cb9019b4b01"
PLAINTEXT_LIMIT = 4096
CONTEXT_LIMIT = 1024


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def encrypt(tencent, key_id, raw: bytes, **parameters) -> str:
    return tencent.kms("Encrypt", KeyId=key_id, Plaintext=b64(raw), **parameters)["CiphertextBlob"]


def decrypt(tencent, blob: str, **parameters) -> bytes:
    return base64.b64decode(tencent.kms("Decrypt", CiphertextBlob=blob, **parameters)["Plaintext"])


@pytest.fixture(scope="module")
def key_id(new_key):
    return new_key()


@pytest.mark.parametrize("size", [1, 16, 31, 32, 33, PLAINTEXT_LIMIT])
def test_round_trip(tencent, key_id, size):
    raw = bytes(i % 256 for i in range(size))
    first, second = encrypt(tencent, key_id, raw), encrypt(tencent, key_id, raw)
    assert first != second, "a nonce was used twice"
    assert decrypt(tencent, first) == decrypt(tencent, second) == raw
    assert first.isascii() and first.count("-k-") == 2
    assert size < 16 or b64(raw).rstrip("=") not in first, "a plaintext long enough not to be there by chance"


@pytest.mark.parametrize("plaintext", ["", "!", "a", "YQ", b64(b"x" * (PLAINTEXT_LIMIT + 1))])
def test_invalid_plaintext(tencent, key_id, plaintext):
    with fails("InvalidParameterValue.InvalidPlaintext"):
        tencent.kms("Encrypt", KeyId=key_id, Plaintext=plaintext)


def test_the_blob_names_its_key(tencent, new_key):
    first, second = new_key(), new_key()
    blob = encrypt(tencent, second, b"x")
    assert tencent.kms("Decrypt", CiphertextBlob=blob)["KeyId"] == second != first


def test_key_id(server, tencent, foreign, key_id):
    for wrong, code in [("x", "InvalidParameterValue.InvalidKeyId"), (UNKNOWN_KEY, "ResourceUnavailable.CmkNotFound")]:
        with fails(code):
            encrypt(tencent, wrong, b"x")
        with fails(code):
            tencent.kms("GenerateDataKey", KeyId=wrong, KeySpec="AES_128")
    with fails("ResourceUnavailable.CmkNotFound"):
        decrypt(Tencent(server.host, foreign.key), encrypt(tencent, key_id, b"x"))


class TestContext:
    @pytest.mark.parametrize(
        ("sealed", "opened"),
        [
            ('{"a":"1","b":"2"}', '{"b": "2",  "a": "1"}'),
            ('{"键":"值"}', '{"\\u952e":"\\u503c"}'),
            ("{}", ""),
            ("", "{}"),
            (None, "{}"),
        ],
    )
    def test_the_same_map_opens(self, tencent, key_id, sealed, opened):
        sealed = {} if sealed is None else {"EncryptionContext": sealed}
        assert decrypt(tencent, encrypt(tencent, key_id, b"x", **sealed), EncryptionContext=opened) == b"x"

    @pytest.mark.parametrize("opened", [None, "", "{}", '{"a":"2"}', '{"A":"1"}', '{"a":"1","b":"2"}', '{"a":"1 "}'])
    def test_another_map_does_not(self, tencent, key_id, opened):
        blob = encrypt(tencent, key_id, b"x", EncryptionContext='{"a":"1"}')
        with fails("FailedOperation.EncryptionError"):
            decrypt(tencent, blob, **({} if opened is None else {"EncryptionContext": opened}))

    @pytest.mark.parametrize("context", ["x", "[]", '"a"', '{"a":1}', '{"a":{"b":"c"}}', json.dumps({"a": "x" * CONTEXT_LIMIT})])
    def test_malformed(self, tencent, key_id, context):
        with fails("InvalidParameter"):
            encrypt(tencent, key_id, b"x", EncryptionContext=context)


class TestCiphertext:
    @pytest.mark.parametrize("blob", ["", "x", "a-k-b-k-c", b64(b"x" * 100), "-k--k-", "密文"])
    def test_malformed(self, tencent, blob):
        with fails("InvalidParameterValue.InvalidCiphertext"):
            decrypt(tencent, blob)

    def test_every_piece_is_bound(self, tencent, key_id, new_key):
        one, two = (encrypt(tencent, key, b"x" * 40).split("-k-") for key in (key_id, new_key()))
        for position in range(3):
            mixed = list(one)
            mixed[position] = two[position]
            if mixed == one:
                continue  # the piece is the same for both
            with pytest.raises(Exception) as caught:
                decrypt(tencent, "-k-".join(mixed))
            assert caught.value.get_code() in (
                "FailedOperation.EncryptionError",
                "InvalidParameterValue.InvalidCiphertext",
                "ResourceUnavailable.CmkNotFound",
            )

    def test_no_flipped_bit_opens(self, tencent, key_id):
        blob = encrypt(tencent, key_id, b"secret")
        raw = [bytearray(base64.b64decode(piece)) for piece in blob.split("-k-")]
        for piece in range(3):
            for position in {0, len(raw[piece]) // 2, len(raw[piece]) - 1}:
                changed = [bytearray(part) for part in raw]
                changed[piece][position] ^= 1
                with pytest.raises(Exception) as caught:
                    decrypt(tencent, "-k-".join(b64(bytes(part)) for part in changed))
                assert caught.value.get_code() != "InternalError"


class TestDataKey:
    @pytest.mark.parametrize(
        ("parameters", "size"),
        [
            ({"KeySpec": "AES_128"}, 16),
            ({"KeySpec": "AES_256"}, 32),
            ({"NumberOfBytes": 1}, 1),
            ({"NumberOfBytes": 1024}, 1024),
            ({"KeySpec": "AES_128", "NumberOfBytes": 7}, 7),
        ],
    )
    def test_size_and_round_trip(self, tencent, key_id, parameters, size):
        made = tencent.kms("GenerateDataKey", KeyId=key_id, **parameters)
        raw = base64.b64decode(made["Plaintext"])
        assert (len(raw), made["KeyId"]) == (size, key_id)
        assert decrypt(tencent, made["CiphertextBlob"]) == raw

    def test_two_differ(self, tencent, key_id):
        made = {tencent.kms("GenerateDataKey", KeyId=key_id, KeySpec="AES_256")["Plaintext"] for _ in range(5)}
        assert len(made) == 5

    def test_context(self, tencent, key_id):
        made = tencent.kms("GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext='{"a":"1"}')
        with fails("FailedOperation.EncryptionError"):
            decrypt(tencent, made["CiphertextBlob"])
        assert decrypt(tencent, made["CiphertextBlob"], EncryptionContext='{"a":"1"}')

    @pytest.mark.parametrize("parameters", [{}, {"NumberOfBytes": 1025}, {"KeySpec": "AES_512"}, {"KeySpec": "aes_256"}])
    def test_invalid_parameter(self, tencent, key_id, parameters):
        with fails("InvalidParameter"):
            tencent.kms("GenerateDataKey", KeyId=key_id, **parameters)


class TestAuthorisation:
    def test_encrypt_only(self, tencent, as_tencent, key_id):
        blob = encrypt(as_tencent("encrypter"), key_id, b"x")
        with fails("UnauthorizedOperation", "kms:Decrypt"):
            decrypt(as_tencent("encrypter"), blob)
        with fails("UnauthorizedOperation", "kms:GenerateDataKey"):
            as_tencent("encrypter").kms("GenerateDataKey", KeyId=key_id, KeySpec="AES_256")
        assert decrypt(tencent, blob) == b"x"

    def test_deny_over_allow(self, as_tencent, key_id, tencent):
        with fails("UnauthorizedOperation", "kms:Encrypt"):
            encrypt(as_tencent("denied"), key_id, b"x")
        assert decrypt(as_tencent("denied"), encrypt(tencent, key_id, b"x")) == b"x"


def test_states(tencent, new_key):
    """Encrypt and Decrypt through the life of a key; every blob still opens at the end."""
    key_id = new_key()
    blob = encrypt(tencent, key_id, b"kept")
    tencent.kms("DisableKey", KeyId=key_id)
    with fails("ResourceUnavailable.CmkDisabled"):
        encrypt(tencent, key_id, b"x")
    with fails("ResourceUnavailable.CmkDisabled"):
        decrypt(tencent, blob)
    tencent.kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
    with fails("ResourceUnavailable.CmkDisabled"):
        encrypt(tencent, key_id, b"x")
    with fails("ResourceUnavailable.CmkDisabled"):
        decrypt(tencent, blob)
    tencent.kms("CancelKeyDeletion", KeyId=key_id)
    tencent.kms("EnableKey", KeyId=key_id)
    assert decrypt(tencent, blob) == b"kept"
