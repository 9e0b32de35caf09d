// A real OpenID provider on loopback, for the tests: client credentials, the device flow, rotation and outages.
//
//   node provider.mjs '{"port": 0, "clients": ["service"], "accounts": {"alice": ["staff"]}, "audience": "penstock"}'
//
// It prints one line of JSON when it is ready, and one for each line of JSON that it reads:
//   {"do": "rotate", "keep": true}   new signing keys; `keep` leaves the old ones in the key set
//   {"do": "down"}, {"do": "up"}     stop listening, listen again on the same port with the same keys
// It ends when its standard input does.
//
// A token request may say, beside what the standards know, `groups` (comma separated), `alg`, `ttl` (seconds).

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

// Standard output is for answers only.
console.log = console.info = console.warn = console.error;

const options = { port: 0, clients: ['service'], accounts: {}, audience: 'penstock', ...JSON.parse(process.argv[2] ?? '{}') };
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const RESOURCE = 'urn:penstock:gateway';

let keys = [];
let current = {};
let issuer;
let answer;
let server;

async function newKeys(keep) {
  const made = await Promise.all(ALGORITHMS.map(async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${alg}-${crypto.randomUUID()}` };
  }));
  keys = keep ? [...made, ...keys] : made;
  current = Object.fromEntries(made.map(({ alg, kid }) => [alg, kid]));
  answer = provider().callback();
}

function clients() {
  const services = options.clients.map((id) => ({
    client_id: id,
    client_secret: `${id}-secret`,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }));
  const device = {
    client_id: 'cli',
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    redirect_uris: [],
    response_types: [],
  };
  return [...services, device];
}

function resourceServer(ctx) {
  const alg = ctx.oidc.body?.alg ?? 'RS256';
  return {
    scope: 'models',
    audience: options.audience,
    accessTokenFormat: 'jwt',
    accessTokenTTL: Number(ctx.oidc.body?.ttl ?? 300),
    jwt: { sign: { alg, kid: current[alg] } },
  };
}

function groups(ctx, token) {
  if (token.accountId) return options.accounts[token.accountId] ?? [];
  return (ctx.oidc.body?.groups ?? '').split(',').filter(Boolean);
}

function provider() {
  const made = new Provider(issuer, {
    clients: clients(),
    jwks: { keys },
    scopes: ['openid', 'offline_access', 'models'],
    cookies: { keys: ['only-for-tests'] },
    clientDefaults: { id_token_signed_response_alg: 'RS256' },
    extraTokenClaims: (ctx, token) => ({ groups: groups(ctx, token) }),
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, groups: options.accounts[id] ?? [] }) }),
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: resourceServer,
      },
    },
  });
  made.on('server_error', (ctx, error) => console.error(error));
  return made;
}

async function up(port) {
  server = createServer((request, response) => answer(request, response));
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return server.address().port;
}

async function down() {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

const COMMANDS = {
  rotate: ({ keep }) => newKeys(keep),
  up: () => up(options.port),
  down,
};

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

// The port must be known before the issuer is, and the issuer before the first answer.
options.port = await up(options.port);
issuer = `http://127.0.0.1:${options.port}`;
await newKeys(false);
say({ ready: issuer });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  await COMMANDS[command.do](command);
  say({ done: command.do });
}
process.exit(0);
