// Signs deliveries as the providers' own SDKs do, and asks the same SDK what it thinks of each.
// SPDX-License-Identifier: Apache-2.0
//
// Standard input is a JSON array of jobs {sdk, id, time, signed: {secret, body}, sent: {secret, body}}: what is signed
// with which secret at which time (Unix seconds), and what then arrives at a receiver that is configured with which
// secret. Standard output is an array of {headers, accepted}, in the same order: the headers that the SDK sends, and
// whether the SDK accepts what arrives, at the time that the clock shows now.

import { createHmac } from "node:crypto";
import { text } from "node:stream/consumers";

import { LINE_SIGNATURE_HTTP_HEADER_NAME, validateSignature } from "@line/bot-sdk";
import { sign as signGithub, verify as verifyGithub } from "@octokit/webhooks-methods";
import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";

// True if `verify` returns something other than false; the SDKs say no by throwing or by false.
async function accepts(verify) {
  try {
    return (await verify()) !== false;
  } catch {
    return false;
  }
}

// Standard Webhooks and Svix share one interface; they differ in the names of their headers.
function webhookLibrary(Webhook, prefix) {
  return {
    sign: ({ id, time, signed }) => ({
      [`${prefix}-id`]: id,
      [`${prefix}-timestamp`]: String(time),
      [`${prefix}-signature`]: new Webhook(signed.secret).sign(id, new Date(time * 1000), signed.body),
    }),
    verify: ({ sent }, headers) => new Webhook(sent.secret).verify(sent.body, headers),
  };
}

const sdks = {
  github: {
    sign: async ({ signed }) => ({ "X-Hub-Signature-256": await signGithub(signed.secret, signed.body) }),
    verify: ({ sent }, headers) => verifyGithub(sent.secret, sent.body, headers["X-Hub-Signature-256"]),
  },
  // The SDK of LINE only verifies: the signature is made here, and the SDK must agree.
  line: {
    sign: ({ signed }) => ({
      [LINE_SIGNATURE_HTTP_HEADER_NAME]: createHmac("sha256", signed.secret).update(signed.body).digest("base64"),
    }),
    verify: ({ sent }, headers) =>
      validateSignature(sent.body, sent.secret, headers[LINE_SIGNATURE_HTTP_HEADER_NAME]),
  },
  "standard-webhooks": webhookLibrary(StandardWebhook, "webhook"),
  stripe: {
    sign: ({ time, signed }) => ({
      "Stripe-Signature": Stripe.webhooks.generateTestHeaderString({
        payload: signed.body,
        secret: signed.secret,
        timestamp: time,
      }),
    }),
    verify: ({ sent }, headers) =>
      Stripe.webhooks.constructEvent(sent.body, headers["Stripe-Signature"], sent.secret),
  },
  svix: webhookLibrary(SvixWebhook, "svix"),
};

const results = [];
for (const job of JSON.parse(await text(process.stdin))) {
  const headers = await sdks[job.sdk].sign(job);
  results.push({ headers, accepted: await accepts(() => sdks[job.sdk].verify(job, headers)) });
}
process.stdout.write(JSON.stringify(results));
