"""One server for the whole run, and for every test file an account of its own."""

from pathlib import Path

import pytest

from harness.faults import Faulty
from harness.huawei import Huawei
from harness.seed import Account, Seed
from harness.server import Server
from harness.tencent import Tencent

HERE = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("test_").replace("_", "-") for path in HERE.glob("test_*.py"))
FIRST = Account("first", 1)
FOREIGN = Account("foreign", 2)
ACCOUNTS = {name: Account(name, index) for index, name in enumerate(NAMES, start=3)}


@pytest.fixture(scope="session")
def seed_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("seed") / "seed.toml"
    path.write_text(Seed([FIRST, FOREIGN, *ACCOUNTS.values()]).toml())
    return path


@pytest.fixture(scope="session")
def server(tmp_path_factory, seed_file):
    """The shared server, without rate limits."""
    with Server(tmp_path_factory.mktemp("server"), "--seed", str(seed_file), "--no-limits") as running:
        yield running
        assert running.process.poll() is None, f"the server died:\n{running.tail()}"


@pytest.fixture(scope="module")
def account(request) -> Account:
    """This file's account."""
    return ACCOUNTS[Path(request.node.fspath).stem.removeprefix("test_").replace("_", "-")]


@pytest.fixture(scope="session")
def foreign() -> Account:
    """An account of somebody else."""
    return FOREIGN


@pytest.fixture(scope="module")
def tencent(server, account) -> Tencent:
    """This file's root user through Tencent's SDK."""
    return Tencent(server.host, account.key)


@pytest.fixture(scope="module")
def huawei(server, account) -> Huawei:
    """This file's root user through Huawei's SDKs."""
    return Huawei(server.endpoint, account, account.keys[1])


@pytest.fixture(scope="module")
def as_tencent(server, account):
    """A seeded user of this file's account, through Tencent's SDK."""
    return lambda name, **options: Tencent(server.host, account.user(name).keys[0], **options)


@pytest.fixture(scope="module")
def as_huawei(server, account):
    """A seeded user of this file's account, through Huawei's SDKs."""
    return lambda name: Huawei(server.endpoint, account, account.user(name).keys[0])


@pytest.fixture(scope="module")
def new_key(tencent):
    """Makes a key in this file's account; the id."""
    made = iter(range(10_000))

    def make(**parameters) -> str:
        parameters.setdefault("Alias", f"key-{next(made)}")
        return tencent.kms("CreateKey", **parameters)["KeyId"]

    return make


@pytest.fixture(scope="module")
def key_in_state(tencent, new_key):
    """Makes a key and takes it to the named state; the id."""

    def make(state: str) -> str:
        key_id = new_key(Type=2 if state == "PendingImport" else 1)
        if state in ("Disabled", "PendingDelete"):
            tencent.kms("DisableKey", KeyId=key_id)
        if state == "PendingDelete":
            tencent.kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
        described = tencent.kms("DescribeKey", KeyId=key_id)["KeyMetadata"]["KeyState"]
        assert described == state
        return key_id

    return make


@pytest.fixture(scope="module")
def faulty(tmp_path_factory, seed_file):
    """A server whose commits fail on command."""
    running = Faulty(tmp_path_factory.mktemp("faulty"), seed_file, FIRST)
    yield running
    running.server.kill()
