// The published @okta/okta-auth-js, called line by line: {call, ...arguments} is answered by {value} or {refused}. It
// keeps the transaction that it was last told of, as an application would, and goes on with that.

import { OktaAuth } from '@okta/okta-auth-js';

import { hear, say } from './lines.mjs';

let sdk;
let transaction;

// What the SDK makes of a reply, without its functions, but with their names.
function told() {
  const { data, ...seen } = transaction;
  const can = Object.keys(transaction).filter((name) => typeof transaction[name] === 'function');
  return { ...JSON.parse(JSON.stringify(seen)), can };
}

async function goTo(next) {
  transaction = await next;
  return told();
}

const factor = ({ factorType, provider = 'OKTA' }) =>
  transaction.factors.find((each) => each.factorType === factorType && each.provider === provider);

const calls = {
  async begin({ issuer, clientId, redirectUri }) {
    sdk = new OktaAuth({ issuer, clientId, redirectUri, pkce: true });
    return {};
  },
  signIn: ({ given }) => goTo(sdk.signInWithCredentials(given)),
  resume: () => goTo(sdk.tx.resume()),
  introspect: () => goTo(sdk.tx.introspect()),
  status: async () => (await sdk.tx.status({ stateToken: transaction.data.stateToken })).status,
  verify: ({ which, given }) => goTo((which ? factor(which) : transaction).verify(given ?? {})),
  enroll: ({ which, given }) => goTo(factor(which).enroll(given ?? {})),
  activate: ({ given }) => goTo(transaction.activate(given)),
  prev: () => goTo(transaction.prev()),
  skip: () => goTo(transaction.skip()),
  resend: ({ name }) => goTo(transaction.resend(name)),
  poll: ({ given }) => goTo(transaction.poll({ delay: 1, ...given })),
  async cancel() {
    const { status } = await transaction.cancel();
    return { status: status ?? null };
  },
  // What an application's server does with the code that a redirect brings; the SDK asks and checks the ID token.
  async exchange({ code, codeVerifier, nonce }) {
    const given = { authorizationCode: code, codeVerifier, scopes: ['openid', 'email', 'view:balance'] };
    const { tokens } = await sdk.token.exchangeCodeForTokens(given);
    await sdk.token.verify(tokens.idToken, { clientId: sdk.options.clientId, issuer: sdk.options.issuer, nonce });
    const user = await sdk.token.getUserInfo(tokens.accessToken, tokens.idToken);
    return { claims: tokens.idToken.claims, email: user.email };
  },
};

function refusal({ name, errorCode, errorSummary, errorCauses, error, errorCode: code, errorDescription, message, xhr }) {
  return { name, errorCode: errorCode ?? code ?? error, errorSummary, errorCauses, errorDescription, message, status: xhr?.status };
}

hear(async (message) => {
  const { call, ...given } = message;
  try {
    say({ value: (await calls[call](given)) ?? null });
  } catch (failure) {
    say({ refused: refusal(failure) });
  }
});
