"""Tencent STS GetCallerIdentity."""


def test_root(tencent, account):
    uin = str(account.uin)
    answer = tencent.sts("GetCallerIdentity")
    expected = {"AccountId": uin, "UserId": uin, "PrincipalId": uin, "Type": "CAMUser", "Arn": f"qcs::cam:{uin}:uin/{uin}"}
    assert {name: answer[name] for name in expected} == expected


def test_sub_user_needs_no_permission(as_tencent, account):
    alice = str(account.user("alice").uin)
    answer = as_tencent("alice").sts("GetCallerIdentity")
    assert (answer["AccountId"], answer["UserId"], answer["PrincipalId"]) == (str(account.uin), alice, alice)
    assert answer["Arn"] == f"qcs::cam:{account.uin}:uin/{alice}"
