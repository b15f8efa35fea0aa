"""Key material of the customer's own: wrapped and imported the way a client does it."""

import base64

from Crypto.Cipher import PKCS1_OAEP, PKCS1_v1_5
from Crypto.Hash import SHA1, SHA256
from Crypto.PublicKey import RSA

from .tencent import Tencent

MATERIAL = bytes(range(32))
"""32 bytes: what an AES-256 region takes."""


def wrap(material: bytes, public_key: str, algorithm: str) -> str:
    """`material` under the server's public key (base64 of DER SubjectPublicKeyInfo), as base64."""
    rsa = RSA.import_key(base64.b64decode(public_key))
    match algorithm:
        case "RSAES_PKCS1_V1_5":
            cipher = PKCS1_v1_5.new(rsa)
        case "RSAES_OAEP_SHA_1":
            cipher = PKCS1_OAEP.new(rsa, hashAlgo=SHA1)
        case "RSAES_OAEP_SHA_256":
            cipher = PKCS1_OAEP.new(rsa, hashAlgo=SHA256)
    return base64.b64encode(cipher.encrypt(material)).decode()


def import_material(
    tencent: Tencent,
    key_id: str,
    material: bytes = MATERIAL,
    algorithm: str = "RSAES_OAEP_SHA_256",
    **parameters,
) -> None:
    """The whole round: ask for the wrapping key, wrap, import."""
    asked = tencent.kms(
        "GetParametersForImport", KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048"
    )
    tencent.kms(
        "ImportKeyMaterial",
        KeyId=key_id,
        EncryptedKeyMaterial=wrap(material, asked["PublicKey"], algorithm),
        ImportToken=asked["ImportToken"],
        **parameters,
    )
