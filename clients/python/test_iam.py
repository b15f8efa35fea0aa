"""Huawei IAM: tokens, projects, domains, catalog and permanent access keys."""

import re

import pytest
import requests

from harness.huawei import Huawei, issue_token, password_identity, refused, token
from harness.seed import AccessKey

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
NOT_AUTHENTICATED = "The request you have made requires authentication."
OFFLINE_PROJECT = "0" * 32


def keystone_error(answer: requests.Response, status: int, title: str) -> str:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "code", "title"}
    assert (error["code"], error["title"]) == (status, title)
    return error["message"]


class TestIssue:
    def issue(self, server, account, scope=None, user=None, query=""):
        return issue_token(server.endpoint, password_identity(account, user), scope, query)

    @pytest.mark.parametrize("user", [None, "alice"])
    def test_project_scope(self, server, account, user):
        user = account.user(user) if user else None
        answer = self.issue(server, account, {"project": {"id": account.project_id}}, user)
        assert answer.status_code == 201 and answer.headers["X-Subject-Token"]
        body = answer.json()["token"]
        assert body["methods"] == ["password"]
        assert STAMP.match(body["issued_at"]) and STAMP.match(body["expires_at"])
        domain = {"id": account.domain_id, "name": account.name}
        assert body["user"]["domain"] == domain and body["project"]["domain"] == domain
        assert body["project"]["id"] == account.project_id
        assert user is None or (body["user"]["id"], body["user"]["name"]) == (user.user_id, user.name)
        assert "domain" not in body and isinstance(body["roles"], list)

    def test_catalog(self, server, account):
        scope = {"project": {"id": account.project_id}}
        catalog = self.issue(server, account, scope).json()["token"]["catalog"]
        services = {entry["type"]: entry["endpoints"][0]["url"] for entry in catalog}
        assert account.project_id in services["kms"] and server.host in services["kms"]
        assert "iam" in services or "identity" in services
        assert "catalog" not in self.issue(server, account, scope, query="?nocatalog=true").json()["token"]

    def test_project_by_name(self, server, account):
        by_id = self.issue(server, account, {"project": {"id": account.project_id}}).json()["token"]
        by_name = self.issue(server, account, {"project": {"name": by_id["project"]["name"]}})
        assert by_name.json()["token"]["project"]["id"] == account.project_id

    @pytest.mark.parametrize("scope", [None, "id", "name"])
    def test_domain_scope(self, server, account, scope):
        chosen = {"id": {"domain": {"id": account.domain_id}}, "name": {"domain": {"name": account.name}}}
        body = self.issue(server, account, chosen.get(scope)).json()["token"]
        assert body["domain"] == {"id": account.domain_id, "name": account.name} and "project" not in body

    def test_project_wins_over_domain(self, server, account):
        scope = {"project": {"id": account.project_id}, "domain": {"id": account.domain_id}}
        assert "project" in self.issue(server, account, scope).json()["token"]

    def test_by_user_id(self, server, account):
        alice = account.user("alice")
        identity = {"methods": ["password"], "password": {"user": {"id": alice.user_id, "password": alice.password}}}
        assert issue_token(server.endpoint, identity).status_code == 201

    @pytest.mark.parametrize(
        "change",
        [{"password": "wrong"}, {"password": ""}, {"name": "nobody"}, {"domain": {"name": "nowhere"}}],
    )
    def test_wrong_credentials_are_told_alike(self, server, account, change):
        identity = password_identity(account)
        identity["password"]["user"] |= change
        message = keystone_error(issue_token(server.endpoint, identity), 401, "Unauthorized")
        identity = password_identity(account)
        identity["password"]["user"]["password"] = "also wrong"
        assert message == keystone_error(issue_token(server.endpoint, identity), 401, "Unauthorized")

    @pytest.mark.parametrize("change", [{"access": {"key": "UNKNOWN"}}, {"secret": {"key": "wrong"}}])
    def test_wrong_access_key(self, server, account, change):
        pair = {"access": {"key": account.key.id}, "secret": {"key": account.key.secret}} | change
        identity = {"methods": ["hw_ak_sk"], "hw_ak_sk": pair}
        keystone_error(issue_token(server.endpoint, identity), 401, "Unauthorized")

    @pytest.mark.parametrize(
        "identity",
        [
            {},
            {"methods": []},
            {"methods": ["mapped"]},
            {"methods": ["hw_assume_role"]},
            {"methods": ["password"]},
            {"methods": ["password"], "password": {}},
            {"methods": ["password"], "password": {"user": {"name": 5, "password": "x"}}},
            {"methods": ["token"]},
            {"methods": ["hw_ak_sk"], "hw_ak_sk": {"access": {}}},
            {"methods": "password"},
        ],
    )
    def test_malformed(self, server, identity):
        keystone_error(issue_token(server.endpoint, identity), 400, "Bad Request")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"auth":{}}', b"\xff"])
    def test_no_request_at_all(self, server, body):
        headers = {"Content-Type": "application/json"}
        answer = requests.post(f"{server.endpoint}/v3/auth/tokens", data=body, headers=headers, timeout=30)
        keystone_error(answer, 400, "Bad Request")

    def test_project_of_somebody_else(self, server, account, foreign):
        for project in (foreign.project_id, OFFLINE_PROJECT):
            answer = self.issue(server, account, {"project": {"id": project}})
            assert answer.status_code in (401, 403, 404)

    def test_through_the_sdk(self, server, account):
        """The typed request; the token arrives in a header the SDK copies into the answer."""
        iam = Huawei(server.endpoint, account, token="unused")
        answer = iam.iam(
            "keystone_create_user_token_by_password",
            body={"auth": {"identity": password_identity(account), "scope": {"domain": {"name": account.name}}}},
        )
        assert answer.status_code == 201 and answer.x_subject_token
        assert answer.token.user.domain.id == account.domain_id


class TestExamine:
    """GET, HEAD and DELETE of a token."""

    def url(self, server):
        return f"{server.endpoint}/v3/auth/tokens"

    def test_own_token(self, server, account):
        own = token(server.endpoint, account)
        headers = {"X-Auth-Token": own, "X-Subject-Token": own}
        answer = requests.get(self.url(server), headers=headers, timeout=30)
        assert answer.status_code == 200 and answer.headers["X-Subject-Token"] == own
        assert answer.json()["token"]["project"]["id"] == account.project_id
        head = requests.head(self.url(server), headers=headers, timeout=30)
        assert (head.status_code, head.content) == (200, b"")

    def test_through_the_sdk(self, server, account):
        own = token(server.endpoint, account)
        answer = Huawei(server.endpoint, account, token=own).iam("keystone_validate_token", x_subject_token=own)
        assert answer.token.user.domain.id == account.domain_id

    @pytest.mark.parametrize("method", ["get", "head", "delete"])
    def test_unknown_subject_and_bad_caller(self, server, account, method):
        own = token(server.endpoint, account)
        call = getattr(requests, method)
        unknown = call(self.url(server), headers={"X-Auth-Token": own, "X-Subject-Token": "nope"}, timeout=30)
        assert unknown.status_code == 404
        bad = call(self.url(server), headers={"X-Auth-Token": "nope", "X-Subject-Token": own}, timeout=30)
        assert bad.status_code == 401

    def test_subject_of_another_account(self, server, account, foreign):
        own, other = token(server.endpoint, account), token(server.endpoint, foreign)
        answer = requests.get(
            self.url(server), headers={"X-Auth-Token": own, "X-Subject-Token": other}, timeout=30
        )
        assert answer.status_code in (403, 404)

    def test_deleted_for_good(self, server, account):
        caller, subject = token(server.endpoint, account), token(server.endpoint, account)
        headers = {"X-Auth-Token": caller, "X-Subject-Token": subject}
        assert requests.delete(self.url(server), headers=headers, timeout=30).status_code == 204
        assert requests.get(self.url(server), headers=headers, timeout=30).status_code == 404
        assert requests.delete(self.url(server), headers=headers, timeout=30).status_code == 404


@pytest.fixture(params=["signed", "token"])
def caller(request, server, account):
    """By access key and by token."""
    own = token(server.endpoint, account) if request.param == "token" else None
    return Huawei(server.endpoint, account, token=own)


class TestDirectory:
    def test_projects(self, caller, account):
        for operation in ("keystone_list_projects", "keystone_list_auth_projects"):
            (project,) = caller.iam(operation).to_json_object()["projects"]
            assert (project["id"], project["domain_id"]) == (account.project_id, account.domain_id)
            assert project["enabled"] is True and project["name"]

    def test_projects_by_name(self, caller, account):
        (project,) = caller.iam("keystone_list_projects").to_json_object()["projects"]
        same = caller.iam("keystone_list_projects", name=project["name"]).to_json_object()["projects"]
        assert [entry["id"] for entry in same] == [account.project_id]

    def test_domains(self, caller, account):
        (domain,) = caller.iam("keystone_list_auth_domains").to_json_object()["domains"]
        assert (domain["id"], domain["name"], domain["enabled"]) == (account.domain_id, account.name, True)

    def test_catalog(self, server, account):
        own = token(server.endpoint, account)
        answer = requests.get(f"{server.endpoint}/v3/auth/catalog", headers={"X-Auth-Token": own}, timeout=30)
        assert answer.status_code == 200
        assert "kms" in {entry["type"] for entry in answer.json()["catalog"]} and "links" in answer.json()

    @pytest.mark.parametrize("path", ["/v3/projects", "/v3/auth/projects", "/v3/auth/domains", "/v3/auth/catalog"])
    def test_unauthenticated(self, server, path):
        assert requests.get(server.endpoint + path, timeout=30).status_code == 401


class TestPermanentAccessKeys:
    @pytest.fixture
    def spare(self, account):
        return account.user("spare")

    @pytest.fixture
    def made(self, huawei, spare):
        answer = huawei.iam(
            "create_permanent_access_key",
            body={"credential": {"user_id": spare.user_id, "description": "ci"}},
        )
        assert answer.status_code == 201
        credential = answer.to_json_object()["credential"]
        yield credential
        try:
            huawei.iam("delete_permanent_access_key", access_key=credential["access"])
        except Exception as gone:
            assert gone.status_code == 404

    def test_shape_and_use(self, server, account, made, spare):
        assert re.match(r"^[A-Z0-9]{20}$", made["access"]) and re.match(r"^[A-Za-z0-9]{40}$", made["secret"])
        assert (made["user_id"], made["status"], made["description"]) == (spare.user_id, "active", "ci")
        assert STAMP.match(made["create_time"])
        new = Huawei(server.endpoint, account, AccessKey(made["access"], made["secret"]))
        assert new.kms("list_keys", body={}).status_code == 200

    def test_listed_and_shown_without_the_secret(self, huawei, made, spare):
        listed = huawei.iam("list_permanent_access_keys", user_id=spare.user_id).to_json_object()["credentials"]
        assert made["access"] in [entry["access"] for entry in listed]
        shown = huawei.iam("show_permanent_access_key", access_key=made["access"]).to_json_object()["credential"]
        assert shown["access"] == made["access"] and shown["last_use_time"]
        assert all("secret" not in entry for entry in [*listed, shown])

    def test_made_inactive_and_active_again(self, server, account, huawei, made):
        new = Huawei(server.endpoint, account, AccessKey(made["access"], made["secret"]))
        for status in ("inactive", "active"):
            answer = huawei.iam(
                "update_permanent_access_key",
                access_key=made["access"],
                body={"credential": {"status": status, "description": status}},
            )
            credential = answer.to_json_object()["credential"]
            assert (credential["status"], credential["description"]) == (status, status)
            if status == "inactive":
                with refused(401, "APIGW.0301"):
                    new.kms("list_keys", body={})
            else:
                new.kms("list_keys", body={})

    def test_deleted(self, server, account, huawei, made):
        assert huawei.iam("delete_permanent_access_key", access_key=made["access"]).status_code == 204
        with refused(404):
            huawei.iam("show_permanent_access_key", access_key=made["access"])
        with refused(401, "APIGW.0301"):
            Huawei(server.endpoint, account, AccessKey(made["access"], made["secret"])).kms("list_keys", body={})

    def test_third(self, huawei, made, spare):
        with refused(400) as caught:
            huawei.iam("create_permanent_access_key", body={"credential": {"user_id": spare.user_id}})
        assert caught.value.error_msg == "akSkNumExceed"

    def test_own_keys_need_a_grant_too(self, as_huawei, account):
        """One law for both clouds: what CAM does not allow a sub-user, IAM does not either."""
        alice, keeper = account.user("alice"), account.user("keeper")
        with refused(403):
            as_huawei("alice").iam("list_permanent_access_keys")
        with refused(403):
            as_huawei("alice").iam("show_permanent_access_key", access_key=alice.keys[0].id)
        listed = as_huawei("keeper").iam("list_permanent_access_keys").to_json_object()["credentials"]
        assert [entry["access"] for entry in listed] == [keeper.keys[0].id]

    def test_others_keys_do(self, as_huawei, made, spare):
        with refused(403):
            as_huawei("alice").iam("list_permanent_access_keys", user_id=spare.user_id)
        with refused(403):
            as_huawei("alice").iam("create_permanent_access_key", body={"credential": {"user_id": spare.user_id}})
        with refused(403):
            as_huawei("alice").iam("delete_permanent_access_key", access_key=made["access"])

    def test_unknown(self, huawei, foreign):
        with refused(404):
            huawei.iam("show_permanent_access_key", access_key="UNKNOWNUNKNOWN000000")
        with refused(404):
            huawei.iam("show_permanent_access_key", access_key=foreign.keys[1].id)
        with refused(404):
            huawei.iam("create_permanent_access_key", body={"credential": {"user_id": foreign.user("alice").user_id}})

    def update(self, huawei, made, credential):
        body = {"credential": credential}
        return huawei.iam("update_permanent_access_key", access_key=made["access"], body=body)

    @pytest.mark.parametrize("credential", [{"status": ""}, {"status": "gone"}, {"status": "Active"}])
    def test_bad_update(self, huawei, made, credential):
        with refused(400):
            self.update(huawei, made, credential)

    def test_what_an_update_leaves_out_stays(self, huawei, made):
        credential = self.update(huawei, made, {}).to_json_object()["credential"]
        assert (credential["status"], credential["description"]) == ("active", "ci")
