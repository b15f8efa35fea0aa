"""The real binary as a child process: started on a folder, awaited, stopped, killed."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests

REPOSITORY = Path(__file__).resolve().parents[3]
READY_SECONDS = 20
STOP_SECONDS = 20


def binary() -> Path:
    """The binary under test: `CLAVIGER_BIN`, else the release build."""
    path = Path(os.environ.get("CLAVIGER_BIN", REPOSITORY / "target" / "release" / "claviger"))
    assert path.exists(), f"{path} is missing: cargo build --release"
    return path


def faulty_binary() -> Path:
    """The build whose commits fail on command, beside the binary: `examples/faulty_server`."""
    path = binary().parent / "examples" / "faulty_server"
    assert path.exists(), f"{path} is missing: cargo build --release -p claviger --example faulty_server"
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One process on one data folder. `stdout` and `stderr` of all its starts are kept beside the folder."""

    def __init__(self, folder: Path, *arguments: str, program: Path | None = None, port: int | None = None):
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.arguments = arguments
        self.program = program or binary()
        self.port = port or free_port()
        self.process: subprocess.Popen | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}"

    @property
    def command(self) -> list[str]:
        return [
            str(self.program),
            "dev",
            "--listen",
            self.host,
            "--data",
            str(self.data),
            *self.arguments,
        ]

    def start(self) -> "Server":
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder
            )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"exited {self.process.returncode} at start:\n{self.tail()}")
            try:
                if requests.get(self.endpoint + "/readyz", timeout=1).status_code == 200:
                    return self
            except requests.RequestException:
                time.sleep(0.02)
        self.kill()
        raise AssertionError(f"not ready after {READY_SECONDS} s:\n{self.tail()}")

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS)
        self.process = None
        return code

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    @property
    def credentials(self) -> dict:
        return json.loads((self.data / "credentials.json").read_text())

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_) -> None:
        self.kill()


def run(*arguments: str, timeout: int = 60) -> subprocess.CompletedProcess:
    """One of the binary's other commands, to its end."""
    return subprocess.run(
        [str(binary()), *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )
