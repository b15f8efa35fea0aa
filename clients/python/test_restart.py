"""The process: start, drain, refuse a rival, come back with everything, dump and restore."""

import base64
import json
import shutil
import signal
import socket
import subprocess
import time

import pytest
import requests

from harness.huawei import Huawei
from harness.raw import Tc3
from harness.seed import AccessKey
from harness.server import Server, binary, run
from harness.tencent import Tencent, fails

EXIT_SECONDS = 10
PLAINTEXT = base64.b64encode(b"older than the restart").decode()


@pytest.fixture
def server(tmp_path, seed_file):
    """A server of the test's own."""
    running = Server(tmp_path / "own", "--seed", str(seed_file), "--no-limits").start()
    yield running
    running.kill()


class Story:
    """A bit of everything, told before a restart and checked after it."""

    def __init__(self, server, account):
        self.account = account
        self.tell(server)

    def tell(self, server) -> None:
        tencent, huawei = Tencent(server.host, self.account.key), Huawei(server.endpoint, self.account)
        self.key_id = tencent.kms("CreateKey", Alias="story", Description="kept")["KeyId"]
        self.bound = tencent.kms("CreateKey", Alias="bound")["KeyId"]
        self.disabled = tencent.kms("CreateKey", Alias="disabled")["KeyId"]
        self.blob = tencent.kms("Encrypt", KeyId=self.key_id, Plaintext=PLAINTEXT)["CiphertextBlob"]
        tencent.kms("BindCloudResource", KeyId=self.bound, ProductId="p", ResourceId="r")
        tencent.kms("DisableKey", KeyId=self.disabled)
        huawei.batch(self.key_id, "create", [("a", "1"), ("b", "2")])
        huawei.repo("create_tenant_kms_grant")
        self.uin = tencent.cam("AddUser", Name="kept")["Uin"]
        self.pair = tencent.cam("CreateAccessKey", TargetUin=self.uin)["AccessKey"]
        tencent.cam(
            "UpdateAccessKey", AccessKeyId=self.pair["AccessKeyId"], Status="Inactive", TargetUin=self.uin
        )

    def check(self, server) -> None:
        tencent, huawei = Tencent(server.host, self.account.key), Huawei(server.endpoint, self.account)
        assert tencent.kms("Decrypt", CiphertextBlob=self.blob)["Plaintext"] == PLAINTEXT
        seen = tencent.kms("DescribeKey", KeyId=self.key_id)["KeyMetadata"]
        assert (seen["Alias"], seen["Description"]) == ("story", "kept")
        assert huawei.tags(self.key_id) == {"a": "1", "b": "2"}
        with fails("FailedOperation.CmkUsedByCloudProduct"):
            tencent.kms("DisableKey", KeyId=self.bound)
        assert tencent.kms("DescribeKey", KeyId=self.disabled)["KeyMetadata"]["KeyState"] == "Disabled"
        with fails("InvalidParameterValue.AliasAlreadyExists"):
            tencent.kms("CreateKey", Alias="story")
        (key,) = tencent.cam("ListAccessKeys", TargetUin=self.uin)["AccessKeys"]
        assert (key["AccessKeyId"], key["Status"]) == (self.pair["AccessKeyId"], "Inactive")
        assert huawei.repo("show_tenant_kms_grant").to_json_object()["assumed"] is True


def test_restart_keeps_all(server, account):
    story = Story(server, account)
    before = server.credentials
    for _ in range(2):
        assert server.stop() == 0
        server.start()
        story.check(server)
    assert server.credentials == before


def test_kill_keeps_all(server, account):
    story = Story(server, account)
    server.kill()
    server.start()
    story.check(server)


def test_the_seed_is_idempotent_and_does_not_undo(server, account):
    """Seeding again neither fails nor re-activates what was made inactive."""
    tencent = Tencent(server.host, account.key)
    spare = account.user("spare")
    tencent.cam("UpdateAccessKey", AccessKeyId=spare.keys[0].id, Status="Inactive", TargetUin=spare.uin)
    assert server.stop() == 0
    server.start()
    (key,) = tencent.cam("ListAccessKeys", TargetUin=spare.uin)["AccessKeys"]
    assert key["Status"] == "Inactive"
    with fails("AuthFailure.SecretIdNotFound"):
        Tencent(server.host, spare.keys[0]).sts("GetCallerIdentity")


def test_the_endpoint_is_written_at_each_start(tmp_path):
    """Port 0 is a port of the system's choosing, told in credentials.json."""
    data = tmp_path / "data"
    endpoints = set()
    for _ in range(2):
        process = subprocess.Popen(
            [str(binary()), "dev", "--listen", "127.0.0.1:0", "--data", str(data)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            endpoint = ready_endpoint(data / "credentials.json", endpoints)
            assert endpoint.startswith("http://127.0.0.1:") and not endpoint.endswith(":0")
            endpoints.add(endpoint)
            credentials = json.loads((data / "credentials.json").read_text())
            for path in ("/healthz", "/readyz", "/metrics"):
                assert requests.get(endpoint + path, timeout=5).status_code == 200
            for pair in (("secret_id", "secret_key"), ("access_key", "secret_access_key")):
                key = AccessKey(*(credentials[name] for name in pair))
                identity = Tencent(endpoint.removeprefix("http://"), key).sts("GetCallerIdentity")
                assert identity["AccountId"] == str(credentials["uin"])
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(EXIT_SECONDS) == 0


def ready_endpoint(path, known) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            endpoint = json.loads(path.read_text())["endpoint"]
            if endpoint not in known and requests.get(endpoint + "/readyz", timeout=1).status_code == 200:
                return endpoint
        except (OSError, ValueError, requests.RequestException):
            pass
        time.sleep(0.02)
    raise AssertionError("no ready endpoint in credentials.json")


def test_sigterm_lets_a_request_in_flight_finish(server, account):
    """Half a request is on the wire when the signal comes; the other half follows, and is answered."""
    body = b'{"Limit":5}'
    prepared = {}

    class Recorder(Exception):
        pass

    def record(method, url, data, headers, timeout):
        prepared.update(headers)
        raise Recorder

    original, requests.request = requests.request, record
    try:
        with pytest.raises(Recorder):
            Tc3(account.key, "ListKeys", body=body).send(server.endpoint)
    finally:
        requests.request = original
    head = "".join(f"{name}: {value}\r\n" for name, value in prepared.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=EXIT_SECONDS) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:4])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.sendall(body[4:])
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 200") and b'"Keys"' in answer, answer
    assert server.process.wait(EXIT_SECONDS) == 0


def test_sigterm_without_work_is_quick_and_clean(server):
    with socket.create_connection(("127.0.0.1", server.port)):
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < EXIT_SECONDS


def test_starts_well_under_a_second(server):
    assert server.stop() == 0
    started = time.monotonic()
    server.start()
    assert time.monotonic() - started < 1.0


def test_a_second_instance_is_refused_and_the_first_goes_on(server, account):
    rival = subprocess.run(
        [str(binary()), "dev", "--listen", "127.0.0.1:0", "--data", str(server.data)],
        capture_output=True,
        text=True,
        timeout=EXIT_SECONDS,
        check=False,
    )
    assert rival.returncode != 0
    assert str(server.data) in rival.stderr + rival.stdout
    assert "panicked" not in rival.stderr
    Tencent(server.host, account.key).kms("ListKeys")


def test_a_port_in_use_is_refused(server, tmp_path):
    rival = subprocess.run(
        [str(binary()), "dev", "--listen", server.host, "--data", str(tmp_path / "other")],
        capture_output=True,
        text=True,
        timeout=EXIT_SECONDS,
        check=False,
    )
    assert rival.returncode != 0 and server.host in rival.stderr + rival.stdout


def test_another_root_key_is_refused(server, account):
    Story(server, account)
    assert server.stop() == 0
    root = server.data / "root.key"
    kept = root.read_bytes()
    root.write_bytes(bytes(len(kept)) if not kept.isascii() else b"0" * len(kept))
    with pytest.raises(AssertionError, match="exited"):
        server.start()
    root.write_bytes(kept)
    server.start()


class TestDumpAndRestore:
    def test_round_trip(self, server, account, tmp_path, seed_file):
        story = Story(server, account)
        assert server.stop() == 0
        dump = tmp_path / "store.dump"
        done = run("dump", "--data", str(server.data), "--out", str(dump))
        assert done.returncode == 0, done.stderr
        copy = Server(tmp_path / "copy", "--seed", str(seed_file), "--no-limits")
        copy.data.mkdir(parents=True)
        shutil.copy2(server.data / "root.key", copy.data / "root.key")
        done = run("restore", "--data", str(copy.data), "--in", str(dump))
        assert done.returncode == 0, done.stderr
        with copy:
            story.check(copy)

    def test_running_server_is_not_dumped_behind_its_back(self, server, tmp_path):
        done = run("dump", "--data", str(server.data), "--out", str(tmp_path / "dump"))
        assert done.returncode != 0

    def test_not_over_an_existing_store(self, server, account, tmp_path):
        assert server.stop() == 0
        dump = tmp_path / "store.dump"
        assert run("dump", "--data", str(server.data), "--out", str(dump)).returncode == 0
        done = run("restore", "--data", str(server.data), "--in", str(dump))
        assert done.returncode != 0 and "is there already" in done.stderr, done.stderr
        server.start()
        Tencent(server.host, account.key).kms("ListKeys")

    @pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "not a dump"])
    def test_damaged_dump_is_refused(self, server, account, tmp_path, damage):
        Story(server, account)
        assert server.stop() == 0
        dump = tmp_path / "store.dump"
        assert run("dump", "--data", str(server.data), "--out", str(dump)).returncode == 0
        content = bytearray(dump.read_bytes())
        match damage:
            case "cut":
                content = content[: len(content) * 2 // 3]
            case "flipped":
                content[len(content) // 2] ^= 1
            case "empty":
                content = bytearray()
            case "not a dump":
                content = bytearray(b"hello\n")
        dump.write_bytes(content)
        fresh = tmp_path / "fresh"
        fresh.mkdir()
        shutil.copy2(server.data / "root.key", fresh / "root.key")
        done = run("restore", "--data", str(fresh), "--in", str(dump))
        assert done.returncode == 1 and "dump" in done.stderr and "panicked" not in done.stderr, done.stderr
        assert not (fresh / "claviger.redb").exists()
