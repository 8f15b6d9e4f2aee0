/** Faults that are seeded one by one: `account-sync check` finds each, and where its remedy can be followed by a program, that repairs it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RIGHTS } from '../../src/capture/rights.ts';
import { judgeDisk } from '../../src/admin/check/space.ts';
import { judgeServer } from '../../src/admin/check/database.ts';
import { check } from '../../src/cli/check.ts';
import type { Finding } from '../../src/admin/check/finding.ts';
import { install } from '../../src/cli/install.ts';
import type { Config } from '../../src/config/config.ts';
import type { ServerFacts } from '../../src/db/server-facts.ts';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { freePort } from '../../scripts/free-port.js';
import { createAccount, type TestAccount } from '../support/database.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../support/world.ts';
import { SILENT_TERMINAL } from '../support/silent-terminal.ts';

let world: World;
let cars: WorldSite;
let homes: WorldSite;
let account: TestAccount;
let isStrict: boolean;
let cli: Cli;
let good: string;

const file = (): string => join(cli.folder, 'config.yaml');

/** What the command prints as JSON, and its exit code. */
const look = async (): Promise<{ code: number; findings: Finding[] }> => {
  let out = '';
  const code = await check({ config: file(), json: true }, { ...SILENT_TERMINAL, out: (text) => void (out += text) });
  return { code, findings: (JSON.parse(out) as { findings: Finding[] }).findings };
};

/** The findings that are not well. */
const wrong = async (): Promise<Finding[]> =>
  (await look()).findings.filter(
    // These sites show each other keys, which is said in any case: test/unit/check-keys.test.ts.
    ({ result, message, check: about }) => result !== 'ok' && about !== 'signatures' && !NOT_RUNNING.test(message),
  );

/** Our own daemon is not started, for it would repair what is broken here. */
const NOT_RUNNING = /no daemon of this site is running/;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { idle: true });
  [cars, homes] = [world.site('cars'), world.site('homes')];
  // With a binary log, servers may let only accounts with SUPER make triggers.
  const [log] = await cars.db.query<{ on: number; trust: number }>(
    'SELECT @@GLOBAL.log_bin AS `on`, @@GLOBAL.log_bin_trust_function_creators AS trust',
  );
  isStrict = Number(log?.on) === 1 && Number(log?.trust) === 0;
  account = await createAccount(cars.db, [RIGHTS.join(', '), ...(isStrict ? ['SUPER ON *.*'] : [])]);
  cli = makeCli('');
  const strong = (text: string): string =>
    text.replaceAll(keyOf('cars'), `${keyOf('cars')}-0123`).replaceAll(keyOf('homes'), `${keyOf('homes')}-0123`);
  good = strong(configOf(cars, [homes], { port: await freePort(), login: account })).replace(
    /admin_token: \S+/,
    'admin_token: an-admin-token-of-more-than-32-characters',
  );
  cli.configure(good);
  await install({ config: file() }, SILENT_TERMINAL);
  await homes.start({ config: homesWith({}) });
}, 90_000);
afterAll(async () => {
  await world.close();
  cli.close();
});

/** The config of homes with the keys of this test, its entry for cars changed. */
const homesWith = (entry: Partial<Config['peers'][number]>, site: Partial<Config['site']> = {}): Config => {
  const [peer] = homes.config.peers;
  const apiKeys = [`${keyOf('cars')}-0123`];
  const sendKey = `${keyOf('homes')}-0123`;
  return {
    ...homes.config,
    site: { ...homes.config.site, apiKey: sendKey, ...site },
    peers: [{ ...(peer as Config['peers'][number]), apiKey: apiKeys[0] as string, apiKeys, sendKey, ...entry }],
  };
};
const restartHomes = async (config: Config, options: Parameters<WorldSite['start']>[0] = {}): Promise<void> => {
  await homes.stop();
  await homes.start({ ...options, config });
};
const statements = (remedy = ''): string[] => remedy.match(/(?:GRANT|DELETE) [^;]+/g) ?? [];
const reinstall = async (): Promise<void> => void (await install({ config: file() }, SILENT_TERMINAL));
const configure = (change: (text: string) => string) => async (): Promise<void> => {
  const changed = change(good);
  expect(changed).not.toBe(good);
  cli.configure(changed);
};
const restore = async (): Promise<void> => cli.configure(good);
const onCars =
  (...queries: string[]) =>
  async (): Promise<void> => {
    for (const query of queries) await cars.db.query(query);
  };
const triggerName = async (purpose: string): Promise<string> => {
  const rows = await cars.db.query<{ Trigger: string }>(`SHOW TRIGGERS LIKE 'oc_t_user'`);
  return rows.map(({ Trigger }) => Trigger).find((name) => name.includes(purpose)) ?? '';
};
/** Makes a trigger again as root, so that root is its definer, with another body or mode. */
const remake = async (change: (sql: string) => string, mode = ''): Promise<void> => {
  const name = await triggerName('user_au');
  const [row] = await cars.db.query<Record<string, string>>(`SHOW CREATE TRIGGER \`${name}\``);
  const text = (row?.['SQL Original Statement'] ?? '').replace(/DEFINER=\S+ /, '');
  await cars.db.query(`DROP TRIGGER \`${name}\``);
  await cars.db.query(`SET SESSION sql_mode = '${mode}'`);
  await cars.db.query(change(text));
};

/** A fault: how it comes about, what is said, and how it goes away. */
interface Fault {
  readonly what: string;
  readonly seed: () => Promise<void>;
  readonly says: RegExp;
  readonly remedy: RegExp;
  readonly result?: 'warn' | 'fail';
  /** Follows the remedy, where a program can; else puts things right. */
  readonly repair: (remedy: string) => Promise<void>;
}

const rights = RIGHTS.filter((right) => right !== 'SELECT').map((right) => ({
  what: `the right ${right} is missing`,
  seed: async () => {
    const others = RIGHTS.filter((one) => one !== right).join(', ');
    const database = account.name.replaceAll('_', String.raw`\_`);
    await cars.db.query(`REVOKE ALL PRIVILEGES, GRANT OPTION FROM '${account.user}'@'%'`);
    if (isStrict) await cars.db.query(`GRANT SUPER ON *.* TO '${account.user}'@'%'`);
    await cars.db.query(`GRANT ${others} ON \`${database}\`.* TO '${account.user}'@'%'`);
  },
  says: new RegExp(`the account lacks .*${right}`),
  remedy: /^As an administrator: GRANT .* ON .* TO /,
  repair: async (remedy: string) => {
    for (const grant of statements(remedy)) await cars.db.query(grant);
  },
}));

const entry = (text: string, more: string): string => text.replace(/(name: homes, [^}]*) \}/, `$1, ${more} }`);

const ofConfig: Fault[] = [
  {
    what: 'a wrong password',
    seed: configure((text) => text.replace(account.password, 'wrong')),
    says: /denied/i,
    remedy: /database\.user.*database\.password/,
    repair: restore,
  },
  {
    what: 'a server that is not there',
    seed: configure((text) => text.replace(/port: \d+, user/, 'port: 9, user')),
    says: /ECONNREFUSED|cannot be reached/i,
    remedy: /check `database.host` and `database.port`/,
    repair: restore,
  },
  {
    what: 'a database that is not there',
    seed: configure((text) => text.replace(/name: test_\w+ /, 'name: nowhere ')),
    says: /nowhere|denied/i,
    remedy: /./,
    repair: restore,
  },
  {
    what: 'a wrong prefix',
    seed: configure((text) => text.replace('database: {', 'database: { table_prefix: xx_,')),
    says: /xx_t_user/,
    remedy: /database\.table_prefix: .*"oc_"/,
    repair: async (remedy) => {
      const prefix = /"([^"]*)"/.exec(remedy)?.[1] ?? '';
      cli.configure(good.replace('database: {', `database: { table_prefix: ${prefix},`));
    },
  },
  {
    what: 'a custom column that is not there',
    seed: configure((text) => `${text}columns: { custom: [s_whatsapp] }\n`),
    says: /this site has no s_whatsapp/,
    remedy: /Correct the names/,
    result: 'warn',
    repair: restore,
  },
  {
    what: 'a related table that is not there',
    seed: configure(
      (text) => `${text}related_tables: [{ table: t_shop, key: fk_i_user_id, as: shop, columns: [s_a] }]\n`,
    ),
    says: /nothing fits t_shop/,
    remedy: /Check table, key and columns/,
    result: 'warn',
    repair: restore,
  },
  {
    what: 'a column to send that neither side knows',
    seed: configure((text) => entry(text, 'send_columns: [s_email, s_fax]')),
    says: /does not take s_fax/,
    remedy: /take them out of send_columns/,
    result: 'warn',
    repair: restore,
  },
  {
    what: 'a column to take that the peer does not send',
    seed: configure((text) => entry(text, 'columns: [s_email, s_fax]')),
    says: /does not send s_fax/,
    remedy: /take them out of columns/,
    result: 'warn',
    repair: restore,
  },
  {
    what: 'a short key',
    seed: configure((text) => text.replace('an-admin-token-of-more-than-32-characters', 'a-token-of-22-letters-')),
    says: /http\.admin_token: shorter than 32/,
    remedy: /account-sync key/,
    result: 'warn',
    repair: restore,
  },
  {
    what: 'a key that somebody made up',
    seed: configure((text) =>
      text.replace('an-admin-token-of-more-than-32-characters', 'correct-horse-battery-staple-again'),
    ),
    says: /^http\.admin_token is made of words/,
    remedy: /account-sync key/,
    result: 'warn',
    repair: restore,
  },
  {
    what: 'no peers',
    seed: configure((text) => text.replace(/peers: \[.*\]/, 'peers: []')),
    says: /there are none/,
    remedy: /Add the other sites/,
    result: 'warn',
    repair: restore,
  },
  {
    what: 'a peer in the clear',
    seed: configure((text) =>
      text
        .replace('http: {', 'http: { allow_insecure_peers: true,')
        .replace('peers: [', `peers: [{ name: jobs, url: "http://jobs.invalid/", api_key: ${keyOf('jobs')}-0123 }, `),
    ),
    says: /in the clear/,
    remedy: /HTTPS/,
    result: 'warn',
    repair: restore,
  },
];

const ofPeers: Fault[] = [
  {
    what: 'a peer that is not there',
    seed: configure((text) => text.replace(homes.url, 'http://127.0.0.1:9/')),
    says: /cannot be reached/,
    remedy: /Check the peer and its URL/,
    repair: restore,
  },
  {
    what: 'a path that is not the daemon',
    seed: configure((text) => text.replace(homes.url, `${homes.url}shop/`)),
    says: /HTTP 404/,
    remedy: /http\.base_path there/,
    repair: restore,
  },
  {
    what: 'our key is not theirs',
    seed: configure((text) => text.replace(`${keyOf('cars')}-0123`, `${keyOf('cars')}-9999`)),
    says: /HTTP 403/,
    remedy: /site\.api_key.*config of the peer/,
    repair: restore,
  },
  {
    what: 'a peer that does not know us',
    seed: () => restartHomes({ ...homesWith({}), peers: [] }),
    says: /HTTP 403/,
    remedy: /under the entry for this site/,
    repair: () => restartHomes(homesWith({})),
  },
  {
    what: 'a peer whose calls to us fail',
    seed: async () => {
      await (await homes.open()).site.status.recordCall('cars', { ok: false, status: 'ERR', message: 'no way' });
    },
    says: /its own calls to us fail since \d{4}-/,
    remedy: /account-sync check" there/,
    repair: async () => {
      await (await homes.open()).site.status.recordCall('cars', { ok: true, status: '200', message: 'OK' });
    },
  },
  {
    what: 'a clock far ahead',
    seed: () => {
      const clock = { nowMs: () => Date.now() + 120_000 };
      return restartHomes(homesWith({}), { clock });
    },
    says: /clock is 1[12]\d s ahead of ours/,
    remedy: /NTP/,
    repair: () => restartHomes(homesWith({})),
  },
  {
    what: 'a peer that takes nothing from us',
    seed: () => restartHomes(homesWith({ receive: false })),
    says: /takes nothing from us/,
    remedy: /receive: true/,
    repair: () => restartHomes(homesWith({})),
  },
  {
    what: 'a peer that sends us nothing',
    seed: () => restartHomes(homesWith({ send: false })),
    says: /sends us nothing/,
    remedy: /send: true/,
    result: 'warn',
    repair: () => restartHomes(homesWith({})),
  },
  {
    what: 'a peer we take nothing from, though it sends',
    seed: configure((text) => entry(text, 'receive: false')),
    says: /though we take nothing from it/,
    remedy: /send: false/,
    result: 'warn',
    repair: restore,
  },
  {
    what: 'a peer that calls us otherwise',
    seed: () => restartHomes(homesWith({ name: 'boats' })),
    says: /calls us boats/,
    remedy: /Name the entry .* cars there/,
    repair: () => restartHomes(homesWith({})),
  },
  {
    what: 'a peer that calls itself otherwise',
    seed: configure((text) => text.replace('name: homes', 'name: houses')),
    says: /calls itself homes/,
    remedy: /name the entry homes here/,
    repair: async (remedy) =>
      cli.configure(good.replace('name: homes', `name: ${/entry (\S+) here/.exec(remedy)?.[1]}`)),
  },
];

const ofDatabase: Fault[] = [
  {
    what: 'a trigger that was dropped',
    seed: async () => void (await cars.db.query(`DROP TRIGGER \`${await triggerName('user_au')}\``)),
    says: /user_au missing/,
    remedy: /account-sync install/,
    repair: reinstall,
  },
  {
    what: 'a trigger of another definer',
    seed: () => remake((text) => text),
    says: /user_au changed, or of another account/,
    remedy: /account-sync install/,
    repair: reinstall,
  },
  {
    what: 'a trigger with another body',
    seed: () => remake((text) => text.replace('AFTER UPDATE', 'BEFORE UPDATE').replace("'U'", "'X'")),
    says: /user_au changed/,
    remedy: /account-sync install/,
    repair: reinstall,
  },
  {
    what: 'a trigger under a strict mode',
    seed: () => remake((text) => text, 'STRICT_ALL_TABLES'),
    says: /user_au changed/,
    remedy: /account-sync install/,
    repair: reinstall,
  },
  {
    what: 'a trigger that nobody needs any more',
    seed: onCars(
      'CREATE TRIGGER oc_account_sync_related9_au_77 AFTER UPDATE ON oc_t_user FOR EACH ROW SET @nothing = 1',
    ),
    says: /related9_au_77 not needed/,
    remedy: /account-sync install/,
    repair: reinstall,
  },
  {
    what: 'tables of an older version',
    seed: onCars('DELETE FROM oc_account_sync_migration ORDER BY id DESC LIMIT 1'),
    says: /of an older version: without/,
    remedy: /account-sync install/,
    repair: reinstall,
  },
  {
    what: 'a baseline that has not finished',
    seed: onCars(`DELETE FROM oc_account_sync_state WHERE name = 'baseline_finished_at'`),
    says: /not finished/,
    remedy: /goes on from where it was/,
    result: 'warn',
    repair: reinstall,
  },
  {
    what: 'entries of a peer that is gone',
    seed: onCars(
      `INSERT INTO oc_account_sync_outbox (peer, kind, ref, changed_at, due_at) VALUES ('boats', 'u', 1, NOW(), NOW())`,
    ),
    says: /1 entry for boats, which is not in the config/,
    remedy: /Add boats again.*DELETE FROM/,
    result: 'warn',
    repair: async (remedy) => {
      for (const statement of statements(remedy)) await cars.db.query(statement);
    },
  },
  {
    what: 'no tables of ours',
    seed: async () => {
      const rows = await cars.db.query<{ Trigger: string }>('SHOW TRIGGERS');
      for (const { Trigger: name } of rows) await cars.db.query(`DROP TRIGGER \`${name}\``);
      const tables = await cars.db.query<Record<string, string>>(`SHOW TABLES LIKE 'oc\\_account\\_sync\\_%'`);
      for (const table of tables) await cars.db.query(`DROP TABLE \`${Object.values(table)[0]}\``);
    },
    says: /not in the database/,
    remedy: /account-sync install/,
    repair: reinstall,
  },
  {
    what: 'a site without time zone',
    seed: onCars(`UPDATE oc_t_preference SET s_value = '' WHERE s_section = 'osclass' AND s_name = 'timezone'`),
    says: /times travel as they are/,
    remedy: /Set site\.timezone/,
    result: 'warn',
    repair: configure((text) => text.replace('name: cars,', 'name: cars, timezone: Europe/Madrid,')),
  },
];

describe('check', { timeout: 60_000 }, () => {
  afterEach(restore);

  it('finds nothing wrong with a site that is well', async () => {
    expect(await wrong()).toEqual([]);
    expect((await look()).code).toBe(0);
  });

  it.each([...ofConfig, ...ofPeers, ...rights, ...ofDatabase])(
    'finds $what, and its remedy repairs it',
    async ({ seed, says, remedy, result = 'fail', repair }: Fault) => {
      await seed();
      const { code, findings } = await look();
      expect(code).toBe(findings.some((one) => one.result === 'fail') ? 3 : 0);
      const found = findings.find(({ message }) => says.test(message));
      expect(found).toMatchObject({ result, remedy: expect.stringMatching(remedy) as string });
      await repair(found?.remedy ?? '');
      expect(await wrong()).toEqual([]);
    },
  );

  it('says where in the config file a problem is', async () => {
    writeFileSync(file(), good.replace('name: cars', 'name: CARS'));
    await expect(look()).rejects.toThrow(/config\.yaml:1:\d+ site\.name: /);
  });
});

const facts: ServerFacts = {
  kind: 'mariadb',
  version: '10.11',
  readOnly: false,
  isReplica: false,
  logBin: true,
  binlogFormat: 'ROW',
  trustFunctionCreators: true,
  sqlMode: [],
  forcedNoBackslashEscapes: false,
  maxAllowedPacket: 16_777_216,
  clockMs: 0,
  cluster: { nodes: 3, autoIncrementControl: true },
};

describe('a server', () => {
  it('that is well is found well', () => {
    expect(judgeServer(facts, 0).filter(({ result }) => result !== 'ok')).toEqual([]);
  });

  it.each([
    ['is read-only', { readOnly: true }, 'fail', /read-only/, /the server that the site writes to/],
    ['is a replica', { isReplica: true }, 'fail', /replica/, /the server that the site writes to/],
    ['forces NO_BACKSLASH_ESCAPES', { forcedNoBackslashEscapes: true }, 'fail', /NO_BACKSLASH_ESCAPES/, /init_connect/],
    ['logs statements', { binlogFormat: 'STATEMENT' }, 'fail', /STATEMENT/, /ROW or MIXED/],
    [
      'numbers rows at two nodes alike',
      { cluster: { nodes: 3, autoIncrementControl: false } },
      'warn',
      /two nodes/,
      /wsrep_auto_increment_control = ON/,
    ],
    ['takes small packets only', { maxAllowedPacket: 1_048_576 }, 'warn', /1048576/, /SET GLOBAL max_allowed_packet/],
    ['has a clock that is ahead', { clockMs: 70_000 }, 'fail', /70 s ahead/, /NTP/],
    ['has a clock that is somewhat behind', { clockMs: -40_000 }, 'warn', /40 s behind/, /NTP/],
  ] as const)('that %s is told', (_what, changes, result, says, remedy) => {
    const found = judgeServer({ ...facts, ...changes }, 0).find(({ message }) => says.test(message));
    expect(found).toMatchObject({ result, remedy: expect.stringMatching(remedy) as string });
  });

  it('whose disk has no room for the log is told', () => {
    expect(judgeDisk('records', 1000, 999)).toMatchObject({
      result: 'warn',
      remedy: expect.stringMatching(/logs\.max_rows/),
    });
    expect([judgeDisk('records', 1000, 1001).result, judgeDisk('records', 1000, null).result]).toEqual(['ok', 'ok']);
  });
});
