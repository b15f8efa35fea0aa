"""Requests the SDKs would not send: signed by hand, with any part changed."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone

import requests

from .seed import AccessKey


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@dataclass
class Tc3:
    """A TC3-HMAC-SHA256 request; `headers` are added (or replaced) after signing."""

    key: AccessKey
    action: str
    body: bytes = b"{}"
    service: str = "kms"
    version: str = "2019-01-18"
    content_type: str = "application/json"
    timestamp: int | None = None
    headers: dict = field(default_factory=dict)

    def send(self, endpoint: str, method: str = "POST", timeout=30) -> requests.Response:
        host = endpoint.removeprefix("http://")
        timestamp = int(time.time()) if self.timestamp is None else self.timestamp
        date = datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%d")
        canonical = (
            f"{method}\n/\n\ncontent-type:{self.content_type}\nhost:{host}\n\ncontent-type;host\n{sha256(self.body)}"
        )
        scope = f"{date}/{self.service}/tc3_request"
        to_sign = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{sha256(canonical.encode())}"
        signing = b"TC3" + self.key.secret.encode()
        for part in (date, self.service, "tc3_request"):
            signing = mac(signing, part)
        signature = mac(signing, to_sign).hex()
        headers = {
            "Host": host,
            "Content-Type": self.content_type,
            "X-TC-Action": self.action,
            "X-TC-Version": self.version,
            "X-TC-Timestamp": str(timestamp),
            "X-TC-Region": "ap-guangzhou",
            "X-TC-Language": "en-US",
            "Authorization": f"TC3-HMAC-SHA256 Credential={self.key.id}/{scope}, "
            f"SignedHeaders=content-type;host, Signature={signature}",
        }
        headers = {k: v for k, v in (headers | self.headers).items() if v is not None}
        return requests.request(method, endpoint + "/", data=self.body, headers=headers, timeout=timeout)


def tencent_error(answer: requests.Response) -> str:
    """The code of an error answer, having checked the envelope, the status and the exact content type."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json"), answer.text
    response = json.loads(answer.text)["Response"]
    assert set(response) == {"Error", "RequestId"} and set(response["Error"]) == {"Code", "Message"}
    return response["Error"]["Code"]
