// The bank's API as seeds/002 has it made: express, and behind it express-jwt, jwks-rsa and express-jwt-authz.
//
// Arguments: the issuer, the audience. It says the port it listens on, and ends with its input.

import express from 'express';
import jwtAuthz from 'express-jwt-authz';
import { expressjwt } from 'express-jwt';
import jwksRsa from 'jwks-rsa';

import { hear, say } from './lines.mjs';

const [issuer, audience] = process.argv.slice(2);

const checkJwt = expressjwt({
  secret: jwksRsa.expressJwtSecret({ cache: true, jwksUri: `${issuer}.well-known/jwks.json` }),
  audience,
  issuer,
  algorithms: ['RS256'],
});
// express-jwt of today leaves the token's claims in `req.auth`, where express-jwt-authz has to be told to look.
const scoped = (scope) => jwtAuthz([scope], { customUserKey: 'auth' });

const app = express();
app.get('/balance', checkJwt, scoped('view:balance'), (request, response) => response.json({ balance: 100000 }));
app.post('/transfer', checkJwt, scoped('transfer:funds'), (request, response) => response.status(201).json({}));
app.use((error, request, response, next) => response.status(error.status ?? 500).json({ code: error.code }));

const server = app.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
hear(() => {});
