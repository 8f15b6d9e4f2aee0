/** From Osclass's config.php to a site that runs: `account-sync init`, and what it prints, followed. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { makeCli, type Cli, type Ended } from '../support/cli.ts';
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
const written = () => parseConfig(readFileSync(file(), 'utf8'), 'config.yaml', {}, () => '').config;

describe('account-sync init', { timeout: 60_000 }, () => {
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
      peers: [],
    });
    const keys = [config.site.apiKey, config.http.adminToken, config.database.password];
    expect(new Set(keys.filter((key) => key !== null && key.length >= 40)).size).toBe(3);
    const text = readFileSync(file(), 'utf8');
    expect(text).toMatch(/Left out, .*: (?:i_gdpr_tc, s_api_token|s_api_token, i_gdpr_tc)/);
    expect(text).toMatch(/# timezone: \w+/);
    expect(text).not.toContain(db.user === 'root' ? 'user: root' : db.user);
    expect(out).toContain(`    api_key: ${config.site.apiKey}\n`);

    expect((await cli.run('check')).code).toBe(3);
    const sql = out.split('\n').filter((line) => /^(?:CREATE|GRANT|SET) .*;$/.test(line));
    const account = /CREATE USER (\S+) /.exec(out)?.[1] ?? '';
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
      settings: { apikey: key },
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
    const { site, http, peers } = written();
    expect([site.apiKey, http.allowInsecurePeers]).toEqual([key, true]);
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
      err: expect.stringMatching(/site\.name: expected/),
    });
    expect(existsSync(file())).toBe(false);
  });
});
