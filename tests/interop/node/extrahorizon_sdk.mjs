// The published SDK of Extra Horizon, called line by line: {call, ...arguments} is answered by {value} or {refused}.
// `freshTokens` collects what its freshTokensCallback is told, which is where an application keeps its tokens.

import * as sdk from '@extrahorizon/javascript-sdk';

import { hear, say } from './lines.mjs';

let exh;
let freshTokens;

const calls = {
  create({ options }) {
    freshTokens = [];
    exh = sdk.createOAuth2Client({ ...options, freshTokensCallback: async (tokens) => void freshTokens.push(tokens) });
    return {};
  },
  freshTokens: () => freshTokens,
  authenticate: ({ credentials }) => exh.auth.authenticate(credentials),
  confirmMfa: ({ answer }) => exh.auth.confirmMfa(answer),
  logout: () => exh.auth.logout(),
  userId: () => exh.raw.userId,
  me: () => exh.users.me(),
  health: async () => [await exh.auth.health(), await exh.users.health()],
  confirmPresence: ({ password }) => exh.auth.confirmPresence({ password }),
  getMfaSetting: ({ userId }) => exh.auth.users.getMfaSetting(userId),
  addMfaMethod: ({ userId, method }) => exh.auth.users.addMfaMethod(userId, method),
  confirmMfaMethodVerification: ({ userId, methodId, given }) =>
    exh.auth.users.confirmMfaMethodVerification(userId, methodId, given),
  removeMfaMethod: ({ userId, methodId, given }) => exh.auth.users.removeMfaMethod(userId, methodId, given),
  enableMfa: ({ userId, given }) => exh.auth.users.enableMfa(userId, given),
  disableMfa: ({ userId, given }) => exh.auth.users.disableMfa(userId, given),
};

// The class that the SDK exports, as an application imports it to tell errors apart.
const classOf = (error) => Object.keys(sdk).find((name) => sdk[name] === error.constructor) ?? error.constructor.name;

function refusal(error) {
  const { name, message, status, mfa, exhError, response } = error;
  const exh = exhError && { own: classOf(exhError), name: exhError.name, response: exhError.response };
  return { own: classOf(error), name, message, status, mfa, exh, response };
}

hear(async (message) => {
  const { call, ...given } = message;
  try {
    say({ value: (await calls[call](given)) ?? null });
  } catch (error) {
    say({ refused: refusal(error) });
  }
});
