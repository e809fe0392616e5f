// Plays an OAuth client with oauth4webapi: finds the token endpoint by its metadata, asks for a token in both ways, and
// validates it as a resource server does (RFC 9068). Input and output are JSON.
// SPDX-License-Identifier: Apache-2.0
import * as oauth from 'oauth4webapi'

const asked = JSON.parse(await new Response(process.stdin).text())
const plain = { [oauth.allowInsecureRequests]: true } // the server is on the loopback
const issuer = new URL(asked.issuer)
const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain })
const server = await oauth.processDiscoveryResponse(issuer, found)
const client = { client_id: asked.id }

async function ask(authentication) {
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, asked.parameters, plain)
  return oauth.processClientCredentialsResponse(server, client, response)
}

async function validate(token) {
  const request = new Request(asked.audience, { headers: { authorization: `Bearer ${token}` } })
  const options = { ...plain, signingAlgorithms: [asked.algorithm] }
  return oauth.validateJwtAccessToken(server, request, asked.audience, options)
}

const answers = {}
for (const [name, method] of Object.entries({ basic: oauth.ClientSecretBasic, post: oauth.ClientSecretPost })) {
  try {
    const answer = await ask(method(asked.secret))
    answers[name] = { answer, claims: await validate(answer.access_token) }
  } catch (error) {
    answers[name] = { error: error.error ?? (await error.response.json()).error }
  }
}
console.log(JSON.stringify(answers))
