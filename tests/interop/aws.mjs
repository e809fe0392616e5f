// Calls httpd as the npm packages that sign for AWS do.
// SPDX-License-Identifier: Apache-2.0
//
// Standard input is a JSON array of jobs {client, endpoint, region, accessKey, secret, body}: `body` is base64.
// Standard output is an array of {status, body} in the same order: what httpd answered; `body` is base64 as well.

import { createHash, createHmac } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";

import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SignatureV4a } from "@aws-sdk/signature-v4a";
import { SignatureV4 } from "@smithy/signature-v4";
import aws4 from "aws4";
import { AwsClient } from "aws4fetch";

// Sends exactly what was signed.
function send({ hostname, port, method, path, headers }, body) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers }, async (answer) =>
      resolve({ status: answer.statusCode, body: await buffer(answer) }),
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

// SHA-256 and its HMAC, as the signers of @smithy and @aws-sdk want to be given them.
class Sha256 {
  constructor(secret) {
    this.hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret);
  }
  update(data) {
    this.hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.hash.digest());
  }
}

function credentials({ accessKey, secret }) {
  return { accessKeyId: accessKey, secretAccessKey: secret };
}

function s3(job) {
  return new S3Client({
    endpoint: job.endpoint,
    region: job.region,
    credentials: credentials(job),
    forcePathStyle: true,
    maxAttempts: 1,
  });
}

// What a command of the S3 client ends with.
async function outcome(command) {
  try {
    const answer = await command();
    return { status: answer.$metadata.httpStatusCode, body: answer.Body ? await buffer(answer.Body) : Buffer.alloc(0) };
  } catch (error) {
    return { status: error.$metadata.httpStatusCode, body: Buffer.from(error.name) };
  }
}

async function putFile(job, body) {
  const folder = mkdtempSync(join(tmpdir(), "authverify-aws-"));
  try {
    writeFileSync(join(folder, "body"), body);
    const stream = createReadStream(join(folder, "body"));
    return await outcome(() => s3(job).send(new PutObjectCommand({ Bucket: "box", Key: "a b/c+d", Body: stream })));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// A request as @smithy/signature-v4 and @aws-sdk/signature-v4a take it.
function plain(job, method, path, body) {
  const { hostname, port, host } = new URL(job.endpoint);
  const query = { page: ["2", "1"], "a b": "c+d" };
  return { protocol: "http:", hostname, port, method, path, query, headers: { host }, body };
}

function withQuery({ path, query, ...rest }) {
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    [values].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
  );
  return { ...rest, path: pairs.length ? `${path}?${pairs.join("&")}` : path };
}

async function signed(by, unsigned) {
  return send(withQuery(await by.sign(unsigned)), unsigned.body);
}

function signer(Signer, job, service, region = job.region) {
  const isS3 = service === "s3";
  return new Signer({ service, region, credentials: credentials(job), sha256: Sha256, uriEscapePath: !isS3 });
}

// Options of aws4 for one request.
function legacy(job, service, method, path, body) {
  const { hostname, port, host } = new URL(job.endpoint);
  const options = { hostname, port, service, region: job.region, method, path, body, headers: { Host: host } };
  return aws4.sign(options, credentials(job));
}

const clients = {
  "client-s3 put": (job, body) =>
    outcome(() => s3(job).send(new PutObjectCommand({ Bucket: "box", Key: "a b/c+d", Body: body }))),
  "client-s3 put stream": putFile,
  "client-s3 get": (job) => outcome(() => s3(job).send(new GetObjectCommand({ Bucket: "box", Key: "a b/c+d" }))),
  "smithy api": (job, body) => signed(signer(SignatureV4, job, "execute-api"), plain(job, "POST", "/prod/a%20b", body)),
  "smithy s3": (job, body) => signed(signer(SignatureV4, job, "s3"), plain(job, "PUT", "/box/a%20b", body)),
  "smithy presign": async (job, body) => {
    const unsigned = plain(job, "PUT", "/box/a%20b");
    unsigned.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"; // as S3's presigner has it
    return send(withQuery(await signer(SignatureV4, job, "s3").presign(unsigned, { expiresIn: 60 })), body);
  },
  "signature-v4a api": (job, body) =>
    signed(signer(SignatureV4a, job, "execute-api", "*"), plain(job, "POST", "/prod/a%20b", body)),
  "aws4 api": (job, body) => send(legacy(job, "execute-api", "POST", "/prod/a?page=2&page=1", body), body),
  "aws4 s3": (job, body) => send(legacy(job, "s3", "PUT", "/box/a%20b", body), body),
  "aws4fetch api": async (job, body) => fetched(job, "execute-api", "POST", "/prod/a?b=c", body),
  "aws4fetch s3": async (job, body) => fetched(job, "s3", "PUT", "/box/a%20b", body),
};

async function fetched(job, service, method, path, body) {
  const client = new AwsClient({ ...credentials(job), service, region: job.region, retries: 0 });
  const answer = await client.fetch(job.endpoint + path, { method, body });
  return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
}

const results = [];
for (const job of JSON.parse(await text(process.stdin))) {
  const { status, body } = await clients[job.client](job, Buffer.from(job.body, "base64"));
  results.push({ status, body: body.toString("base64") });
}
process.stdout.write(JSON.stringify(results));
