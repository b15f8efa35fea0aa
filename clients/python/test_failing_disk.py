"""Writes that fail under a running server: the documented errors, and nothing acknowledged is lost.

The limit on file sizes (`RLIMIT_FSIZE`) is lowered under the running process, so that the kernel refuses writes past it as a
full disk would, and raised again.
"""

import resource
import signal
import subprocess

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from harness.seed import AccessKey
from harness.server import Server, run
from harness.tencent import Tencent, fails

FAILED = {"InternalError", "UnsupportedOperation.ServiceTemporaryUnavailable"}


class Bounded(Server):
    """A server that gets an error instead of a signal for a write past the limit."""

    def start(self) -> "Bounded":
        # An ignored signal stays ignored in the child.
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        popen = subprocess.Popen
        subprocess.Popen = lambda *a, **k: popen(*a, restore_signals=False, **k)
        try:
            return super().start()
        finally:
            subprocess.Popen = popen
            signal.signal(signal.SIGXFSZ, before)

    def limit(self, size: int) -> None:
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.fixture
def server(tmp_path):
    with Bounded(tmp_path, "--no-limits") as running:
        yield running


@pytest.fixture
def root(server):
    credentials = server.credentials
    return Tencent(server.host, AccessKey(credentials["secret_id"], credentials["secret_key"]))


def outcome(call) -> str:
    try:
        call()
        return "ok"
    except TencentCloudSDKException as refusal:
        return refusal.get_code()


def audit_bytes(server) -> int:
    return max(path.stat().st_size for path in (server.data / "audit").glob("*.jsonl"))


def test_the_store_cannot_grow(server, root):
    kept = [root.kms("CreateKey", Alias=f"before-{n}")["KeyId"] for n in range(20)]
    blob = root.kms("Encrypt", KeyId=kept[0], Plaintext="QUJD")["CiphertextBlob"]
    # The audit may still grow a little; the store's file, which is larger already, takes no write past this.
    server.limit(audit_bytes(server) + 200_000)
    outcomes = {}
    for n in range(60):
        outcomes[f"full-{n}"] = outcome(lambda: root.kms("CreateKey", Alias=f"full-{n}", Description="x" * 1000))
    refused = {alias for alias, code in outcomes.items() if code != "ok"}
    assert refused, "no write failed: the limit did not bite"
    assert {outcomes[alias] for alias in refused} <= FAILED
    assert server.process.poll() is None
    # What is known already still works while nothing can be stored.
    assert root.kms("Decrypt", CiphertextBlob=blob)["Plaintext"] == "QUJD"

    server.limit(resource.RLIM_INFINITY)
    kept.append(root.kms("CreateKey", Alias="after")["KeyId"])

    def check():
        listed = root.kms("ListKeyDetail", Limit=200)
        aliases = {key["Alias"] for key in listed["KeyMetadatas"]}
        acknowledged = {alias for alias, code in outcomes.items() if code == "ok"}
        assert acknowledged <= aliases
        # One whose outcome was not known is there or not; if it is, it is whole.
        for key in listed["KeyMetadatas"]:
            made = root.kms("Encrypt", KeyId=key["KeyId"], Plaintext="QUJD")["CiphertextBlob"]
            assert root.kms("Decrypt", CiphertextBlob=made)["Plaintext"] == "QUJD"
        assert set(kept) <= {key["KeyId"] for key in listed["KeyMetadatas"]}
        assert root.kms("Decrypt", CiphertextBlob=blob)["Plaintext"] == "QUJD"

    check()
    assert server.stop() == 0
    server.start()
    check()
    assert server.stop() == 0
    verified = run("audit", "verify", str(server.data / "audit"))
    assert verified.returncode == 0, verified.stderr


def test_the_audit_cannot_grow(server, root):
    key = root.kms("CreateKey", Alias="a")["KeyId"]
    server.limit(1)
    # What cannot be audited is not told.
    with fails("InternalError"):
        root.kms("Encrypt", KeyId=key, Plaintext="QUJD")
    server.limit(resource.RLIM_INFINITY)
    assert root.kms("Encrypt", KeyId=key, Plaintext="QUJD")["KeyId"] == key
    assert server.stop() == 0
    verified = run("audit", "verify", str(server.data / "audit"))
    assert verified.returncode == 0, verified.stderr
    # The line of the request that was not told is there all the same.
    lines = "".join(path.read_text() for path in (server.data / "audit").glob("*.jsonl"))
    assert lines.count('"action":"kms.Encrypt"') == 2
