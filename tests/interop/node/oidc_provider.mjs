// The published oidc-provider as a device's authorization server on a free loopback port: device grant, rotation, RS256
// access tokens for one resource, revocation and introspection, the package's own in-memory store and pages.
// Its one argument is JSON: {clients: {id: name}, secrets: {id: secret}, fixed, resource, scope, accessTokenTtl,
// deviceCodeTtl, refreshTokenIdle}: `secrets` are of the clients that have one, `fixed` is the client whose refresh
// tokens are not rotated, times are seconds. It says {issuer} once it listens.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

import { hear, say } from './lines.mjs';

const settings = JSON.parse(process.argv[2]);
const YEAR = 365 * 86_400;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

function configuration() {
  return {
    clients: Object.entries(settings.clients).map(([clientId, name]) => ({
      client_id: clientId,
      client_name: name,
      application_type: 'native',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      redirect_uris: [],
      response_types: [],
      ...authentication(settings.secrets[clientId]),
    })),
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    features: {
      deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****' },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => settings.resource,
        getResourceServerInfo: () => ({
          scope: settings.scope,
          audience: settings.resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
      revocation: { enabled: true },
    },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' }] },
    rotateRefreshToken: (context) => context.oidc.client.clientId !== settings.fixed,
    ttl: {
      AccessToken: settings.accessTokenTtl,
      DeviceCode: settings.deviceCodeTtl,
      Grant: YEAR,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: settings.refreshTokenIdle, // of each token: the next one's begins anew
      Session: YEAR,
    },
  };
}

function authentication(secret) {
  return secret
    ? { token_endpoint_auth_method: 'client_secret_post', client_secret: secret }
    : { token_endpoint_auth_method: 'none' };
}

const server = createServer((request, response) => answer(request, response));
let answer;
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration());
  provider.on('server_error', (_, error) => console.error(error));
  answer = provider.callback();
  say({ issuer });
});
hear(() => {});
