"""A server whose commits fail on command: the two outcomes that no client can provoke otherwise."""

from contextlib import contextmanager
from pathlib import Path

from .huawei import Huawei
from .seed import Account
from .server import Server, faulty_binary
from .tencent import Tencent

REFUSE = "refuse"
"""Commits certainly fail: nothing was written."""

UNKNOWN = "unknown"
"""Commits end without saying whether they happened."""


class Faulty:
    """The `faulty_server` example with one key in it."""

    def __init__(self, folder: Path, seed_file: Path, account: Account):
        self.control = folder / "control"
        self.control.parent.mkdir(parents=True, exist_ok=True)
        self.control.write_text("")
        self.server = Server(
            folder,
            "--seed",
            str(seed_file),
            "--no-limits",
            "--control",
            str(self.control),
            program=faulty_binary(),
        ).start()
        self.account = account
        self.tencent = Tencent(self.server.host, account.key)
        self.huawei = Huawei(self.server.endpoint, account)
        self.key_id = self.tencent.kms("CreateKey", Alias="faulty")["KeyId"]

    @contextmanager
    def commits(self, way: str):
        """Inside, every commit ends that way."""
        self.control.write_text(way)
        try:
            yield self
        finally:
            self.control.write_text("")
