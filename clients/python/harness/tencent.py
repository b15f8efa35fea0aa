"""Tencent's official Python SDK, pointed at the server."""

import importlib
import json
from contextlib import contextmanager

import pytest
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from .seed import AccessKey

VERSIONS = {"cam": "20190116", "kms": "20190118", "sts": "20180813", "tag": "20180813"}
CLIENTS = {"cam": "CamClient", "kms": "KmsClient", "sts": "StsClient", "tag": "TagClient"}


class Tencent:
    """One signer. `call` goes through the typed client of the service; `call_untyped` sends any parameters."""

    def __init__(self, host: str, key: AccessKey, region: str = "ap-guangzhou", **options):
        self.host = host
        self.key = key
        self.region = region
        self.options = options

    def profile(self) -> ClientProfile:
        http = HttpProfile(
            protocol="http", endpoint=self.host, reqMethod=self.options.get("method", "POST"), reqTimeout=30
        )
        profile = ClientProfile(httpProfile=http, signMethod=self.options.get("sign", "TC3-HMAC-SHA256"))
        profile.language = self.options.get("language", "en-US")
        profile.unsignedPayload = self.options.get("unsigned_payload", False)
        return profile

    def client(self, service: str):
        module = importlib.import_module(
            f"tencentcloud.{service}.v{VERSIONS[service]}.{service}_client"
        )
        signer = credential.Credential(self.key.id, self.key.secret, self.options.get("token"))
        return getattr(module, CLIENTS[service])(signer, self.region, self.profile())

    def call(self, service: str, action: str, **parameters) -> dict:
        models = importlib.import_module(f"tencentcloud.{service}.v{VERSIONS[service]}.models")
        request = getattr(models, action + "Request")()
        request._deserialize(parameters)
        return json.loads(getattr(self.client(service), action)(request).to_json_string())

    def call_untyped(self, service: str, action: str, parameters: dict, version: str | None = None) -> dict:
        client = self.client(service)
        if version is not None:
            client._apiVersion = version
        return client.call_json(action, parameters)["Response"]

    def kms(self, action: str, **parameters) -> dict:
        return self.call("kms", action, **parameters)

    def cam(self, action: str, **parameters) -> dict:
        return self.call("cam", action, **parameters)

    def tag(self, action: str, **parameters) -> dict:
        return self.call("tag", action, **parameters)

    def sts(self, action: str, **parameters) -> dict:
        return self.call("sts", action, **parameters)


@contextmanager
def fails(code: str, message: str | None = None):
    """The call inside is refused with exactly this code, and carries a request id."""
    with pytest.raises(TencentCloudSDKException) as caught:
        yield caught
    assert (caught.value.get_code(), bool(caught.value.get_message())) == (code, True), caught.value
    assert caught.value.get_request_id(), "an error without a RequestId"
    if message is not None:
        assert message in caught.value.get_message()
