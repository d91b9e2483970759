// The published openid-client, called line by line: {call, ...arguments} is answered by {value} or {refused}. Where the
// client would wait it says {wait: milliseconds} and goes on at {waited: true}: the test lets the time pass.

import * as oauth from 'openid-client';

import { hear, say } from './lines.mjs';

const waiting = [];
const { setTimeout } = globalThis;
globalThis.setTimeout = (act, milliseconds, ...given) => {
  // Node's own fetch sets timers too, and those stay real.
  const [, , caller] = new Error().stack.split('\n');
  if (!caller.includes('/node_modules/openid-client/')) {
    return setTimeout(act, milliseconds, ...given);
  }
  waiting.push(act);
  say({ wait: milliseconds });
  return undefined;
};

let configuration;
let authorization;

const calls = {
  async discover({ issuer, clientId, insecure }) {
    const options = { execute: insecure ? [oauth.allowInsecureRequests] : [] };
    configuration = await oauth.discovery(new URL(issuer), clientId, undefined, oauth.None(), options);
    return configuration.serverMetadata();
  },
  async ask({ parameters }) {
    authorization = await oauth.initiateDeviceAuthorization(configuration, parameters);
    return authorization;
  },
  poll: () => oauth.pollDeviceAuthorizationGrant(configuration, authorization),
  refresh: ({ refreshToken }) => oauth.refreshTokenGrant(configuration, refreshToken),
  async revoke({ token }) {
    await oauth.tokenRevocation(configuration, token);
    return {};
  },
};

function refusal(failure) {
  const { name, message, code, error, error_description: description, status, cause } = failure;
  return { name, message, code, error, description, status, cause: cause?.error ? cause : String(cause ?? '') };
}

hear(async (message) => {
  if (message.waited) {
    waiting.shift()();
    return;
  }
  const { call, ...given } = message;
  try {
    say({ value: await calls[call](given) });
  } catch (failure) {
    say({ refused: refusal(failure) });
  }
});
