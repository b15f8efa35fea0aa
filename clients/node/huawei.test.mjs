// Huawei's Node SDK: the core's HcClient for KMS and CodeArts Repo, whose own packages are not in the registry, and the
// IAM package. HcClient sends `{}` with every GET, puts path parameters into the URL unencoded, and reads KMS' nested
// error codes as nothing at all: what its users see is the status.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import core from "@huaweicloud/huaweicloud-sdk-core";
import { ClientBuilder } from "@huaweicloud/huaweicloud-sdk-core/ClientBuilder.js";
import iam from "@huaweicloud/huaweicloud-sdk-iam/v3/public-api.js";

import { account, start } from "./server.mjs";

const { BasicCredentials, GlobalCredentials } = core;
const UNKNOWN_KEY = "0d0466b0-e727-4d9c-b35d-f84bb474a37f";

let server;

before(async () => {
  server = await start();
});

after(async () => {
  assert.equal(await server.stop(), 0);
});

function hc({ ak = account.huawei.ak, sk = account.huawei.sk } = {}) {
  const credential = new BasicCredentials().withAk(ak).withSk(sk).withProjectId(account.projectId);
  return new ClientBuilder((client) => client).withCredential(credential).withEndpoint(server.endpoint).build();
}

/** One call the way the generated service clients make it. */
function send(method, url, { data = {}, path = {}, client = hc() } = {}) {
  return client.sendRequest({
    method,
    url,
    contentType: "application/json;charset=UTF-8",
    queryParams: {},
    pathParams: { project_id: account.projectId, ...path },
    headers: {},
    data,
  });
}

const kms = (operation, data, more) => send("POST", `/v1.0/{project_id}/kms/${operation}`, { data, ...more });

let made = 0;
async function newKey() {
  made += 1;
  return (await kms("create-key", { key_alias: `node-${made}` })).key_info.key_id;
}

async function tags(keyId) {
  const body = await send("GET", "/v1.0/{project_id}/kms/{key_id}/tags", { path: { key_id: keyId } });
  assert.equal(body.existTagsNum, body.tags.length);
  return Object.fromEntries(body.tags.map(({ key, value }) => [key, value]));
}

const addTag = (keyId, tag, more) =>
  send("POST", "/v1.0/{project_id}/kms/{key_id}/tags", { data: { tag }, path: { key_id: keyId }, ...more });
const batch = (keyId, action, list) =>
  send("POST", "/v1.0/{project_id}/kms/{key_id}/tags/action", {
    data: { action, tags: list },
    path: { key_id: keyId },
  });

function refused(status, promise, code) {
  return assert.rejects(promise, (error) => {
    assert.equal(error.httpStatusCode, status, `${error.httpStatusCode} ${error.errorCode} ${error.errorMsg}`);
    if (code !== undefined) assert.equal(error.errorCode, code);
    return true;
  });
}

describe("kms", () => {
  it("creates, describes, disables, enables", async () => {
    const key_id = await newKey();
    assert.equal((await kms("describe-key", { key_id })).key_info.key_state, "2");
    assert.equal((await kms("disable-key", { key_id })).key_info.key_state, "3");
    await refused(400, kms("encrypt-data", { key_id, plain_text: "x" }));
    assert.equal((await kms("enable-key", { key_id })).key_info.key_state, "2");
  });

  it("encrypts and decrypts", async () => {
    const key_id = await newKey();
    const { cipher_text } = await kms("encrypt-data", { key_id, plain_text: "密钥 \u{1f511}" });
    assert.equal((await kms("decrypt-data", { cipher_text })).plain_text, "密钥 \u{1f511}");
  });

  it("accepts a pair of the other cloud's shape", async () => {
    const { secretId: ak, secretKey: sk } = account.tencent;
    const client = hc({ ak, sk });
    assert.equal((await kms("list-keys", {}, { client })).httpStatusCode, 200);
  });

  it("tells 401, 403 and 404 apart", async () => {
    await refused(401, kms("list-keys", {}, { client: hc({ sk: "0".repeat(40) }) }), "APIGW.0301");
    await refused(401, kms("list-keys", {}, { client: hc({ ak: "UNKNOWNUNKNOWN000000" }) }), "APIGW.0301");
    const { secretId: ak, secretKey: sk } = account.alice;
    await refused(403, kms("list-keys", {}, { client: hc({ ak, sk }) }));
    await refused(404, kms("describe-key", { key_id: UNKNOWN_KEY }));
    await refused(404, kms("frobnicate", {}), "APIGW.0101");
  });
});

describe("kms tags", () => {
  it("adds one: 204 and nothing else", async () => {
    const keyId = await newKey();
    assert.deepEqual(await addTag(keyId, { key: "DEV", value: "DEV1" }), { httpStatusCode: 204 });
    assert.deepEqual(await tags(keyId), { DEV: "DEV1" });
  });

  it("adds and deletes in batches", async () => {
    const keyId = await newKey();
    const list = [
      { key: "key1", value: "value1" },
      { key: "环境", value: "生产" },
    ];
    assert.equal((await batch(keyId, "create", list)).httpStatusCode, 204);
    assert.deepEqual(await tags(keyId), { key1: "value1", 环境: "生产" });
    assert.equal((await batch(keyId, "delete", [...list, { key: "never", value: "" }])).httpStatusCode, 204);
    assert.deepEqual(await tags(keyId), {});
  });

  for (const [name, list] of [
    ["eleven", Array.from({ length: 11 }, (_, n) => ({ key: `k${n}`, value: "" }))],
    ["duplicates", [{ key: "a", value: "1" }, { key: "a", value: "2" }]],
    ["one bad key", [{ key: "a", value: "1" }, { key: "b*", value: "2" }]],
    ["one long value", [{ key: "a", value: "1" }, { key: "b", value: "v".repeat(44) }]],
    ["none", []],
  ]) {
    it(`applies nothing of a batch with ${name}`, async () => {
      const keyId = await newKey();
      await refused(400, batch(keyId, "create", list));
      assert.deepEqual(await tags(keyId), {});
    });
  }

  for (const key of ["plain", "a b", "a/b", "a+b", "环境", "a&b", "~-_.", "(a)!'"]) {
    it(`deletes ${JSON.stringify(key)}, which goes into the path as it is`, async () => {
      const keyId = await newKey();
      await addTag(keyId, { key, value: "v" });
      await send("DELETE", "/v1.0/{project_id}/kms/{key_id}/tags/{key}", { path: { key_id: keyId, key } });
      assert.deepEqual(await tags(keyId), {});
    });
  }

  it("refuses an unknown key and a stranger", async () => {
    await refused(404, addTag(UNKNOWN_KEY, { key: "a", value: "" }));
    const { secretId: ak, secretKey: sk } = account.alice;
    await refused(403, addTag(await newKey(), { key: "a", value: "" }, { client: hc({ ak, sk }) }));
  });
});

describe("codearts kms-grant", () => {
  const url = "/v4/tenants/{tenant_id}/repo-encryption/kms-grant";
  const path = { tenant_id: account.domainId };

  it("is made once and shown after", async () => {
    const before = await send("GET", url, { path });
    assert.deepEqual([before.httpStatusCode, before.assumed], [202, false]);
    for (let times = 0; times < 2; times += 1) {
      const answer = await send("POST", url, { path });
      assert.deepEqual([answer.httpStatusCode, answer.tenant_id, answer.assumed], [200, account.domainId, true]);
    }
    assert.equal((await send("GET", url, { path })).assumed, true);
  });

  it("refuses another tenant", async () => {
    await refused(403, send("POST", url, { path: { tenant_id: account.projectId } }), "CH.004403");
  });
});

describe("iam", () => {
  function client() {
    const credential = new GlobalCredentials()
      .withAk(account.huawei.ak)
      .withSk(account.huawei.sk)
      .withDomainId(account.domainId);
    return iam.IamClient.newBuilder().withCredential(credential).withEndpoint(server.endpoint).build();
  }

  it("lists projects and domains", async () => {
    const { projects } = await client().keystoneListProjects(new iam.KeystoneListProjectsRequest());
    assert.deepEqual(projects.map(({ id }) => id), [account.projectId]);
    const { domains } = await client().keystoneListAuthDomains(new iam.KeystoneListAuthDomainsRequest());
    assert.deepEqual(domains.map(({ id, name }) => [id, name]), [[account.domainId, account.domainName]]);
  });

  it("makes, switches and deletes an access key", async () => {
    const create = new iam.CreatePermanentAccessKeyRequest().withBody({ credential: { user_id: account.alice.userId } });
    const { credential } = await client().createPermanentAccessKey(create);
    const mine = () => kms("list-keys", {}, { client: hc({ ak: credential.access, sk: credential.secret }) });
    await refused(403, mine()); // known, but without permission
    const update = (status) =>
      client().updatePermanentAccessKey(
        new iam.UpdatePermanentAccessKeyRequest(credential.access).withBody({ credential: { status } }),
      );
    await update("inactive");
    await refused(401, mine(), "APIGW.0301");
    await update("active");
    await refused(403, mine());
    await client().deletePermanentAccessKey(new iam.DeletePermanentAccessKeyRequest(credential.access));
    await refused(401, mine(), "APIGW.0301");
  });
});
