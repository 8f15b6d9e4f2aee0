/** What can stand between two sites: `account-sync check` names each thing for what it is, and says what to do about it. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { check } from '../../src/cli/check.ts';
import type { Finding } from '../../src/admin/check/finding.ts';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.ts';
import { silentLog } from '../../src/runtime/logger.ts';
import { scanAll } from '../support/by-hand.ts';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { breakOff, page, startFront, type Act, type Front, type Rules } from '../support/front.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createHost } from '../support/osclass/host.ts';
import { makePhpPlugin, type PhpPlugin } from '../support/php-plugin/plugin.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../support/world.ts';
import { SILENT_TERMINAL } from '../support/silent-terminal.ts';

let world: World;
let cars: WorldSite;
let homes: WorldSite;
/** In front of homes, as cars calls it. */
let front: Front;
/** In front of cars, as homes calls it. */
let back: Front;
let cli: Cli;
let jobsDb: TestDatabase;
let jobs: PhpPlugin;

const configure = (url: string, more = ''): void =>
  cli.configure(
    configOf(cars, [{ name: 'homes', url }]).replace(/(api_key: homes-\S+)/, `$1${more === '' ? '' : `, ${more}`}`),
  );

/** What is said of the peer. */
const look = async (): Promise<Finding[]> => {
  let out = '';
  await check(
    { config: join(cli.folder, 'config.yaml'), json: true },
    { ...SILENT_TERMINAL, out: (text) => void (out += text) },
  );
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return findings.filter((one) => one.check === 'peer homes');
};

beforeAll(async () => {
  front = await startFront(() => homes.url);
  back = await startFront(() => cars.url);
  world = await makeWorld(['cars', 'homes'], {
    manual: true,
    peerUrl: (_from, to) => (to === 'homes' ? front.url : back.url),
  });
  [cars, homes] = [world.site('cars'), world.site('homes')];
  await scanAll(world);
  cli = makeCli('');
  jobsDb = await createDatabase();
  jobs = await makePhpPlugin(await createHost(jobsDb, { name: 'jobs' }), { apiKey: keyOf('homes'), accounts: [] });
  // A running daemon shows that it is there; those of this world do nothing by themselves.
  await cars.db.query(
    "REPLACE INTO oc_account_sync_lease VALUES ('daemon', 'test', UTC_TIMESTAMP(3) + INTERVAL 20 SECOND)",
  );
}, 90_000);
afterEach(async () => {
  [front.rules, back.rules] = [{}, {}];
  await cars.db.query(
    "REPLACE INTO oc_account_sync_lease VALUES ('daemon', 'test', UTC_TIMESTAMP(3) + INTERVAL 20 SECOND)",
  );
});
afterAll(async () => {
  cli.close();
  await world.close();
  await Promise.all([front.close(), back.close(), jobs.close()]);
  await jobs.host.close();
  await jobsDb.drop();
});

const always = (act: Act): Rules => ({ request: () => act });
const json =
  (status: number, body: string): Act =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(body);

/** A thing in front of the peer. */
interface Row {
  readonly what: string;
  readonly rules: Rules;
  readonly says: RegExp;
  readonly remedy: RegExp;
  readonly result?: 'warn' | 'fail';
}

let stored: { text: string; status: number } | undefined;
const cache: Rules = {
  request: ({ method }) => {
    const kept = stored;
    return method === 'GET' && kept !== undefined ? json(kept.status, kept.text) : undefined;
  },
  answer: ({ method, text, status }) => {
    if (method === 'GET') stored = { text, status };
    return undefined;
  },
};

const ROWS: readonly Row[] = [
  {
    what: 'a password (htpasswd)',
    rules: always(page(401, '401 Authorization Required', { 'www-authenticate': 'Basic realm="private"' })),
    says: /^HTTP 401: .*asks for a password \(Basic\)/,
    remedy: /htpasswd/,
  },
  {
    what: 'a firewall',
    rules: always(page(403, '403 Forbidden', { server: 'nginx' })),
    says: /^HTTP 403: refused in front of the peer \(nginx, "403 Forbidden"\)/,
    remedy: /Exempt the path/,
  },
  {
    what: 'maintenance',
    rules: always(page(503, 'Back soon')),
    says: /^HTTP 503: .*maintenance page \("Back soon"\)/,
    remedy: /maintenance must leave its path open/,
  },
  {
    what: 'a web server whose daemon is down',
    rules: always(page(502, '502 Bad Gateway')),
    says: /^HTTP 502: .*does not reach it/,
    remedy: /daemon there runs/,
  },
  {
    what: 'a captcha with 200',
    rules: always(page(200, 'Are you human?')),
    says: /^HTTP 200: .*captcha/,
    remedy: /Exempt the path/,
  },
  {
    what: 'a challenge with 403',
    rules: always(page(403, 'Just a moment...', { server: 'cloudflare' })),
    says: /^HTTP 403: .*captcha.*cloudflare/,
    remedy: /Exempt the path/,
  },
  {
    what: 'a redirect to another host (301)',
    rules: always(page(301, 'moved', { location: 'https://www.homes.example.com/' })),
    says: /^HTTP 301: a redirect to https:\/\/www\.homes/,
    remedy: /give the url that address/,
  },
  {
    what: 'a redirect to a login (302)',
    rules: always(page(302, 'moved', { location: '/login' })),
    says: /^HTTP 302: a redirect to \/login/,
    remedy: /take the redirect away/,
  },
  {
    what: 'a redirect to HTTPS (308)',
    rules: { request: ({ url }) => page(308, 'moved', { location: `https://127.0.0.1${url}` }) },
    says: /^HTTP 308: a redirect to https/,
    remedy: /https:\/\/ instead of http/,
  },
  {
    what: 'a page of Osclass that is not there',
    rules: always(page(404, 'Page not found - Osclass')),
    says: /^HTTP 404: .*no account-sync at this address \("Page not found - Osclass"\)/,
    remedy: /Check host and path/,
  },
  {
    what: 'a home page for every address',
    rules: always(page(200, 'Classifieds')),
    says: /^HTTP 200: a page, which is not JSON \("Classifieds"\)/,
    remedy: /Check the URL/,
  },
  {
    what: 'an empty answer',
    rules: always((response) => void response.end()),
    says: /^HTTP 200: an empty answer/,
    remedy: /Check the URL/,
  },
  {
    what: 'another program that speaks JSON',
    rules: always(json(200, '{"jsonrpc":"2.0","result":[]}')),
    says: /^HTTP 200: JSON of another program/,
    remedy: /Check the URL/,
  },
  {
    what: 'another program that refuses in JSON',
    rules: always(json(403, '{"error":"forbidden","message":"no route"}')),
    says: /^HTTP 403: refused in front of the peer \("no route"\)/,
    remedy: /Exempt the path/,
  },
  {
    what: 'a limit of calls',
    rules: always(page(429, 'Too Many Requests')),
    says: /^HTTP 429: .*limits the number of calls/,
    remedy: /Exempt the path/,
  },
  {
    what: 'an answer into which a script was put',
    rules: { answer: ({ text }) => json(200, text.replace('{', '{<script src="/ad.js"></script>')) },
    says: /altered on the way/,
    remedy: /adds to answers/,
  },
  {
    what: 'an answer that is cut off',
    rules: {
      answer: () => (response, request) => {
        response.writeHead(200, { 'content-type': 'application/json' }).write('{"status":"OK",');
        setImmediate(() => request.socket.destroy());
      },
    },
    says: /broke off before the answer was complete/,
    remedy: /cuts connections/,
  },
  {
    what: 'a connection that breaks off',
    rules: always(breakOff),
    says: /broke off before the answer/,
    remedy: /cuts connections/,
  },
  {
    what: 'a proxy that takes our key away',
    rules: { strips: ['authorization'] },
    says: /^HTTP 401: API Key is missing/,
    remedy: /pass the Authorization header on/,
  },
  {
    what: 'a cache',
    rules: cache,
    says: /come out of a cache/,
    remedy: /leaves out the path/,
  },
  {
    what: 'something that lets no POST through',
    rules: { request: ({ method }) => (method === 'POST' ? page(405, '405 Not Allowed') : undefined) },
    says: /a greeting gets there, but users do not: HTTP 405/,
    remedy: /for GET and POST/,
  },
  {
    what: 'something that lets nothing compressed through',
    rules: { request: ({ headers }) => (headers['content-encoding'] === undefined ? undefined : page(403)) },
    says: /compressed requests are refused/,
    remedy: /920450/,
    result: 'warn',
  },
  {
    what: 'a limit of the size of a request',
    rules: { request: ({ headers }) => (Number(headers['content-length'] ?? 0) > 100_000 ? page(413) : undefined) },
    says: /requests of 700 KB do not get there.*HTTP 413/,
    remedy: /client_max_body_size/,
    result: 'warn',
  },
];

describe('check, with something in front of the peer', { timeout: 60_000 }, () => {
  it('finds nothing wrong where there is nothing, and has proof that its calls get here', async () => {
    configure(front.url);
    const findings = await look();
    expect(findings.filter(({ result }) => result !== 'ok')).toEqual([]);
    expect(findings.at(-1)?.message).toBe(`called us at ${back.url}, and was let in by this site`);
    expect(await cars.db.query("SELECT * FROM oc_account_sync_state WHERE name LIKE 'call%'")).toEqual([]);
  });

  it.each(ROWS)('names $what', async ({ rules, says, remedy, result = 'fail' }) => {
    configure(front.url);
    stored = undefined;
    front.rules = rules;
    const found = (await look()).find(({ message }) => says.test(message));
    expect(found).toMatchObject({ result, remedy: expect.stringMatching(remedy) as string });
    // Whatever it is, it says nothing of our key.
    expect(found?.remedy).not.toMatch(/site\.api_key/);
  });

  it('names a path that the daemon does not have, and a daemon that refuses our key', async () => {
    configure(`${front.url}shop/`);
    expect(await look()).toMatchObject(
      [{ result: 'fail', message: /^HTTP 404: /, remedy: /http\.base_path/ }].map(matching),
    );
    cli.configure(
      configOf(cars, [{ name: 'homes', url: front.url }]).replace(keyOf('cars'), 'another-key-0123456789-abcd'),
    );
    expect(await look()).toMatchObject(
      [{ result: 'fail', message: /^HTTP 403: API Key is invalid/, remedy: /site\.api_key/ }].map(matching),
    );
  });

  it('names the PHP plugin where a daemon should be, and the other way round', async () => {
    configure(jobs.url);
    expect(await look()).toMatchObject(
      [{ result: 'fail', message: /runs the PHP plugin/, remedy: /protocol: plugin/ }].map(matching),
    );
    configure(front.url, 'protocol: plugin');
    const messages = (await look()).map(({ message }) => message);
    expect(messages).toContain('is an account-sync, not the PHP plugin');
  });

  it('names what stands in front of a peer with the PHP plugin too', async () => {
    configure(front.url, 'protocol: plugin');
    for (const { rules, says } of ROWS.slice(0, 4)) {
      front.rules = rules;
      const failure = (await look()).find(({ result }) => result === 'fail');
      expect(failure?.message).toMatch(says);
      expect(failure?.remedy).not.toMatch(/site\.api_key/);
    }
  });

  it('names who is not there at all', async () => {
    configure('http://127.0.0.1:9/');
    expect(await look()).toMatchObject(
      [{ result: 'fail', message: /nothing listens there \(ECONNREFUSED\)/, remedy: /Start the daemon/ }].map(matching),
    );
    configure('https://homes.invalid/');
    expect(await look()).toMatchObject(
      [{ result: 'fail', message: /host name is not known/, remedy: /Check the host/ }].map(matching),
    );
  });

  it('names one that hangs', async () => {
    const hanging: Server = createServer();
    await new Promise<void>((resolve) => {
      hanging.listen(0, '127.0.0.1', resolve);
    });
    configure(`http://127.0.0.1:${(hanging.address() as { port: number }).port}/`);
    expect(await look()).toMatchObject(
      [{ result: 'fail', message: /did not answer in time/, remedy: /./ }].map(matching),
    );
    hanging.close();
  });
});

const matching = ({ result, message, remedy }: { result: string; message: RegExp; remedy: RegExp }) => ({
  result,
  message: expect.stringMatching(message) as string,
  remedy: expect.stringMatching(remedy) as string,
});

describe('check, of certificates', { timeout: 60_000 }, () => {
  const file = (name: string): string => readFileSync(new URL(`../support/tls/${name}`, import.meta.url), 'utf8');
  const known = getCACertificates('default');
  beforeAll(() => setDefaultCACertificates([...known, file('ca.pem')]));
  afterAll(() => setDefaultCACertificates([...known]));

  it.each([
    ['self-signed', /certificate is of no authority/, /NODE_EXTRA_CA_CERTS/],
    ['other-host', /certificate is for another host name/, /host name in the url/],
    ['expired', /certificate has expired/, /Renew the certificate/],
  ])('names one that is %s', async (name, says, remedy) => {
    const secure = await startFront(() => homes.url, {}, { key: file('server.key'), cert: file(`${name}.pem`) });
    configure(secure.url);
    expect(await look()).toMatchObject([{ result: 'fail', message: says, remedy }].map(matching));
    await secure.close();
  });

  it('names plain HTTP where TLS should be, and is content with a good one', async () => {
    configure(front.url.replace('http:', 'https:'));
    expect(await look()).toMatchObject(
      [{ result: 'fail', message: /does not speak TLS/, remedy: /https:\/\/ against/ }].map(matching),
    );
    const secure = await startFront(() => homes.url, {}, { key: file('server.key'), cert: file('good.pem') });
    configure(secure.url);
    expect((await look()).filter(({ result }) => result !== 'ok')).toEqual([]);
    await secure.close();
  });
});

describe('check, of the way back', { timeout: 60_000 }, () => {
  /** These sites show each other keys, which is said in any case. */
  const wrong = async (): Promise<Finding[]> =>
    (await look()).filter(({ result, check: about }) => result !== 'ok' && about !== 'signatures');

  it('names a copy of this site to which the calls from the peer go', async () => {
    const db = await createDatabase();
    const host = await createHost(db, { name: 'cars' });
    const { name, host: address, port, user, password } = db;
    const database = { ...cars.config.database, name, host: address, port, user, password };
    const http = { ...cars.config.http, port: 0 };
    const copy: Daemon = await startDaemon({
      config: { ...cars.config, database, http },
      log: silentLog,
      manual: true,
    });
    await copy.ready;
    configure(front.url);
    // The peer calls the copy, which has our name and our keys.
    back.rules = {
      request:
        ({ url, headers }) =>
        (response) => {
          void fetch(new URL(url, copy.url), { headers: headers as Record<string, string> })
            .then((answer) => answer.text())
            .then((text) => response.writeHead(200, { 'content-type': 'application/json' }).end(text));
        },
    };
    expect(await wrong()).toMatchObject(
      [
        {
          result: 'fail',
          message: /go to another daemon than this site's: it calls us at .*cars answered/,
          remedy: /stop the copy/,
        },
      ].map(matching),
    );
    await copy.stop('test');
    await host.close();
    await db.drop();
  });

  it('names a key that is not in its entry here, though the calls get here', async () => {
    configure(front.url);
    const peers = cars.config.peers.map((peer) => ({ ...peer, apiKey: 'x'.repeat(32), apiKeys: ['x'.repeat(32)] }));
    await cars.stop();
    await cars.start({ config: { ...cars.config, peers } });
    expect(await wrong()).toMatchObject(
      [
        {
          result: 'fail',
          message: /get here, and are refused: its key is not in its entry/,
          remedy: /site\.api_key of homes/,
        },
      ].map(matching),
    );
    await cars.stop();
    await cars.start();
  });

  it('names what keeps the calls from the peer from us', async () => {
    configure(front.url);
    back.rules = always(page(401, 'private', { 'www-authenticate': 'Basic realm="x"' }));
    expect(await wrong()).toMatchObject(
      [{ result: 'fail', message: /do not get here: it calls us at .*HTTP 401: .*password/, remedy: /htpasswd/ }].map(
        matching,
      ),
    );
    back.rules = { answer: () => page(403, 'blocked') };
    expect(await wrong()).toMatchObject(
      [{ result: 'fail', message: /get here, but our answers do not get back/, remedy: /Exempt/ }].map(matching),
    );
  });

  it('says what cannot be proven: while no daemon runs here, or of a peer that cannot call back', async () => {
    configure(front.url);
    await cars.db.query("UPDATE oc_account_sync_lease SET expires_at = '2000-01-01' WHERE name = 'daemon'");
    back.rules = always(breakOff);
    expect(await wrong()).toMatchObject(
      [{ result: 'warn', message: /no daemon of this site is running/, remedy: /when the daemon runs/ }].map(matching),
    );
    // As a peer of version 0.1.0, which knows nothing of it.
    front.rules = { strips: ['x-call-back'] };
    expect(await wrong()).toMatchObject(
      [{ result: 'warn', message: /cannot be proven.*does not call back/, remedy: /later version/ }].map(matching),
    );
  });

  it('has the peer call nothing but the address in its config, for a caller it knows, once a second', async () => {
    const nonce = 'ab'.repeat(16);
    const greet = async (headers: Record<string, string>): Promise<Record<string, unknown>> =>
      (await (await fetch(new URL('v1/hello', homes.url), { headers })).json()) as Record<string, unknown>;
    back.seen.length = 0;
    expect(await greet({ authorization: 'Bearer nobody-key-0123456789', 'x-call-back': nonce })).toMatchObject({
      code: 'API_KEY_INVALID',
    });
    const known = { authorization: `Bearer ${keyOf('cars')}` };
    await greet({ ...known, 'x-call-back': 'http://evil.example.com/' });
    expect(back.seen).toEqual([]);
    const called = async (): Promise<unknown> => (await greet({ ...known, 'x-call-back': nonce }))['called_back'];
    // The test before may have been the one of this second.
    await eventually(async () => expect(await called()).toMatchObject({ result: 'OK' }));
    expect(await called()).toMatchObject({ result: 'ERR', code: 'RATE_LIMITED' });
    expect(back.seen.map(({ url, headers }) => [url, headers['x-called-back']])).toEqual([['/v1/hello', nonce]]);
    // Nobody asked for it here, so nothing of it is kept.
    expect(await cars.db.query("SELECT * FROM oc_account_sync_state WHERE name LIKE 'call%'")).toEqual([]);
  });
});
