"""Huawei CodeArts Repo: the KMS grant and what may be done once it is there."""

import pytest
import requests
from conftest import FIRST
from huaweicloudsdkcodeartsrepo.v4 import CreateTenantKmsGrantRequest

from harness.huawei import Huawei, refused, token
from harness.tencent import fails

LOGIN_EXPIRED = {"error_code": "DEV.00000003", "error_msg": "Authentication information expired."}


def setting(huawei, **body):
    return huawei.repo("update_tenant_repo_encryption_setting", body=body)


@pytest.fixture(autouse=True)
def released(huawei):
    """Every test ends with no key bound to the service."""
    yield
    setting(huawei, encryption_type="normal")


class TestGrant:
    def test_absent_before_it_is_made(self, server):
        """`first` never makes one."""
        answer = Huawei(server.endpoint, FIRST).repo("show_tenant_kms_grant")
        assert answer.status_code == 202
        assert answer.to_json_object() == {"tenant_id": FIRST.domain_id, "assumed": False}

    def test_typed_request_of_the_example(self, huawei, account):
        request = CreateTenantKmsGrantRequest(tenant_id=account.domain_id)
        answer = huawei.client("codearts").create_tenant_kms_grant(request)
        assert answer.status_code == 200
        assert answer.to_json_object() == {"tenant_id": account.domain_id, "assumed": True}

    def test_idempotent_and_then_shown(self, huawei, account):
        for _ in range(2):
            assert huawei.repo("create_tenant_kms_grant").to_json_object()["assumed"] is True
        shown = huawei.repo("show_tenant_kms_grant")
        assert (shown.status_code, shown.to_json_object()["assumed"]) == (202, True)

    def test_by_token(self, server, account):
        by_token = Huawei(server.endpoint, account, token=token(server.endpoint, account))
        assert by_token.repo("create_tenant_kms_grant").status_code == 200
        domain = token(server.endpoint, account, scope={"domain": {"id": account.domain_id}})
        assert Huawei(server.endpoint, account, token=domain).repo("show_tenant_kms_grant").status_code == 202

    def test_needs_no_identity_policy(self, as_huawei):
        assert as_huawei("alice").repo("create_tenant_kms_grant").status_code == 200

    @pytest.mark.parametrize("method", ["post", "get"])
    @pytest.mark.parametrize("headers", [{}, {"X-Auth-Token": "expired"}, {"X-Auth-Token": ""}])
    def test_unauthorized(self, server, account, method, headers):
        url = f"{server.endpoint}/v4/tenants/{account.domain_id}/repo-encryption/kms-grant"
        answer = getattr(requests, method)(url, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()) == (401, LOGIN_EXPIRED)

    def test_unauthorized_by_access_key(self, server, account):
        wrong = Huawei(server.endpoint, account, type(account.key)(account.key.id, "wrong" * 8))
        with refused(401):
            wrong.repo("create_tenant_kms_grant")

    @pytest.mark.parametrize("operation", ["create_tenant_kms_grant", "show_tenant_kms_grant"])
    def test_foreign_tenant(self, huawei, foreign, operation):
        with refused(403, "CH.004403"):
            huawei.repo(operation, tenant_id=foreign.domain_id)


class TestSetting:
    """`KMS` only with the grant and an enabled symmetric key of the tenant; then the key is bound."""

    def test_without_the_grant(self, server, huawei):
        first = Huawei(server.endpoint, FIRST)
        key_id = first.kms("create_key", body={"key_alias": "grantless"}).to_json_object()["key_info"]["key_id"]
        with refused(400, "CH.010001"):
            setting(first, encryption_type="KMS", cmk_key_id=key_id)

    @pytest.fixture(autouse=True)
    def grant(self, huawei):
        huawei.repo("create_tenant_kms_grant")

    def test_default(self, huawei, account):
        shown = huawei.repo("show_tenant_repo_encryption_setting")
        body = shown.to_json_object()
        assert shown.status_code == 202
        assert (body["tenant_id"], body["encryption_type"]) == (account.domain_id, "normal")
        assert body["default_encryption_enabled"] is False

    def test_binds_the_key_until_it_is_released(self, huawei, tencent, new_key):
        key_id = new_key()
        answer = setting(huawei, encryption_type="KMS", default_encryption_enabled=True, cmk_key_id=key_id)
        body = answer.to_json_object()
        assert answer.status_code == 200
        assert (body["encryption_type"], body["cmk_key_id"], body["key_state"]) == ("KMS", key_id, 2)
        assert body["default_encryption_enabled"] is True
        with fails("FailedOperation.CmkUsedByCloudProduct"):
            tencent.kms("DisableKey", KeyId=key_id)
        with fails("FailedOperation.CmkUsedByCloudProduct"):
            tencent.kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
        with refused(400):
            huawei.kms("disable_key", body={"key_id": key_id})
        with refused(400):
            huawei.kms("delete_key", body={"key_id": key_id, "pending_days": "7"})
        setting(huawei, encryption_type="normal")
        assert huawei.repo("show_tenant_repo_encryption_setting").to_json_object()["default_encryption_enabled"] is False
        huawei.kms("disable_key", body={"key_id": key_id})

    def test_another_key_takes_over(self, huawei, new_key):
        old, new = new_key(), new_key()
        setting(huawei, encryption_type="KMS", cmk_key_id=old)
        setting(huawei, cmk_key_id=new)
        huawei.kms("disable_key", body={"key_id": old})
        with refused(400):
            huawei.kms("disable_key", body={"key_id": new})

    @pytest.mark.parametrize("spelling", ["KMS", "kms"])
    def test_type_is_read_without_case(self, huawei, new_key, spelling):
        answer = setting(huawei, encryption_type=spelling, cmk_key_id=new_key())
        assert answer.to_json_object()["encryption_type"] == "KMS"

    @pytest.mark.parametrize("state", ["Disabled", "PendingDelete", "PendingImport"])
    def test_key_must_be_enabled(self, huawei, key_in_state, state):
        with refused(400, "CH.010001"):
            setting(huawei, encryption_type="KMS", cmk_key_id=key_in_state(state))

    @pytest.mark.parametrize("key_id", [None, "", "x", "0d0466b0-e727-4d9c-b35d-f84bb474a37f"])
    def test_key_must_exist(self, huawei, key_id):
        with refused(400, "CH.010001"):
            setting(huawei, encryption_type="KMS", **({} if key_id is None else {"cmk_key_id": key_id}))

    def test_key_of_another_tenant(self, server, huawei, foreign):
        theirs = Huawei(server.endpoint, foreign).kms("create_key", body={"key_alias": "theirs"})
        with refused(400, "CH.010001"):
            setting(huawei, encryption_type="KMS", cmk_key_id=theirs.to_json_object()["key_info"]["key_id"])

    def test_unknown_type(self, huawei, new_key):
        with refused(400, "CH.010001"):
            setting(huawei, encryption_type="rot13", cmk_key_id=new_key())

    def test_foreign_tenant(self, huawei, foreign):
        with refused(403, "CH.004403"):
            huawei.repo("show_tenant_repo_encryption_setting", tenant_id=foreign.domain_id)


class TestLists:
    def test_cmks_in_pages(self, huawei, new_key):
        made = {new_key() for _ in range(3)}
        found, offset = [], 0
        while True:
            answer = huawei.repo("list_tenant_cmks", offset=offset, limit=2)
            assert answer.status_code == 202
            page = answer.to_json_object()
            if not page:
                break
            found += page
            offset += len(page)
        assert made <= {item["cmk_key_id"] for item in found}
        assert all(item["key_state"] in (1, 2, 3, 4, 5) and item["cmk_key_name"] for item in found)

    @pytest.mark.parametrize("limit", [0, 101])
    def test_page_size(self, huawei, limit):
        with refused(400, "CH.010001"):
            huawei.repo("list_tenant_cmks", limit=limit)

    def test_repositories(self, huawei):
        answer = huawei.repo("list_tenant_encrypted_repositories", order_by="repoName", sort="asc")
        assert (answer.status_code, answer.to_json_object()) == (202, [])

    @pytest.mark.parametrize("operation", ["list_tenant_cmks", "list_tenant_encrypted_repositories"])
    def test_foreign_tenant(self, huawei, foreign, operation):
        with refused(403, "CH.004403"):
            huawei.repo(operation, tenant_id=foreign.domain_id)
