// Tencent's Node SDK. With an IP endpoint it signs the host without its port and takes the service from the first
// label of the endpoint (`127`), with a name it does so for that name: both have to be understood.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import tencentcloud from "tencentcloud-sdk-nodejs";

import { account, start } from "./server.mjs";

const UNKNOWN_KEY = "23e80852-1e38-11e9-b129-5cb9019b4b01";
const CLIENTS = {
  cam: tencentcloud.cam.v20190116.Client,
  kms: tencentcloud.kms.v20190118.Client,
  sts: tencentcloud.sts.v20180813.Client,
  tag: tencentcloud.tag.v20180813.Client,
};

let server;

before(async () => {
  server = await start();
});

after(async () => {
  assert.equal(await server.stop(), 0);
});

function client(service, { credential = account.tencent, host = server.host, ...profile } = {}) {
  const { secretId, secretKey, token } = credential;
  return new CLIENTS[service]({
    credential: { secretId, secretKey, token },
    region: "ap-guangzhou",
    profile: { httpProfile: { protocol: "http://", endpoint: host, reqMethod: profile.method ?? "POST" }, ...profile },
  });
}

function fails(code, promise) {
  return assert.rejects(promise, (error) => {
    assert.equal(error.code, code, `${error.code}: ${error.message}`);
    assert.ok(error.requestId);
    return true;
  });
}

let made = 0;
async function newKey(more = {}) {
  made += 1;
  return (await client("kms").CreateKey({ Alias: `node-${made}`, ...more })).KeyId;
}

describe("signatures and endpoints", () => {
  for (const signMethod of ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"]) {
    for (const method of ["GET", "POST"]) {
      for (const name of ["127.0.0.1", "localhost"]) {
        it(`${signMethod} ${method} ${name}`, async () => {
          const host = server.host.replace("127.0.0.1", name);
          const sts = client("sts", { host, signMethod, method });
          assert.equal((await sts.GetCallerIdentity({})).AccountId, String(account.uin));
          const kms = client("kms", { host, signMethod, method });
          const keyId = await newKey();
          const Plaintext = Buffer.from("a *(b)+/ c&d=e").toString("base64");
          const { CiphertextBlob } = await kms.Encrypt({ KeyId: keyId, Plaintext, EncryptionContext: '{"a *":"(b)"}' });
          const opened = await kms.Decrypt({ CiphertextBlob, EncryptionContext: '{"a *":"(b)"}' });
          assert.deepEqual([opened.Plaintext, opened.KeyId], [Plaintext, keyId]);
        });
      }
    }
  }

  it("refuses a wrong secret, an unknown id and an unknown token", async () => {
    const wrong = { ...account.tencent, secretKey: "0".repeat(32) };
    await fails("AuthFailure.SignatureFailure", client("kms", { credential: wrong }).ListKeys({}));
    const unknown = { ...account.tencent, secretId: "AKID" + "0".repeat(32) };
    await fails("AuthFailure.SecretIdNotFound", client("kms", { credential: unknown }).ListKeys({}));
    const token = { ...account.tencent, token: "unknown" };
    await fails("AuthFailure.TokenFailure", client("kms", { credential: token }).ListKeys({}));
  });
});

describe("kms BindCloudResource", () => {
  it("succeeds twice, holds the key, and is released", async () => {
    const kms = client("kms");
    const triple = { KeyId: await newKey(), ProductId: "ssm", ResourceId: "resourceId" };
    await kms.BindCloudResource(triple);
    await kms.BindCloudResource(triple);
    await fails("FailedOperation.CmkUsedByCloudProduct", kms.DisableKey({ KeyId: triple.KeyId }));
    await kms.UnbindCloudResource(triple);
    await fails("ResourceUnavailable.CloudResourceBindingNotFound", kms.UnbindCloudResource(triple));
    await kms.DisableKey({ KeyId: triple.KeyId });
    await fails("ResourceUnavailable.CmkStateNotSupport", kms.BindCloudResource(triple));
  });

  for (const [name, change, code] of [
    ["malformed id", { KeyId: "x" }, "InvalidParameterValue.InvalidKeyId"],
    ["unknown id", { KeyId: UNKNOWN_KEY }, "ResourceUnavailable.CmkNotFound"],
    ["empty product", { ProductId: "" }, "InvalidParameter"],
    ["empty resource", { ResourceId: "" }, "InvalidParameter"],
    ["number for text", { ResourceId: 5 }, "InvalidParameter"],
    ["missing product", { ProductId: undefined }, "MissingParameter"],
    ["unknown parameter", { Colour: "red" }, "UnknownParameter"],
  ]) {
    it(`refuses: ${name}`, async () => {
      const triple = { KeyId: await newKey(), ProductId: "p", ResourceId: "r", ...change };
      await fails(code, client("kms").BindCloudResource(triple));
    });
  }

  it("is authorised on the key", async () => {
    const KeyId = await newKey();
    const alice = client("kms", { credential: account.alice });
    await fails("UnauthorizedOperation", alice.BindCloudResource({ KeyId, ProductId: "p", ResourceId: "r" }));
  });
});

describe("cam UpdateAccessKey", () => {
  it("switches a key off and on", async () => {
    const cam = client("cam");
    const target = { AccessKeyId: account.alice.secretId, TargetUin: account.alice.uin };
    const alice = client("sts", { credential: account.alice });
    await cam.UpdateAccessKey({ ...target, Status: "Inactive" });
    await fails("AuthFailure.SecretIdNotFound", alice.GetCallerIdentity({}));
    await cam.UpdateAccessKey({ ...target, Status: "Active" });
    assert.equal((await alice.GetCallerIdentity({})).UserId, String(account.alice.uin));
  });

  for (const [name, change, code] of [
    ["bad status", { Status: "active" }, "InvalidParameter.ParamError"],
    ["unknown user", { TargetUin: 999999999999 }, "InvalidParameter.UserNotExist"],
    ["unknown key", { AccessKeyId: "AKID" + "0".repeat(32) }, "ResourceNotFound.SecretNotExist"],
    ["key of another user", { TargetUin: account.uin }, "OperationDenied.UinNotMatch"],
  ]) {
    it(`refuses: ${name}`, async () => {
      const target = { AccessKeyId: account.alice.secretId, TargetUin: account.alice.uin, Status: "Inactive" };
      await fails(code, client("cam").UpdateAccessKey({ ...target, ...change }));
    });
  }

  it("refuses without permission", async () => {
    const cam = client("cam", { credential: account.alice });
    await fails(
      "AuthFailure.UnauthorizedOperation",
      cam.UpdateAccessKey({ AccessKeyId: account.alice.secretId, Status: "Inactive" }),
    );
  });
});

describe("tag", () => {
  it("modifies and describes", async () => {
    const keyId = await newKey({ Tags: [{ TagKey: "made", TagValue: "here" }] });
    const tag = client("tag");
    await tag.ModifyResourceTags({
      Resource: `qcs::kms:ap-guangzhou:uin/:key/creatorUin/${account.uin}/${keyId}`,
      ReplaceTags: [{ TagKey: "team", TagValue: "blue" }],
      DeleteTags: [{ TagKey: "made" }],
    });
    const { Tags } = await tag.DescribeResourceTagsByResourceIds({
      ServiceType: "kms",
      ResourcePrefix: "key",
      ResourceRegion: "ap-guangzhou",
      ResourceIds: [`creatorUin/${account.uin}/${keyId}`],
    });
    assert.deepEqual(
      Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]),
      [["team", "blue"]],
    );
  });
});
