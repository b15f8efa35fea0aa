"""The documented rates, per account and action, on a server that enforces them."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.huawei import Huawei
from harness.server import Server
from harness.tencent import Tencent

BIND_PER_SECOND = 100
UPDATE_ACCESS_KEY_PER_SECOND = 5


@pytest.fixture(scope="module")
def limited(tmp_path_factory, seed_file):
    with Server(tmp_path_factory.mktemp("limited"), "--seed", str(seed_file)) as running:
        yield running


def codes(calls) -> list[str]:
    """Runs them one after another; "" or the error code of each."""
    out = []
    for call in calls:
        try:
            call()
            out.append("")
        except Exception as refusal:
            assert refusal.get_code() == "RequestLimitExceeded", refusal
            out.append(refusal.get_message())
    return out


def test_update_access_key(limited, account):
    caller = Tencent(limited.host, account.key)
    spare = account.user("spare")
    started = time.monotonic()
    outcomes = codes(
        [
            lambda: caller.cam(
                "UpdateAccessKey", AccessKeyId=spare.keys[0].id, Status="Active", TargetUin=spare.uin
            )
        ]
        * 30
    )
    seconds = int(time.monotonic() - started) + 2
    assert 1 <= outcomes.count("") <= seconds * UPDATE_ACCESS_KEY_PER_SECOND
    message = next(text for text in outcomes if text)
    assert f"`{UPDATE_ACCESS_KEY_PER_SECOND}`" in message, message


def test_it_recovers(limited, account):
    time.sleep(1.1)
    caller = Tencent(limited.host, account.key)
    caller.cam("ListAccessKeys")


def test_limits_are_per_account_and_action(limited, account, foreign):
    mine, theirs = Tencent(limited.host, account.key), Tencent(limited.host, foreign.key)
    spare = account.user("spare")
    update = lambda: mine.cam(  # noqa: E731
        "UpdateAccessKey", AccessKeyId=spare.keys[0].id, Status="Active", TargetUin=spare.uin
    )
    assert any(codes([update] * 30))
    other = foreign.user("spare")
    theirs.cam("UpdateAccessKey", AccessKeyId=other.keys[0].id, Status="Active", TargetUin=other.uin)
    mine.cam("ListUsers")


def test_bind_cloud_resource(limited, account):
    caller = Tencent(limited.host, account.key)
    key_id = caller.kms("CreateKey", Alias="rate")["KeyId"]
    bind = lambda: caller.kms("BindCloudResource", KeyId=key_id, ProductId="p", ResourceId="r")  # noqa: E731
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        outcomes = [text for part in pool.map(lambda _: codes([bind] * 75), range(8)) for text in part]
    elapsed = time.monotonic() - started
    assert outcomes.count("") <= (int(elapsed) + 2) * BIND_PER_SECOND
    if len(outcomes) / elapsed > 2 * BIND_PER_SECOND:
        assert any(outcomes), "600 binds went through unlimited"
        assert f"`{BIND_PER_SECOND}`" in next(text for text in outcomes if text)


def test_without_limits(server, account):
    caller = Tencent(server.host, account.key)
    spare = account.user("spare")
    for _ in range(30):
        caller.cam("UpdateAccessKey", AccessKeyId=spare.keys[0].id, Status="Active", TargetUin=spare.uin)
    Huawei(server.endpoint, account).kms("list_keys", body={})
