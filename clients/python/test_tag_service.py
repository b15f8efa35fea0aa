"""Tencent's `tag` service: the two actions Terraform cannot do without."""

import pytest

from harness.tencent import Tencent, fails

REGION = "ap-guangzhou"


@pytest.fixture
def resource(account):
    return lambda key_id: f"qcs::kms:{REGION}:uin/:key/creatorUin/{account.uin}/{key_id}"


def describe(tencent, account, key_ids, **parameters):
    return tencent.tag(
        "DescribeResourceTagsByResourceIds",
        ServiceType="kms",
        ResourcePrefix="key",
        ResourceRegion=REGION,
        ResourceIds=[f"creatorUin/{account.uin}/{key_id}" for key_id in key_ids],
        **parameters,
    )


def modify(tencent, resource, replace=None, delete=None):
    """A list may be left out, but not be empty."""
    lists = {}
    if replace is not None:
        lists["ReplaceTags"] = [{"TagKey": k, "TagValue": v} for k, v in replace.items()]
    if delete is not None:
        lists["DeleteTags"] = [{"TagKey": k} for k in delete]
    return tencent.tag("ModifyResourceTags", Resource=resource, **lists)


def test_replace_and_delete(tencent, account, new_key, resource):
    key_id = new_key()
    assert describe(tencent, account, [key_id])["TotalCount"] == 0
    modify(tencent, resource(key_id), {"team": "blue", "env": "dev"})
    modify(tencent, resource(key_id), {"team": "red"}, ["env", "never"])
    answer = describe(tencent, account, [key_id])
    assert answer["TotalCount"] == 1
    (tag,) = answer["Tags"]
    assert (tag["TagKey"], tag["TagValue"], tag["ServiceType"]) == ("team", "red", "kms")
    assert tag["ResourceId"] == f"creatorUin/{account.uin}/{key_id}"


@pytest.mark.parametrize("lists", [{}, {"replace": {}}, {"replace": {"a": "2"}, "delete": []}, {"replace": {}, "delete": ["a"]}])
def test_empty_lists_are_refused(tencent, account, new_key, resource, lists):
    key_id = new_key(Tags=[{"TagKey": "a", "TagValue": "1"}])
    with fails("InvalidParameter.Tag"):
        modify(tencent, resource(key_id), **lists)
    assert [tag["TagValue"] for tag in describe(tencent, account, [key_id])["Tags"]] == ["1"]


def test_several_keys_in_pages(tencent, account, new_key, resource):
    ids = [new_key(Tags=[{"TagKey": "n", "TagValue": str(n)}]) for n in range(3)]
    whole = describe(tencent, account, ids)
    assert whole["TotalCount"] == 3
    joined = []
    for offset in range(3):
        page = describe(tencent, account, ids, Offset=offset, Limit=1)
        assert (page["TotalCount"], page["Offset"], page["Limit"], len(page["Tags"])) == (3, offset, 1, 1)
        joined += page["Tags"]
    assert joined == whole["Tags"]


def test_the_same_key_in_replace_and_delete_changes_nothing(tencent, account, new_key, resource):
    key_id = new_key(Tags=[{"TagKey": "a", "TagValue": "1"}])
    with fails("InvalidParameterValue.DeleteTagsParamError"):
        modify(tencent, resource(key_id), {"a": "2"}, ["a"])
    assert describe(tencent, account, [key_id])["Tags"][0]["TagValue"] == "1"


@pytest.mark.parametrize("text", ["", "nonsense", "qcs::cvm:ap-guangzhou:uin/:instance/i-1", "qcs::kms:ap-guangzhou:uin/:key/x"])
def test_bad_resource(tencent, text):
    with fails("InvalidParameterValue.ResourceDescriptionError"):
        modify(tencent, text, {"a": "1"})


def test_unauthorized(as_tencent, tencent, account, new_key, resource):
    key_id = new_key()
    with fails("AuthFailure.UnauthorizedOperation"):
        modify(as_tencent("alice"), resource(key_id), {"a": "1"})
    assert describe(tencent, account, [key_id])["TotalCount"] == 0


def test_another_account(server, foreign, account, tencent, new_key, resource):
    key_id = new_key(Tags=[{"TagKey": "mine", "TagValue": "1"}])
    other = Tencent(server.host, foreign.key)
    with fails("ResourceNotFound"):
        modify(other, resource(key_id), {"a": "1"})
    assert describe(tencent, account, [key_id])["Tags"][0]["TagKey"] == "mine"


def test_missing_parameter(tencent):
    with fails("MissingParameter", "`ServiceType`"):
        tencent.call_untyped("tag", "DescribeResourceTagsByResourceIds", {})
