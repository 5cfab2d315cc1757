// An OpenID Connect issuer for tests: oidc-provider on a free port of loopback.
//
// Its sign-in page asks nobody anything. Who signs in, how and how long ago stands in the request
// for authorization: login_hint, methods ("pwd mfa") and age (seconds). Everything else is the
// library's: discovery, keys, the code flow with PKCE, and the tokens.
//
// The first line that it prints is its name, http://127.0.0.1:PORT. Clients "rs256" and "es256" get
// ID tokens signed by these algorithms.
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const signingKey = (kind, options, alg) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }),
  alg,
  kid: alg,
  use: 'sig',
})

const client = (alg) => ({
  client_id: alg.toLowerCase(),
  id_token_signed_response_alg: alg,
  redirect_uris: ['http://127.0.0.1/signed-in'],
  token_endpoint_auth_method: 'none',
})

// What it knows of anybody: all are of one company, and their addresses are verified.
const account = (id) => ({
  accountId: id,
  claims: () => ({ sub: id, email: id, email_verified: true, hd: 'example.com' }),
})

// Nobody is asked for consent either: every client may have what it asks for.
async function grantAll(ctx) {
  const { client, provider, session, params } = ctx.oidc
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope(params.scope)
  grant.addOIDCClaims([...ctx.oidc.requestParamClaims])
  await grant.save()
  return grant
}

const configuration = {
  jwks: {
    keys: [
      signingKey('rsa', { modulusLength: 2048 }, 'RS256'),
      signingKey('ec', { namedCurve: 'P-256' }, 'ES256'),
    ],
  },
  clients: [client('RS256'), client('ES256')],
  claims: { openid: ['sub'], email: ['email', 'email_verified', 'hd'], amr: null, auth_time: null },
  // As with Google, an ID token of the code flow tells who somebody is without a further question.
  conformIdTokenClaims: false,
  features: { claimsParameter: { enabled: true }, devInteractions: { enabled: false } },
  extraParams: ['methods', 'age'],
  findAccount: (ctx, id) => account(id),
  loadExistingGrant: grantAll,
  interactions: { url: (ctx, interaction) => `/sign-in/${interaction.uid}` },
  cookies: { keys: ['of a test'] },
}

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, configuration)
  const answer = provider.callback()

  async function signIn(request, response) {
    const { params } = await provider.interactionDetails(request, response)
    await provider.interactionFinished(request, response, {
      login: {
        accountId: params.login_hint,
        amr: params.methods.split(' '),
        ts: Math.floor(Date.now() / 1000) - Number(params.age),
      },
    })
  }

  server.on('request', (request, response) => {
    if (!request.url.startsWith('/sign-in/')) return answer(request, response)
    signIn(request, response).catch((error) => response.writeHead(500).end(`${error}`))
  })
  console.log(issuer)
})
