// Plays clients whose tokens are bound to their keys: with oauth4webapi, dpop and jose.
// SPDX-License-Identifier: Apache-2.0
//
// Standard input is {urls: {plain, nonce}, secret, claims, jobs: [{library, algorithm}]}. Each job makes a key, binds a
// token to it, and calls both URLs; the second one wants nonces. Standard output is an object for each job: the status
// of a proof that is new, of the same one sent again, of the token alone as one to bear, and of a call that learns its
// nonce.

import { createHash, randomUUID, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import * as dpop from "dpop";
import { calculateJwkThumbprint, exportJWK, SignJWT } from "jose";
import * as oauth from "oauth4webapi";

globalThis.crypto ??= webcrypto;

const { urls, secret, claims, jobs } = JSON.parse(readFileSync(0, "utf8"));
const plain = { [oauth.allowInsecureRequests]: true }; // the server is on the loopback

async function call(url, token, proof, word = "DPoP") {
  return fetch(url, { headers: { Authorization: `${word} ${token}`, ...(proof && { DPoP: proof }) } });
}

// What each library calls a proof for a GET.
const provers = {
  dpop: (keys, url, token, nonce) => dpop.generateProof(keys, url, "GET", nonce, token),
  jose: async (keys, url, token, nonce) =>
    new SignJWT({ htm: "GET", htu: url, ath: createHash("sha256").update(token).digest("base64url"), nonce })
      .setProtectedHeader({ typ: "dpop+jwt", alg: keys.algorithm, jwk: await exportJWK(keys.publicKey) })
      .setIssuedAt().setJti(randomUUID()).sign(keys.privateKey),
};

async function tryProver(prove, keys, token) {
  const proof = await prove(keys, urls.plain, token);
  const asked = await call(urls.nonce, token, await prove(keys, urls.nonce, token));
  const nonce = asked.headers.get("DPoP-Nonce");
  return {
    fresh: (await call(urls.plain, token, proof)).status,
    again: (await call(urls.plain, token, proof)).status,
    borne: (await call(urls.plain, token, null, "Bearer")).status,
    asked: asked.status,
    nonce: (await call(urls.nonce, token, await prove(keys, urls.nonce, token, nonce))).status,
  };
}

async function ask(token, url, handle) {
  try {
    const options = { ...plain, DPoP: handle };
    return await oauth.protectedResourceRequest(token, "GET", new URL(url), undefined, undefined, options);
  } catch (error) {
    return { status: error.status ?? error.response.status, isNonce: oauth.isDPoPNonceError(error) };
  }
}

// It signs by itself, and keeps the nonce of an answer for the next call.
async function tryOauth(keys, token) {
  const handle = oauth.DPoP({ client_id: "a-client" }, keys);
  const fresh = await ask(token, urls.plain, handle);
  const asked = await ask(token, urls.nonce, handle);
  const nonce = await ask(token, urls.nonce, handle);
  const borne = await ask(token, urls.plain);
  return { fresh: fresh.status, borne: borne.status, asked: asked.isNonce ? asked.status : 0, nonce: nonce.status };
}

const answers = [];
for (const { library, algorithm } of jobs) {
  const keys = Object.assign(await dpop.generateKeyPair(algorithm, { extractable: true }), { algorithm });
  const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey));
  const token = await new SignJWT({ ...claims, cnf: { jkt } }).setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
  answers.push(await (library === "oauth4webapi" ? tryOauth(keys, token) : tryProver(provers[library], keys, token)));
}
process.stdout.write(JSON.stringify(answers));
