"""Huawei's official Python SDKs, pointed at the server."""

import importlib
import json
from contextlib import contextmanager

import pytest
import requests
from huaweicloudsdkcodeartsrepo.v4 import CodeArtsRepoClient
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.signer.signer import Signer
from huaweicloudsdkiam.v3 import IamClient
from huaweicloudsdkiam.v3.iam_credentials import IamCredentials
from huaweicloudsdkkms.v2 import KmsClient

from .seed import AccessKey, Account, User

PACKAGES = {
    "codearts": "huaweicloudsdkcodeartsrepo.v4",
    "iam": "huaweicloudsdkiam.v3",
    "kms": "huaweicloudsdkkms.v2",
}


def with_token(token: str, project_id: str) -> BasicCredentials:
    """Credentials that send `X-Auth-Token` instead of signing. The builders check the class by its name."""

    class TokenCredentials(BasicCredentials):
        def sign_request(self, request):
            request.header_params["X-Auth-Token"] = token
            Signer.process_request_uri(request)
            return request

    TokenCredentials.__name__ = "BasicCredentials"
    return TokenCredentials("unused", "unused", project_id)


class Huawei:
    """One caller of one account, by access key or by token."""

    def __init__(
        self, endpoint: str, account: Account, key: AccessKey | None = None, token: str | None = None
    ):
        self.endpoint = endpoint
        self.account = account
        self.key = key or account.key
        self.token = token

    def credentials(self, project_id: str | None = None) -> BasicCredentials:
        project_id = project_id or self.account.project_id
        if self.token is not None:
            return with_token(self.token, project_id)
        return BasicCredentials(self.key.id, self.key.secret, project_id)

    def client(self, service: str, project_id: str | None = None):
        if service == "iam":
            signer = (
                IamCredentials(self.token)
                if self.token is not None
                else GlobalCredentials(self.key.id, self.key.secret, self.account.domain_id)
            )
            builder = IamClient.new_builder()
        else:
            signer = self.credentials(project_id)
            builder = (KmsClient if service == "kms" else CodeArtsRepoClient).new_builder()
        return builder.with_credentials(signer).with_endpoints([self.endpoint]).build()

    def call(self, service: str, operation: str, *, client=None, **fields):
        """The SDK's response object; `to_json_object()` is the body as sent, `status_code` the status."""
        package = importlib.import_module(PACKAGES[service])
        name = "".join(part.capitalize() for part in operation.split("_")) + "Request"
        request = getattr(package, name)(**fields)
        return getattr(client or self.client(service), operation)(request)

    def kms(self, operation: str, body: dict | None = None, **fields):
        if body is not None:
            fields["body"] = body
        return self.call("kms", operation, **fields)

    def iam(self, operation: str, **fields):
        return self.call("iam", operation, **fields)

    def repo(self, operation: str, **fields):
        fields.setdefault("tenant_id", self.account.domain_id)
        return self.call("codearts", operation, **fields)

    def tags(self, key_id: str) -> dict[str, str]:
        body = self.kms("show_kms_tags", key_id=key_id).to_json_object()
        assert body["existTagsNum"] == len(body["tags"])
        return {tag["key"]: tag["value"] for tag in body["tags"]}

    def add_tag(self, key_id: str, key: str, value: str = ""):
        return self.kms("create_kms_tag", key_id=key_id, body={"tag": {"key": key, "value": value}})

    def batch(self, key_id: str, action: str, tags: list[tuple[str, str]]):
        body = {"action": action, "tags": [{"key": k, "value": v} for k, v in tags]}
        return self.kms("batch_create_kms_tags", key_id=key_id, body=body)


@contextmanager
def refused(status: int, code: str | None = None):
    """The call inside is refused with exactly this status and error code."""
    with pytest.raises(ServiceResponseException) as caught:
        yield caught
    assert caught.value.status_code == status, caught.value
    if code is not None:
        assert caught.value.error_code == code, caught.value


def password_identity(account: Account, user: User | None = None) -> dict:
    """`auth.identity` for a password login; the root user bears the domain's name."""
    name, password = (account.name, account.password) if user is None else (user.name, user.password)
    return {
        "methods": ["password"],
        "password": {"user": {"name": name, "password": password, "domain": {"name": account.name}}},
    }


def issue_token(endpoint: str, identity: dict, scope: dict | None = None, query: str = "") -> requests.Response:
    auth = {"identity": identity} | ({"scope": scope} if scope is not None else {})
    return requests.post(f"{endpoint}/v3/auth/tokens{query}", json={"auth": auth}, timeout=30)


def token(endpoint: str, account: Account, user: User | None = None, scope: dict | None = None) -> str:
    """A token of that user, scoped to the account's project unless told otherwise."""
    scope = {"project": {"id": account.project_id}} if scope is None else scope
    answer = issue_token(endpoint, password_identity(account, user), scope)
    assert answer.status_code == 201, answer.text
    return answer.headers["X-Subject-Token"]


def nested_error(answer: requests.Response) -> str:
    """The code of a KMS error body, which has exactly these members."""
    body = json.loads(answer.text)
    assert set(body) == {"error"} and set(body["error"]) == {"error_code", "error_msg"}, body
    return body["error"]["error_code"]
