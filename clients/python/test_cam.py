"""Tencent CAM: users, policies, and what a policy does once it is attached."""

import base64
import json

import pytest

from harness.seed import AccessKey
from harness.tencent import Tencent, fails

ADMINISTRATOR = "AdministratorAccess"


def document(*statements: dict, **top) -> str:
    return json.dumps({"version": "2.0", "statement": list(statements)} | top)


def statement(effect: str, action, resource="*", **more) -> dict:
    return {"effect": effect, "action": action, "resource": resource} | more


@pytest.fixture(scope="module")
def person(server, tencent):
    """Makes a sub-user with an access key; (uin, their SDK)."""
    made = iter(range(1000))

    def make() -> tuple[int, Tencent]:
        uin = tencent.cam("AddUser", Name=f"person-{next(made)}")["Uin"]
        pair = tencent.cam("CreateAccessKey", TargetUin=uin)["AccessKey"]
        return uin, Tencent(server.host, AccessKey(pair["AccessKeyId"], pair["SecretAccessKey"]))

    return make


@pytest.fixture(scope="module")
def new_policy(tencent):
    made = iter(range(1000))

    def make(text: str) -> int:
        return tencent.cam("CreatePolicy", PolicyName=f"policy-{next(made)}", PolicyDocument=text)["PolicyId"]

    return make


class TestUsers:
    def test_life(self, tencent, account):
        made = tencent.cam("AddUser", Name="bob", Remark="a remark", ConsoleLogin=0, UseApi=0)
        assert (made["Name"], made["SecretId"], made["SecretKey"], made["Password"]) == ("bob", "", "", "")
        assert made["Uin"] != account.uin and made["Uid"] > 0
        seen = tencent.cam("GetUser", Name="bob")
        assert (seen["Uin"], seen["Uid"], seen["Remark"]) == (made["Uin"], made["Uid"], "a remark")
        assert "bob" in [user["Name"] for user in tencent.cam("ListUsers")["Data"]]
        tencent.cam("DeleteUser", Name="bob")
        with fails("ResourceNotFound.UserNotExist"):
            tencent.cam("GetUser", Name="bob")
        with fails("ResourceNotFound.UserNotExist"):
            tencent.cam("DeleteUser", Name="bob")

    def test_seeded_users_are_listed(self, tencent, account):
        listed = {user["Name"]: user["Uin"] for user in tencent.cam("ListUsers")["Data"]}
        assert {user.name: user.uin for user in account.users}.items() <= listed.items()

    def test_with_api_access(self, server, tencent):
        made = tencent.cam("AddUser", Name="robot", UseApi=1)
        key = AccessKey(made["SecretId"], made["SecretKey"])
        assert Tencent(server.host, key).sts("GetCallerIdentity")["UserId"] == str(made["Uin"])

    def test_name_in_use(self, tencent):
        tencent.cam("AddUser", Name="twice")
        with fails("InvalidParameter.SubUserNameInUse"):
            tencent.cam("AddUser", Name="twice")

    @pytest.mark.parametrize("name", ["", "a b", "x" * 65, "/", "名\n"])
    def test_illegal_name(self, tencent, name):
        with fails("InvalidParameter.UserNameIllegal"):
            tencent.cam("AddUser", Name=name)

    def test_keys_hold_the_user_unless_forced(self, server, tencent):
        made = tencent.cam("AddUser", Name="holder", UseApi=1)
        key = AccessKey(made["SecretId"], made["SecretKey"])
        with fails("OperationDenied.HaveKeys"):
            tencent.cam("DeleteUser", Name="holder")
        Tencent(server.host, key).sts("GetCallerIdentity")
        tencent.cam("DeleteUser", Name="holder", Force=1)
        with fails("AuthFailure.SecretIdNotFound"):
            Tencent(server.host, key).sts("GetCallerIdentity")

    @pytest.mark.parametrize(
        ("action", "parameters"),
        [("AddUser", {"Name": "x"}), ("GetUser", {"Name": "admin"}), ("DeleteUser", {"Name": "admin"})],
    )
    def test_unauthorized(self, as_tencent, action, parameters):
        with fails("AuthFailure.UnauthorizedOperation", f"cam:{action}"):
            as_tencent("alice").cam(action, **parameters)


class TestPolicies:
    def test_life(self, tencent, person):
        text = document(statement("allow", ["kms:Encrypt"]))
        policy_id = tencent.cam("CreatePolicy", PolicyName="life", PolicyDocument=text, Description="d")["PolicyId"]
        seen = tencent.cam("GetPolicy", PolicyId=policy_id)
        assert (seen["PolicyName"], seen["Description"]) == ("life", "d")
        assert json.loads(seen["PolicyDocument"]) == json.loads(text)
        uin, _ = person()
        for _ in range(2):
            tencent.cam("AttachUserPolicy", PolicyId=policy_id, AttachUin=uin)
        listed = tencent.cam("ListAttachedUserPolicies", TargetUin=uin)
        assert listed["TotalNum"] == 1
        assert [(p["PolicyId"], p["PolicyName"]) for p in listed["List"]] == [(policy_id, "life")]
        tencent.cam("DetachUserPolicy", PolicyId=policy_id, DetachUin=uin)
        assert tencent.cam("ListAttachedUserPolicies", TargetUin=uin)["TotalNum"] == 0

    def test_preset(self, tencent, account):
        listed = tencent.cam("ListAttachedUserPolicies", TargetUin=account.user("admin").uin)
        assert [policy["PolicyName"] for policy in listed["List"]] == [ADMINISTRATOR]

    def test_name_in_use(self, tencent, new_policy):
        text = document(statement("allow", "kms:*"))
        tencent.cam("CreatePolicy", PolicyName="taken", PolicyDocument=text)
        with fails("FailedOperation.PolicyNameInUse"):
            tencent.cam("CreatePolicy", PolicyName="taken", PolicyDocument=text)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("{", "InvalidParameter.PolicyDocumentError"),
            ("[]", "InvalidParameter.PolicyDocumentError"),
            (document(statement("allow", "kms:*"), version="1.0"), "InvalidParameter.VersionError"),
            (json.dumps({"statement": []}), "InvalidParameter.VersionError"),
            (json.dumps({"version": "2.0"}), "InvalidParameter.StatementError"),
            (document(), "InvalidParameter.StatementError"),
            (document(statement("perhaps", "kms:*")), "InvalidParameter.EffectError"),
            (document(statement("Allow", "kms:*")), "InvalidParameter.EffectError"),
            (document({"effect": "allow", "resource": "*"}), "InvalidParameter.ActionMiss"),
            (document(statement("allow", [])), "InvalidParameter.ActionMiss"),
            (document(statement("allow", "Encrypt")), "InvalidParameter.ActionError"),
            (document(statement("allow", "kms:Encrypt ")), "InvalidParameter.ActionError"),
            (document(statement("allow", "kms:Encript")), "InvalidParameter.ActionNotExist"),
            (document(statement("allow", "kms:Encrypt", "nonsense")), "InvalidParameter.ResourceError"),
            (document(statement("allow", "kms:Encrypt", principal={"qcs": ["*"]})), "InvalidParameter.PrincipalError"),
        ],
    )
    def test_bad_document(self, tencent, text, code):
        with fails(code):
            tencent.cam("CreatePolicy", PolicyName="bad", PolicyDocument=text)

    def test_conditions_are_refused_and_say_so(self, tencent):
        """Never half-understood: a policy whose condition were ignored would allow too much."""
        text = document(statement("allow", "kms:*", condition={"ip_equal": {"qcs:ip": ["10.0.0.0/8"]}}))
        with fails("InvalidParameter.ConditionError", "Conditions are not supported"):
            tencent.cam("CreatePolicy", PolicyName="conditional", PolicyDocument=text)

    def test_unknown_policy_and_user(self, tencent, new_policy, person, foreign):
        uin, _ = person()
        policy_id = new_policy(document(statement("allow", "kms:*")))
        with fails("ResourceNotFound.PolicyIdNotFound"):
            tencent.cam("GetPolicy", PolicyId=999_999_999)
        with fails("ResourceNotFound.PolicyIdNotFound"):
            tencent.cam("AttachUserPolicy", PolicyId=999_999_999, AttachUin=uin)
        for nobody in (999_999_999_999, foreign.user("alice").uin):
            with fails("ResourceNotFound.UserNotExist"):
                tencent.cam("AttachUserPolicy", PolicyId=policy_id, AttachUin=nobody)

    def test_unauthorized(self, as_tencent):
        text = document(statement("allow", "*"))
        with fails("AuthFailure.UnauthorizedOperation", "cam:CreatePolicy"):
            as_tencent("alice").cam("CreatePolicy", PolicyName="mine", PolicyDocument=text)


class TestEvaluation:
    """What a person holding these statements may do with one key. `{key}` and `{uin}` are filled in."""

    KEY = "qcs::kms::uin/{uin}:key/creatorUin/{uin}/{key}"
    CASES = [
        ("nothing", [], False),
        ("exact", [("allow", ["kms:Encrypt"], ["*"])], True),
        ("string not list", [("allow", "kms:Encrypt", "*")], True),
        ("name prefix", [("allow", ["name/kms:Encrypt"], ["*"])], True),
        ("case of the action", [("allow", ["kms:encrypt"], ["*"])], True),
        ("suffix wildcard", [("allow", ["kms:Enc*"], ["*"])], True),
        ("service wildcard", [("allow", ["kms:*"], ["*"])], True),
        ("everything", [("allow", ["*"], ["*"])], True),
        ("another action", [("allow", ["kms:Decrypt"], ["*"])], False),
        ("another service", [("allow", ["cam:*"], ["*"])], False),
        ("this key", [("allow", ["kms:*"], [KEY])], True),
        ("this key of the owner left out", [("allow", ["kms:*"], ["qcs::kms:::key/creatorUin/{uin}/{key}"])], True),
        ("empty uin", [("allow", ["kms:*"], ["qcs::kms::uin/:key/creatorUin/{uin}/{key}"])], True),
        ("all keys", [("allow", ["kms:*"], ["qcs::kms:ap-guangzhou:uin/{uin}:key/*"])], True),
        ("keys of the creator", [("allow", ["kms:*"], ["qcs::kms::uin/{uin}:key/creatorUin/{uin}/*"])], True),
        ("another key", [("allow", ["kms:*"], ["qcs::kms::uin/{uin}:key/creatorUin/{uin}/0" + "0" * 35])], False),
        ("any region of the one there is", [("allow", ["kms:*"], ["qcs::kms:ap-beijing:uin/{uin}:key/*"])], True),
        ("another owner", [("allow", ["kms:*"], ["qcs::kms::uin/1:key/*"])], False),
        ("deny over allow", [("allow", ["*"], ["*"]), ("deny", ["kms:Encrypt"], ["*"])], False),
        ("deny first", [("deny", ["kms:Enc*"], ["*"]), ("allow", ["*"], ["*"])], False),
        ("deny of another key", [("allow", ["*"], ["*"]), ("deny", ["kms:*"], ["qcs::kms::uin/1:key/*"])], True),
        ("deny of this key", [("allow", ["*"], ["*"]), ("deny", ["kms:*"], [KEY])], False),
        ("deny of another action", [("allow", ["*"], ["*"]), ("deny", ["kms:Decrypt"], ["*"])], True),
    ]

    @pytest.mark.parametrize(("statements", "allowed"), [pytest.param(s, a, id=n) for n, s, a in CASES])
    def test_encrypt(self, tencent, account, person, new_policy, new_key, statements, allowed):
        key_id = new_key()
        uin, caller = person()

        def filled(text):
            texts = [text] if isinstance(text, str) else text
            texts = [t.format(uin=account.uin, key=key_id) for t in texts]
            return texts[0] if isinstance(text, str) else texts

        if statements:
            parts = [statement(effect, action, filled(resource)) for effect, action, resource in statements]
            policy_id = new_policy(document(*parts))
            tencent.cam("AttachUserPolicy", PolicyId=policy_id, AttachUin=uin)
        plaintext = base64.b64encode(b"x").decode()
        if allowed:
            assert caller.kms("Encrypt", KeyId=key_id, Plaintext=plaintext)["KeyId"] == key_id
        else:
            with fails("UnauthorizedOperation", "kms:Encrypt"):
                caller.kms("Encrypt", KeyId=key_id, Plaintext=plaintext)

    def test_an_action_without_a_resource_is_not_granted_by_naming_one(self, tencent, person, new_policy):
        uin, caller = person()
        key = "qcs::kms::uin/:key/creatorUin/1/23e80852-1e38-11e9-b129-5cb9019b4b01"
        policy_id = new_policy(document(statement("allow", "kms:*", key)))
        tencent.cam("AttachUserPolicy", PolicyId=policy_id, AttachUin=uin)
        with fails("UnauthorizedOperation"):
            caller.kms("CreateKey", Alias="never")
