"""What `claviger dev` prints to be pasted works when it is pasted: at the first start and at a later one."""

import os
import re
import subprocess
import sys
from pathlib import Path

from harness.server import Server

TOOLS = Path(sys.executable).parent
HEADING = re.compile(r"^# (tccli|Tencent Python SDK|Huawei Python SDK) \(.*\)$", re.MULTILINE)


def printed(server) -> dict[str, str]:
    """The snippets of the last start, by their heading."""
    text = server.log.read_text()
    text = text[text.rindex(" serves http://") :]
    parts = HEADING.split(text)[1:]
    bodies = (re.split(r"\n\n", body, maxsplit=1)[0] for body in parts[1::2])
    return dict(zip(parts[0::2], bodies, strict=True))


def paste(folder: Path, heading: str, snippet: str) -> str:
    command = ["bash", "-ec", snippet] if heading == "tccli" else [sys.executable, "-c", snippet]
    environment = os.environ | {"PATH": f"{TOOLS}:{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{heading}:\n{snippet}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_they_work(tmp_path):
    for start in ("first", "later"):
        with Server(tmp_path / "server") as server:
            snippets = printed(server)
            assert set(snippets) == {"tccli", "Tencent Python SDK", "Huawei Python SDK"}
            said = {heading: paste(tmp_path, heading, snippet) for heading, snippet in snippets.items()}
            assert "KeyId" in said["tccli"], start
            assert "TotalCount" in said["Tencent Python SDK"]
            assert '"total": 1' in said["Huawei Python SDK"] or '"total":1' in said["Huawei Python SDK"], said
            assert server.stop() == 0
