/** From Osclass's config.php to a site that runs: `account-sync init`, and what it prints, followed. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { fingerprintOf, parseSigningKey, publicHalf, type SigningKey } from '../../src/model/signing-key.ts';
import { freePort } from '../../scripts/free-port.js';
import { makeCli, type Cli, type Ended } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { startSampleProxy } from '../support/sample-proxies.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { installPlugin } from '../support/installed-plugin.ts';
import { createHost, type Host } from '../support/osclass/host.ts';

let db: TestDatabase;
let host: Host;
let cli: Cli;
let osclass: string;

beforeEach(async () => {
  db = await createDatabase();
  host = await createHost(db, { name: 'cars' });
  cli = makeCli('');
  rmSync(join(cli.folder, 'config.yaml'));
  osclass = join(cli.folder, 'osclass');
  mkdirSync(osclass);
  writeConfigPhp();
});
afterEach(async () => {
  await host.close();
  await db.drop();
  cli.close();
});

const writeConfigPhp = (changes: Record<string, string> = {}): void => {
  const constants = {
    DB_HOST: `${db.host}:${db.port}`,
    DB_USER: db.user,
    DB_PASSWORD: db.password,
    DB_NAME: db.name,
    DB_TABLE_PREFIX: 'oc_',
    WEB_PATH: 'https://www.cars.example.com/',
    ...changes,
  };
  const lines = Object.entries(constants).map(([name, value]) => `define('${name}', '${value}');`);
  writeFileSync(join(osclass, 'config.php'), `<?php\n/* Osclass */\n${lines.join('\n')}\n`);
};

const init = (...args: string[]): Promise<Ended> => cli.run('init', '--osclass', osclass, ...args);
const file = (): string => join(cli.folder, 'config.yaml');
const written = () =>
  parseConfig(readFileSync(file(), 'utf8'), file(), {}, (path) => readFileSync(path, 'utf8')).config;

describe('account-sync init', { timeout: 180_000 }, () => {
  it('writes a config with which, after its SQL was run, the site installs and passes its check', async () => {
    await db.query(
      'ALTER TABLE oc_t_user ADD s_whatsapp VARCHAR(40) NULL, ADD i_gdpr_tc INT NULL, ADD s_api_token TEXT NULL',
    );
    const { code, out, err } = await init();
    expect([code, err]).toEqual([0, expect.stringContaining(`${file()} written, with new keys.`)]);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const config = written();
    expect(config).toMatchObject({
      site: { name: 'cars', url: 'https://www.cars.example.com/' },
      database: { host: db.host, port: db.port, user: 'account_sync_cars', name: db.name, tablePrefix: 'oc_' },
      columns: { custom: ['s_whatsapp'] },
      http: { host: '127.0.0.1', port: 8470, basePath: '/account-sync/', trustProxy: ['127.0.0.1', '::1'] },
      peers: [],
    });
    expect(out).toContain('    url: https://www.cars.example.com/account-sync/\n');
    const keys = [config.site.apiKey, config.http.adminToken, config.database.password];
    expect(new Set(keys.filter((key) => key !== null && key.length >= 40)).size).toBe(3);
    const text = readFileSync(file(), 'utf8');
    expect(text).toMatch(/Left out, .*: (?:i_gdpr_tc, s_api_token|s_api_token, i_gdpr_tc)/);
    expect(text).toMatch(/# timezone: \w+/);
    expect(text).not.toContain(db.user === 'root' ? 'user: root' : db.user);
    expect(out).toContain('api_key: the site.api_key of this config');
    expect(out).not.toContain(config.site.apiKey);
    const keyFile = join(dirname(file()), 'signing.key');
    expect([statSync(keyFile).mode & 0o777, text.includes('signing_key_file: signing.key')]).toEqual([0o600, true]);
    const publicKey = publicHalf(config.site.signingKey as SigningKey);
    expect([parseSigningKey(readFileSync(keyFile, 'utf8')), text.includes(publicKey)]).toEqual([
      config.site.signingKey,
      false,
    ]);
    expect(out).toContain(`    public_key: ${publicKey}\n`);
    expect(out).toContain(fingerprintOf(publicKey));
    // A second run keeps what peers know already.
    expect((await init('--force')).err).toContain('signing.key was there and is kept');
    expect(written().site.signingKey).toBe(config.site.signingKey);
    writeFileSync(file(), text);

    expect((await cli.run('check')).code).toBe(3);
    const sql = out.split('\n').filter((line) => /^(?:CREATE|GRANT|SET) .*;$/.test(line));
    const account = /CREATE USER (\S+) /.exec(out)?.[1] ?? '';
    expect(account).not.toContain('%');
    try {
      for (const statement of sql) await db.query(statement);
      expect(await cli.run('install')).toMatchObject({ code: 0 });
      expect(await cli.run('check')).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^ok {4}rights +all there/m),
      });
      expect(await cli.run('uninstall')).toMatchObject({ code: 0 });
    } finally {
      await db.query(`DROP USER IF EXISTS ${account}`);
    }
  });

  it('says of the name only where it chose it, and the steps in the order of README', async () => {
    expect((await init()).err).toMatch(
      /The site is called "cars"[^]*install", "account-sync check", "account-sync run"/,
    );
    expect((await init('--force', '--name', 'boats')).err).not.toContain('is called');
  });

  it('never writes over a config, unless forced: then the old one is kept', async () => {
    expect((await init('--name', 'boats')).code).toBe(0);
    const before = readFileSync(file(), 'utf8');
    expect(await init()).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/is there already[^]*--force/) });
    expect(readFileSync(file(), 'utf8')).toBe(before);
    expect((await init('--force')).code).toBe(0);
    expect(readFileSync(`${file()}.old`, 'utf8')).toBe(before);
    expect(written().site.name).toBe('cars');
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it('takes key and peers from a PHP plugin that is installed; what would not load is a comment', async () => {
    const key = 'k'.repeat(70);
    await installPlugin(db, {
      settings: { apikey: key, feed_limit: '150' },
      accounts: [
        { name: 'Site B', url: 'https://b.example.com/', key: 'b'.repeat(70), lastUserId: 4711 },
        {
          name: 'Site C',
          url: 'http://c.example.com/',
          key: 'c${x}'.repeat(10),
          columns: 's_name, s_email',
          lastUserId: 1,
        },
        { name: 'Cars', url: 'https://d.example.com/', key: 'd'.repeat(70), lastUserId: 1 },
        { name: 'Short', url: 'https://e.example.com/', key: 'e', lastUserId: 1 },
      ],
    });
    const { code, err } = await init();
    expect(code).toBe(0);
    const { site, http, peers, feed } = written();
    expect([site.apiKey, http.allowInsecurePeers, feed.limit]).toEqual([key, true, 150]);
    expect(peers).toMatchObject([
      { name: 'site-b', protocol: 'plugin', apiKey: 'b'.repeat(70), columns: 'default', feedWithinMs: 86_400_000 },
      { name: 'site-c', protocol: 'plugin', apiKey: 'c${x}'.repeat(10), columns: ['s_name', 's_email'] },
    ]);
    expect(readFileSync(file(), 'utf8')).toMatch(/# Fed up to its user 4711; "account-sync feed site-b"/);
    expect(err).toMatch(/"Cars" is only a comment: name: the same as site\.name/);
    expect(err).toMatch(/"Short" is only a comment: api_key: expected at least 20/);
    expect(err).toMatch(/site\.api_key is the key the plugin has/);
  });

  it('writes what it can where the database does not let it in, and says so', async () => {
    writeConfigPhp({ DB_PASSWORD: 'wrong', DB_USER: 'nobody_here' });
    const { code, err, out } = await init();
    expect(code).toBe(0);
    expect(err).toMatch(/The database could not be looked at: .*denied/i);
    expect(err + out).not.toContain("'wrong'");
    expect(written().database).toMatchObject({ name: db.name, user: 'account_sync_cars' });
    expect(out).toMatch(/^CREATE USER 'account_sync_cars'@'localhost' /m);
  });

  it('never makes an account that may come from everywhere', async () => {
    writeConfigPhp({ DB_HOST: 'p:database.invalid:3307' });
    const { code, out } = await init();
    expect(code).toBe(0);
    expect(written().database).toMatchObject({ host: 'database.invalid', port: 3307 });
    expect(out).not.toContain("'%'");
    expect(out).toMatch(/Put the address of this machine[^]*'account_sync_cars'@'ADDRESS-OF-THE-DAEMON'/);
  });

  it('reaches the database by a host that asks for a connection that is kept', async () => {
    writeConfigPhp({ DB_HOST: `p:${db.host}:${db.port}` });
    expect(await init()).toMatchObject({ code: 0, err: expect.not.stringContaining('could not be looked at') });
    expect(written().database).toMatchObject({ host: db.host, port: db.port });
  });

  it('does not choose between several sets of values, and takes the one that is named', async () => {
    const set = (name: string, password: string): string =>
      `define('DB_HOST', '${db.host}:${db.port}');\ndefine('DB_USER', '${db.user}');\ndefine('DB_PASSWORD', '${password}');
define('DB_NAME', '${name}');`;
    const site = "define('WEB_PATH', 'https://cars.example.com/');";
    const text = `<?php\nif (getenv('STAGE') === 'live') {\n${set('live', 'live-secret')}\n} else {\n${set(db.name, db.password)}\n}\n${site}\n`;
    writeFileSync(join(osclass, 'config.php'), text);
    const { code, out, err } = await init();
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/several sets of values[^]*line 3: .*DB_NAME "live"[^]*line 8: [^]*--line 3/);
    expect(err).not.toContain('secret');
    expect(existsSync(file())).toBe(false);
    expect(await init('--line', '99')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/in line 99\.[^]*in 3, 4/),
    });
    expect((await init('--line', '8')).code).toBe(0);
    expect(written()).toMatchObject({ site: { name: 'cars' }, database: { name: db.name } });
    expect(await init('--line', 'eight', '--force')).toMatchObject({ code: 2, err: expect.stringContaining('--line') });
  });

  it('says what to do where several sets of values stand in one line', async () => {
    writeFileSync(
      join(osclass, 'config.php'),
      `<?php if ($a) { define('DB_NAME', 'live'); } else { define('DB_NAME', 'test'); }`,
    );
    expect(await init()).toMatchObject({ code: 1, err: expect.stringMatching(/put each into a line of its own/) });
  });

  it('says once that the address is not known', async () => {
    writeConfigPhp();
    const vague = readFileSync(join(osclass, 'config.php'), 'utf8').replace(/'https:[^']*'/, "'https://' . HOST");
    writeFileSync(join(osclass, 'config.php'), vague);
    const said = (await init('--name', 'boats')).err;
    expect(said.match(/WEB_PATH/g)).toHaveLength(1);
  });

  it.each(['http://192.0.2.7:8080/', 'https://[2001:db8::7]/', 'http://localhost/osclass/'])(
    'asks for a name where the address has none: %s',
    async (address) => {
      writeConfigPhp({ WEB_PATH: address });
      expect(await init()).toMatchObject({ code: 2, err: expect.stringContaining('--name NAME'), out: '' });
      expect(existsSync(file())).toBe(false);
      const { code, out } = await init('--name', '1e3');
      expect(code).toBe(0);
      expect(written().site.name).toBe('1e3');
      expect(out).toContain(`url: ${new URL('/account-sync/', address).href}\n`);
    },
  );

  it('writes for a container what holds in there', async () => {
    const { code, out, err } = await init('--container');
    expect(code).toBe(0);
    expect(written()).toMatchObject({
      http: { host: '0.0.0.0', basePath: '/account-sync/' },
      database: { host: 'host.docker.internal', port: db.port, socketPath: null },
    });
    expect(out).toContain("@'172.16.0.0/255.240.0.0'");
    expect(err).toMatch(/host-gateway/);
  });

  it('prints an address that leads through deploy/nginx.conf, as it stands, to the daemon', async ({ skip }) => {
    writeConfigPhp({ WEB_PATH: 'https://cars.example.com/classifieds/' });
    const { out } = await init();
    const address = /url: (\S+)/.exec(out)?.[1] ?? '';
    const account = /CREATE USER (\S+) /.exec(out)?.[1] ?? '';
    const port = await freePort();
    const peer = 'peer-key-of-more-than-twenty-characters';
    // Only the port is another one, and there is a peer.
    const text = readFileSync(file(), 'utf8').replace('port: 8470', `port: ${port}`);
    const entry = `peers: [{ name: homes, url: "https://homes.example.com/", api_key: ${peer} }]`;
    cli.configure(text.replace(/^peers: \[\]$/m, entry));
    const proxy = await startSampleProxy('nginx', port);
    if (typeof proxy === 'string') skip(proxy);
    for (const sql of out.split('\n').filter((line) => /^(?:CREATE|GRANT|SET) .*;$/.test(line))) await db.query(sql);
    const daemon = cli.start('run');
    try {
      const { pathname } = new URL(address);
      const call = async (path: string) => {
        const headers = { authorization: `Bearer ${peer}` };
        return typeof proxy === 'string' ? undefined : proxy.call('outside', 'GET', `${pathname}${path}`, { headers });
      };
      await eventually(async () => expect(await call('v1/hello')).toMatchObject({ status: 200, isOfDaemon: true }), {
        timeoutMs: 40_000,
      });
      // A plugin calls the address itself.
      expect(await call('')).toMatchObject({ isOfDaemon: true });
      expect((await cli.run('health')).code).toBe(0);
    } finally {
      daemon.kill('SIGTERM');
      await daemon.ended;
      if (typeof proxy === 'object') await proxy.stop();
      await cli.run('uninstall', '--force');
      await db.query(`DROP USER IF EXISTS ${account}`);
    }
  });

  it.each([
    ['no folder', () => rmSync(osclass, { recursive: true }), /config\.php cannot be read: no such file/],
    [
      'a config.php that takes its values from elsewhere',
      () => writeFileSync(join(osclass, 'config.php'), '<?php require "x";'),
      /does not say DB_HOST, DB_USER/,
    ],
  ])('ends with 1 and writes nothing for %s', async (_what, spoil, message) => {
    spoil();
    expect(await init()).toMatchObject({ code: 1, out: '', err: expect.stringMatching(message) });
    expect(existsSync(file())).toBe(false);
  });

  it('ends with 2 for a name that no site can have', async () => {
    expect(await init('--name', 'My Cars')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^--name "My Cars": expected/),
    });
    expect(existsSync(file())).toBe(false);
  });
});
