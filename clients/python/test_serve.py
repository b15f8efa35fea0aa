"""`claviger serve`: a configuration file, TLS, several listeners, and what is refused in it."""

import json
import subprocess

import pytest
import requests
from tencentcloud.common import credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sts.v20180813 import models, sts_client

from harness.huawei import Huawei, refused
from harness.seed import AccessKey
from harness.server import Server, free_port, run
from harness.tencent import Tencent, fails

MINIMAL = """
[[listener]]
address = "127.0.0.1:{port}"

[data]
folder = "{data}"

[root_key]
{root_key}
"""
TLS = """
[[listener]]
address = "127.0.0.1:{port}"
tls = {{ certificate = "{certificate}", key = "{key}" }}
"""


class Configured(Server):
    """`claviger serve` instead of `claviger dev`."""

    def configure(self, text: str) -> "Configured":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "claviger.toml"
        self.file.write_text(text)
        return self

    @property
    def command(self) -> list[str]:
        return [str(self.program), "serve", "--config", str(self.file), *self.arguments]


@pytest.fixture
def data(tmp_path, seed_file):
    """A data folder with the seeded accounts in it, made by `dev`."""
    first = Server(tmp_path / "first", "--seed", str(seed_file)).start()
    assert first.stop() == 0
    return first.data


def minimal(data, port, root_key=None) -> str:
    return MINIMAL.format(port=port, data=data, root_key=root_key or f'file = "{data}/root.key"')


def test_two_listeners_one_with_tls(data, tmp_path, account):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )  # fmt: skip
    secure = free_port()
    server = Configured(tmp_path / "serve")
    text = minimal(data, server.port) + TLS.format(port=secure, certificate=certificate, key=key)
    with server.configure(text):
        Tencent(server.host, account.key).kms("ListKeys")
        http = HttpProfile(protocol="https", endpoint=f"localhost:{secure}", certification=str(certificate))
        signer = credential.Credential(account.key.id, account.key.secret)
        client = sts_client.StsClient(signer, "ap-guangzhou", ClientProfile(httpProfile=http))
        assert client.GetCallerIdentity(models.GetCallerIdentityRequest()).AccountId == str(account.uin)
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"https://localhost:{secure}/healthz", timeout=5)
        assert server.stop() == 0


def test_the_example_is_accepted_by_the_check(tmp_path):
    example = run("config", "example")
    assert example.returncode == 0 and "#" in example.stdout
    path = tmp_path / "claviger.toml"
    path.write_text(example.stdout)
    for arguments in ([str(path)], ["--config", str(path)]):
        done = run("config", "check", *arguments)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("old", "new", "hints"),
    [
        ("[data]\nfolder", "[data]\nfoldr", ["foldr", "folder"]),
        ("[[listener]]\naddress", "[[listener]]\nadress", ["adress", "address"]),
        ("[root_key]", "[rootkey]", ["rootkey", "root_key"]),
    ],
)
def test_unknown_key_is_named_with_its_line_and_a_suggestion(data, tmp_path, old, new, hints):
    text = minimal(data, 7600)
    assert old in text
    changed = text.replace(old, new)
    line = next(n for n, row in enumerate(changed.splitlines(), 1) if hints[0] in row)
    path = tmp_path / "claviger.toml"
    path.write_text(changed)
    done = run("config", "check", str(path))
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert all(hint in said for hint in hints) and str(line) in said, said


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "",
        '[[listener]]\naddress = "nowhere"\n[data]\nfolder = "x"\n[root_key]\nfile = "x"\n',
        '[[listener]]\naddress = 5\n[data]\nfolder = "x"\n[root_key]\nfile = "x"\n',
        '[data]\nfolder = "x"\n[root_key]\nfile = "a"\npassphrase_file = "b"\n',
    ],
)
def test_refused(tmp_path, text):
    path = tmp_path / "claviger.toml"
    path.write_text(text)
    done = run("config", "check", str(path))
    assert done.returncode != 0 and "panicked" not in done.stderr
    assert done.stderr.strip()


REGIONS = """
[[region]]
name = "south"
tencent = ["ap-guangzhou", "ap-shenzhen"]
huawei = ["cn-south-1"]
[[region]]
name = "north"
tencent = ["ap-beijing"]
huawei = ["cn-north-4"]
[rates]
enabled = false
"""


def test_two_regions(tmp_path, seed_file, account):
    """A key belongs to one region, and a policy that names a region speaks of the keys there."""
    server = Configured(tmp_path / "serve", "--seed", str(seed_file))
    with server.configure(minimal(tmp_path / "data", server.port) + REGIONS):
        south, north = (Tencent(server.host, account.key, region) for region in ("ap-guangzhou", "ap-beijing"))
        keys = {region: root.kms("CreateKey", Alias="one")["KeyId"] for region, root in (("ap-guangzhou", south), ("ap-beijing", north))}
        keys["ap-shenzhen"] = keys["ap-guangzhou"]
        with fails("ResourceUnavailable.CmkNotFound"):
            north.kms("DescribeKey", KeyId=keys["ap-guangzhou"])
        with fails("UnsupportedRegion"):
            Tencent(server.host, account.key, "ap-tokyo").kms("ListKeys")
        for named, allowed in [
            ("", {"ap-guangzhou", "ap-shenzhen", "ap-beijing"}),
            ("ap-guangzhou", {"ap-guangzhou", "ap-shenzhen"}),
            ("ap-shenzhen", {"ap-guangzhou", "ap-shenzhen"}),
            ("ap-beijing", {"ap-beijing"}),
            ("ap-tokyo", set()),
        ]:
            key = sub_user(server, south, f"kms-{named}", f"qcs::kms:{named}:uin/{account.uin}:key/*")
            for region, key_id in keys.items():
                caller = Tencent(server.host, key, region)
                if region in allowed:
                    caller.kms("Encrypt", KeyId=key_id, Plaintext="eA==")
                else:
                    with fails("UnauthorizedOperation", "kms:Encrypt"):
                        caller.kms("Encrypt", KeyId=key_id, Plaintext="eA==")


def sub_user(server, root, name: str, resource: str) -> AccessKey:
    """Someone who may do anything with that resource."""
    uin = root.cam("AddUser", Name=name)["Uin"]
    statement = [{"effect": "allow", "action": "kms:*", "resource": resource}]
    document = json.dumps({"version": "2.0", "statement": statement})
    policy_id = root.cam("CreatePolicy", PolicyName=name, PolicyDocument=document)["PolicyId"]
    root.cam("AttachUserPolicy", PolicyId=policy_id, AttachUin=uin)
    pair = root.cam("CreateAccessKey", TargetUin=uin)["AccessKey"]
    return AccessKey(pair["AccessKeyId"], pair["SecretAccessKey"])


def test_modern_tags(data, tmp_path, account):
    """The profile with 20 tags of up to 128 and 255 characters, in which `=` is a character like another."""
    server = Configured(tmp_path / "serve")
    text = minimal(data, server.port) + '[tags]\nprofile = "modern"\n[rates]\nenabled = false\n'
    with server.configure(text):
        huawei = Huawei(server.endpoint, account)
        made = huawei.kms("create_key", body={"key_alias": "modern"}).to_json_object()
        key_id = made["key_info"]["key_id"]
        huawei.batch(key_id, "create", [(f"k={n}" + "x" * 120, "v=" + "x" * 250) for n in range(20)])
        assert len(huawei.tags(key_id)) == 20
        with refused(400, "KMS.0409"):
            huawei.add_tag(key_id, "one-more")
