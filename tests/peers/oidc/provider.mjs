// A certified OpenID provider with people of both shapes: groups in a list (Entra ID) and nested roles (Keycloak).
// Everybody who comes is signed in at once as the account that the file says is here; the keys change at SIGUSR2.
import { readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import * as oidc from 'oidc-provider';

const [port, redirect, peopleFile, where] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

function key(kid) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}

function people() {
  return JSON.parse(readFileSync(peopleFile, 'utf8'));
}

function provider(kid) {
  const made = new oidc.Provider(issuer, {
    clients: [{ client_id: 'sekisho', client_secret: 'a secret / of the client', redirect_uris: [redirect] }],
    jwks: { keys: [key(kid)] },
    cookies: { keys: ['a key of cookies, for tests'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username', 'oid'], groups: ['groups', 'realm_access'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    conformIdTokenClaims: where === 'userinfo',
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...people().accounts[sub] }) }),
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid profile email groups');
      await grant.save();
      return grant;
    },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  });
  made.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    await made.interactionFinished(ctx.req, ctx.res, { login: { accountId: people().here } }, { mergeWithLastSubmission: false });
    ctx.respond = false;
  });
  return made;
}

let current = provider('first').callback();
process.on('SIGUSR2', () => {
  current = provider('second').callback();
  process.stdout.write('rotated\n');
});
const { createServer } = await import('node:http');
createServer((request, response) => current(request, response)).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
