// Signs tokens with the npm packages jose and jsonwebtoken.
// SPDX-License-Identifier: Apache-2.0
//
// Standard input is {claims, secret, jobs: [{library, algorithm}]}. Standard output is {keys, tokens}: the public keys
// as a JSON Web Key Set, made anew, each named by library and algorithm, and a token for each job, in the same order.

import { createPublicKey, generateKeyPairSync, createSecretKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { exportJWK, SignJWT } from "jose";
import jsonwebtoken from "jsonwebtoken";

const CURVES = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

function makeKey(algorithm) {
  if (CURVES[algorithm]) return generateKeyPairSync("ec", { namedCurve: CURVES[algorithm] }).privateKey;
  if (algorithm === "EdDSA" || algorithm === "Ed25519") return generateKeyPairSync("ed25519").privateKey;
  return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
}

async function sign(library, algorithm, key, claims, kid) {
  if (library === "jose") {
    return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid, typ: "at+jwt" }).sign(key);
  }
  return jsonwebtoken.sign(claims, key, { algorithm, keyid: kid });
}

const { claims, secret, jobs } = JSON.parse(readFileSync(0, "utf8"));
const keys = [];
const tokens = [];
for (const { library, algorithm } of jobs) {
  const kid = `${library}-${algorithm}`;
  const isShared = algorithm.startsWith("HS");
  const key = isShared ? createSecretKey(Buffer.from(secret)) : makeKey(algorithm);
  if (!isShared) keys.push({ ...(await exportJWK(createPublicKey(key))), kid, alg: algorithm, use: "sig" });
  tokens.push(await sign(library, algorithm, key, claims, kid));
}
process.stdout.write(JSON.stringify({ keys: { keys }, tokens }));
