// The real binary as a child process, on a folder and a seed of its own.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const READY_MILLISECONDS = 20_000;

/** The one seeded account; every id has the shape that its cloud gives it. */
export const account = {
  uin: 400000000001,
  domainId: "0de00000000000000000000000000001",
  domainName: "node",
  projectId: "0de00000000000000000000000000002",
  password: "Node-root-passw0rd",
  tencent: { secretId: "AKID" + "N".repeat(32), secretKey: "n".repeat(32) },
  huawei: { ak: "NODEACCESSKEY0000001", sk: "h".repeat(40) },
  alice: {
    uin: 400000000002,
    userId: "0de00000000000000000000000000003",
    secretId: "AKID" + "M".repeat(32),
    secretKey: "m".repeat(32),
  },
};

const SEED = `
[[account]]
uin = ${account.uin}
app_id = 1450000001
domain_id = "${account.domainId}"
domain_name = "${account.domainName}"
project_id = "${account.projectId}"
password = "${account.password}"
[[account.access_key]]
id = "${account.tencent.secretId}"
secret = "${account.tencent.secretKey}"
status = "Active"
[[account.access_key]]
id = "${account.huawei.ak}"
secret = "${account.huawei.sk}"
status = "Active"
[[account.user]]
name = "alice"
uin = ${account.alice.uin}
user_id = "${account.alice.userId}"
password = "Node-alice-passw0rd"
policies = []
[[account.user.access_key]]
id = "${account.alice.secretId}"
secret = "${account.alice.secretKey}"
`;

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** A started server: `host`, `endpoint` and `stop()`. */
export async function start() {
  const binary = process.env.CLAVIGER_BIN;
  if (!binary) throw new Error("CLAVIGER_BIN names the binary under test");
  const folder = mkdtempSync(join(tmpdir(), "claviger-node-"));
  const seed = join(folder, "seed.toml");
  writeFileSync(seed, SEED);
  const host = `127.0.0.1:${await freePort()}`;
  const flags = ["dev", "--listen", host, "--data", join(folder, "data"), "--seed", seed, "--no-limits"];
  const child = spawn(binary, flags, { stdio: "ignore" });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const endpoint = `http://${host}`;
  const deadline = Date.now() + READY_MILLISECONDS;
  for (;;) {
    const ready = await fetch(`${endpoint}/readyz`).catch(() => undefined);
    if (ready?.status === 200) break;
    if (Date.now() > deadline || child.exitCode !== null) {
      child.kill("SIGKILL");
      throw new Error("the server did not become ready");
    }
    await sleep(20);
  }
  const stop = async () => {
    child.kill("SIGTERM");
    const code = await gone;
    rmSync(folder, { recursive: true });
    return code;
  };
  return { host, endpoint, stop };
}
