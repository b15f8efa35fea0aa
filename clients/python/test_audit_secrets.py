"""Audit lines for everything, provably unbroken; and no secret in any file or log line."""

import base64
import json
import shutil
import stat
import urllib.parse

import pytest

from harness.huawei import Huawei, refused, token
from harness.material import MATERIAL, import_material
from harness.seed import AccessKey
from harness.server import Server, run
from harness.tencent import Tencent, fails

PLAINTEXT = b"the plaintext of somebody's secret"
REQUESTS_PLAYED = 18
OWN_FILES = {"credentials.json", "root.key"}
"""What is meant to hold a secret, and is readable by its owner only."""


class Played:
    """A server on which much was done, and every secret that went over its wire."""

    def __init__(self, server: Server, account):
        self.server = server
        self.account = account
        self.secrets: dict[str, bytes] = {}
        self.request_ids: dict[str, str] = {}

    def know(self, name: str, secret: str | bytes) -> None:
        self.secrets[name] = secret.encode() if isinstance(secret, str) else secret

    def play(self) -> None:
        account, server = self.account, self.server
        for number, secret in enumerate(account.secrets):
            self.know(f"seeded {number}", secret)
        tencent, huawei = Tencent(server.host, account.key), Huawei(server.endpoint, account)
        made = tencent.kms("CreateKey", Alias="played", Tags=[{"TagKey": "a", "TagValue": "b"}])
        key_id = made["KeyId"]
        self.request_ids["CreateKey"] = made["RequestId"]
        self.know("plaintext", PLAINTEXT)
        sealed = tencent.kms("Encrypt", KeyId=key_id, Plaintext=base64.b64encode(PLAINTEXT).decode())
        self.request_ids["Encrypt"] = sealed["RequestId"]
        tencent.kms("Decrypt", CiphertextBlob=sealed["CiphertextBlob"])
        data_key = tencent.kms("GenerateDataKey", KeyId=key_id, KeySpec="AES_256")
        self.know("data key", base64.b64decode(data_key["Plaintext"]))
        other = huawei.kms("create_datakey", body={"key_id": key_id}).to_json_object()
        self.know("huawei data key", bytes.fromhex(other["plain_text"]))
        huawei.kms("encrypt_data", body={"key_id": key_id, "plain_text": PLAINTEXT.decode()})
        external = tencent.kms("CreateKey", Alias="external", Type=2)["KeyId"]
        import_material(tencent, external)
        self.know("imported material", MATERIAL)
        uin = tencent.cam("AddUser", Name="new", ConsoleLogin=1, Password="Passw0rd!of-new")["Uin"]
        self.know("password of a new user", "Passw0rd!of-new")
        pair = tencent.cam("CreateAccessKey", TargetUin=uin)["AccessKey"]
        self.know("new secret key", pair["SecretAccessKey"])
        self.new_key_id = pair["AccessKeyId"]
        self.request_ids["GetCallerIdentity"] = Tencent(
            server.host, AccessKey(pair["AccessKeyId"], pair["SecretAccessKey"])
        ).sts("GetCallerIdentity")["RequestId"]
        created = huawei.iam(
            "create_permanent_access_key", body={"credential": {"user_id": account.user("alice").user_id}}
        )
        self.know("new secret access key", created.to_json_object()["credential"]["secret"])
        own = token(server.endpoint, account)
        self.know("token", own)
        Huawei(server.endpoint, account, token=own).add_tag(key_id, "k", "v")
        huawei.repo("create_tenant_kms_grant")
        with fails("AuthFailure.SignatureFailure") as caught:
            Tencent(server.host, AccessKey(account.key.id, "0" * 32)).kms("ListKeys")
        self.request_ids["bad signature"] = caught.value.get_request_id()
        with refused(403) as caught:
            Huawei(server.endpoint, account, account.user("alice").keys[0]).add_tag(key_id, "k", "v")
        self.request_ids["forbidden"] = caught.value.request_id


@pytest.fixture(scope="module")
def played(tmp_path_factory, seed_file, account):
    server = Server(tmp_path_factory.mktemp("played"), "--seed", str(seed_file), "--no-limits")
    server.start()
    try:
        story = Played(server, account)
        story.play()
        assert server.stop() == 0
        server.start()
        assert server.stop() == 0
        story.know("root key", (server.data / "root.key").read_bytes().strip())
        printed = {name: server.credentials[name] for name in ("secret_key", "secret_access_key", "password")}
        for name, secret in printed.items():
            if secret not in account.secrets:
                story.know(f"printed {name}", secret)
        yield story
    finally:
        server.kill()


def spellings(secret: bytes) -> list[bytes]:
    """The ways one could write it down without meaning to."""
    encoded = base64.b64encode(secret)
    return [
        secret,
        encoded.rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
        secret.hex().encode(),
        secret.hex().upper().encode(),
        urllib.parse.quote(secret).encode(),
        json.dumps(secret.decode("latin-1"))[1:-1].encode(),
    ]


def test_no_secret_in_the_store_the_audit_or_anything_beside_them(played):
    files = [path for path in played.server.data.rglob("*") if path.is_file() and path.name not in OWN_FILES]
    assert any(path.suffix == ".redb" for path in files)
    for path in files:
        content = path.read_bytes()
        for name, secret in played.secrets.items():
            assert not any(text in content for text in spellings(secret)), f"{name} in {path.name}"


def test_no_secret_in_the_log(played):
    """The first account's own credentials are printed on purpose, once, at the first start."""
    content = played.server.log.read_bytes()
    for name, secret in played.secrets.items():
        if not name.startswith("printed"):
            assert not any(text in content for text in spellings(secret)), f"{name} in the log"


def test_no_secret_in_a_dump(played, tmp_path):
    dump = tmp_path / "dump"
    assert run("dump", "--data", str(played.server.data), "--out", str(dump)).returncode == 0
    content = dump.read_bytes()
    for name, secret in played.secrets.items():
        assert not any(text in content for text in spellings(secret)), f"{name} in the dump"


def test_files_with_secrets_are_the_owners_alone(played):
    for name in OWN_FILES:
        assert stat.S_IMODE((played.server.data / name).stat().st_mode) == 0o600


def test_every_request_left_a_line(played):
    """An access key is named once its signature is proven; what merely claims to be signed by it says nothing of it. Answers spell
    the id in the way of their cloud, the record always with hyphens."""
    records = [json.loads(line) for line in audit_lines(played.server)]
    alice, root = played.account.user("alice").keys[0].id, played.account.key.id
    expected = {
        "CreateKey": (root, "ok"),
        "Encrypt": (root, "ok"),
        "GetCallerIdentity": (played.new_key_id, "ok"),
        "bad signature": (None, "AuthFailure.SignatureFailure"),
        "forbidden": (alice, "KMS.0306"),
    }
    assert set(expected) == set(played.request_ids)
    for name, request_id in played.request_ids.items():
        hits = [record for record in records if record.get("request_id") == request_id]
        assert [(hit["access_key"], hit["outcome"]) for hit in hits] == [expected[name]], name


def test_no_line_is_missing(played):
    """As many as there were requests, each a JSON object; each segment starts with a line of its own."""
    records = [json.loads(line) for line in audit_lines(played.server)]
    requests = [record for record in records if "request_id" in record]
    assert len(requests) == REQUESTS_PLAYED
    assert [record["event"] for record in records if record not in requests] == ["segment"]
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))


def audit_lines(server) -> list[str]:
    segments = sorted((server.data / "audit").iterdir())
    return [line for segment in segments if segment.is_file() for line in segment.read_text().splitlines()]


class TestVerify:
    def test_whole_chain(self, played):
        done = run("audit", "verify", str(played.server.data / "audit"))
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("change", ["byte", "removed", "swapped", "repeated"])
    def test_names_the_first_broken_line(self, played, tmp_path, change):
        folder = tmp_path / "audit"
        shutil.copytree(played.server.data / "audit", folder)
        segment = max((path for path in folder.iterdir() if path.is_file()), key=lambda p: p.stat().st_size)
        lines = segment.read_text().splitlines(keepends=True)
        broken = 4
        match change:
            case "byte":
                position = lines[broken].index('"', 30) + 1
                other = "x" if lines[broken][position] != "x" else "y"
                lines[broken] = lines[broken][:position] + other + lines[broken][position + 1 :]
            case "removed":
                del lines[broken]
            case "swapped":
                lines[broken], lines[broken + 1] = lines[broken + 1], lines[broken]
            case "repeated":
                lines.insert(broken, lines[broken - 1])
        segment.write_text("".join(lines))
        done = run("audit", "verify", str(folder))
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert segment.name in said
        assert any(str(number) in said.replace(segment.name, "") for number in (broken + 1, broken + 2)), said

    def test_tail(self, played):
        done = run("audit", "tail", str(played.server.data / "audit"))
        assert done.returncode == 0 and done.stdout.strip()
