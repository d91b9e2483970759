// npm oidc-provider as a device would meet it, with its own in-memory store: the rival of authority.py.
//
//     node oidc_provider.mjs FOLDER KEY GRANTS      (the npm project, a file with the RSA key as a JWK)
//
// Says on one line of JSON where it answers, with GRANTS refresh tokens of as many approved devices.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, keyFile, grants] = process.argv.slice(2)
const entry = createRequire(join(folder, 'package.json')).resolve('oidc-provider')
const { Provider } = await import(pathToFileURL(entry))

const AUDIENCE = 'https://stoa.example/quotes'
const CLIENT = 'display'
// Not `openid`: an ID token would be a second signature, and ours gives none.
const SCOPE = 'offline_access read:quotes'
const server = createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: CLIENT,
      token_endpoint_auth_method: 'none',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      response_types: [],
      redirect_uris: [],
    },
  ],
  scopes: ['openid', 'offline_access', 'read:quotes'],
  jwks: { keys: [JSON.parse(readFileSync(keyFile, 'utf8'))] },
  rotateRefreshToken: true,
  // As long as Stoa's, so that nothing expires in a long run.
  ttl: { AccessToken: 86400, DeviceCode: 900, Grant: 31557600, RefreshToken: 31557600 },
  features: {
    deviceFlow: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => AUDIENCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'read:quotes',
        audience: AUDIENCE,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
})
server.on('request', provider.callback())

// What an approval leaves behind, without the walk through the pages.
async function approved() {
  const grant = new provider.Grant({ accountId: 'demo', clientId: CLIENT })
  grant.addOIDCScope('offline_access')
  grant.addResourceScope(AUDIENCE, 'read:quotes')
  const token = new provider.RefreshToken({
    accountId: 'demo',
    client: await provider.Client.find(CLIENT),
    grantId: await grant.save(),
    gty: 'device_code',
    resource: AUDIENCE,
    scope: SCOPE,
    authTime: Math.floor(Date.now() / 1000),
  })
  return token.save()
}

const refreshTokens = []
for (let at = 0; at < Number(grants); at++) refreshTokens.push(await approved())
console.log(JSON.stringify({ issuer, client_id: CLIENT, scope: SCOPE, refresh_tokens: refreshTokens }))
