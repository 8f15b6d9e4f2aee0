/** Triggers run with the rights of their definer, which may be less than those of the session that made them. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { installOnce } from '../../src/capture/install.ts';
import { makeQueueWatch } from '../../src/capture/queue-health.ts';
import { RIGHTS } from '../../src/capture/rights.ts';
import { checkTriggersOnce } from '../../src/capture/trigger-health.ts';
import { openSite, type Site } from '../../src/site/site.ts';
import { capturedSite, type CapturedSite } from '../support/captured-site.ts';
import { startOwnServer, type OwnServer } from '../support/own-server.ts';

const ALL = RIGHTS.join(', ');
const PASSWORD = 'Secret-0123456789';

let server: OwnServer | undefined;

beforeAll(async () => {
  server = await startOwnServer();
  if (server !== undefined) vi.stubEnv('TEST_DATABASE_URL', server.url);
}, 120_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await server?.stop();
});

/** How an account comes by its rights; `DB` stands for the database, `ACCOUNT` for the account, quoted. */
interface Way {
  readonly what: string;
  readonly on: readonly ('mariadb' | 'mysql')[];
  readonly grants: readonly string[];
  /** What puts the server as it was. */
  readonly after?: readonly string[];
  /** The rights that triggers lack; absent: none. */
  readonly lacks?: RegExp;
}

const SET_DEFAULT = { mariadb: 'SET DEFAULT ROLE syncer FOR ACCOUNT', mysql: 'SET DEFAULT ROLE syncer TO ACCOUNT' };
const ROLE = [`GRANT ${ALL} ON DB.* TO syncer`, 'GRANT syncer TO ACCOUNT', 'DEFAULT'];

const WAYS: readonly Way[] = [
  { what: 'granted to the account', on: ['mariadb', 'mysql'], grants: [`GRANT ${ALL} ON DB.* TO ACCOUNT`] },
  { what: 'granted on the whole server', on: ['mariadb', 'mysql'], grants: [`GRANT ${ALL} ON *.* TO ACCOUNT`] },
  { what: 'granted to PUBLIC', on: ['mariadb'], grants: [`GRANT ${ALL} ON DB.* TO PUBLIC`] },
  { what: 'of its default role', on: ['mysql'], grants: ROLE },
  { what: 'of its default role', on: ['mariadb'], grants: ROLE, lacks: /TRIGGER/ },
  {
    what: 'of its default role but for TRIGGER',
    on: ['mariadb'],
    grants: [...ROLE, 'GRANT SELECT, INSERT ON DB.* TO ACCOUNT'],
    lacks: /TRIGGER/,
  },
  {
    what: 'of its default role, with TRIGGER and SELECT of its own',
    on: ['mariadb'],
    grants: [...ROLE, 'GRANT SELECT, TRIGGER ON DB.* TO ACCOUNT'],
    lacks: /INSERT/,
  },
  {
    what: 'of its default role, with TRIGGER and INSERT of its own',
    on: ['mariadb'],
    grants: [...ROLE, 'GRANT INSERT, TRIGGER ON DB.* TO ACCOUNT'],
    lacks: /SELECT/,
  },
  {
    what: 'of a role that the server activates at login',
    on: ['mysql'],
    grants: [...ROLE.slice(0, 2), 'SET GLOBAL activate_all_roles_on_login = ON'],
    after: ['SET GLOBAL activate_all_roles_on_login = OFF'],
    lacks: /TRIGGER/,
  },
  {
    what: 'of a role that the server makes mandatory',
    on: ['mysql'],
    grants: [ROLE[0] ?? '', "SET GLOBAL mandatory_roles = 'syncer'", 'SET GLOBAL activate_all_roles_on_login = ON'],
    after: ['SET GLOBAL activate_all_roles_on_login = OFF', "SET GLOBAL mandatory_roles = ''"],
    lacks: /TRIGGER/,
  },
  {
    // What an administrator leaves behind who edits the tables of accounts by hand.
    what: 'of an account of the same name and another host that is gone',
    on: ['mariadb', 'mysql'],
    grants: [
      "CREATE USER NAME@'localhost' IDENTIFIED BY 'x'",
      `GRANT ${ALL} ON DB.* TO NAME@'localhost'`,
      "DELETE FROM mysql.USERS WHERE User = NAME AND Host = 'localhost'",
      'FLUSH PRIVILEGES',
    ],
    lacks: /TRIGGER/,
  },
];

/** A site in use whose daemon has an account that came by its rights in this way. */
async function siteOf({ grants, after = [] }: Way, options: { install?: boolean } = {}): Promise<CapturedSite> {
  const { kind } = server as OwnServer;
  return await capturedSite({
    install: options.install ?? false,
    peers: ['homes'],
    before: (host) => host.seed.users({ seed: 6, count: 5, firstId: 1, allActive: true }),
    async account(database) {
      const user = `${database.name}_sync`;
      const put = (text: string): string =>
        (text === 'DEFAULT' ? SET_DEFAULT[kind] : text)
          .replaceAll('DB', `\`${database.name}\``)
          .replaceAll('ACCOUNT', `'${user}'@'%'`)
          .replaceAll('NAME', `'${user}'`)
          .replaceAll('USERS', kind === 'mariadb' ? 'global_priv' : 'user');
      await database.query('DROP ROLE IF EXISTS syncer');
      await database.query('CREATE ROLE syncer');
      await database.query(put("CREATE USER ACCOUNT IDENTIFIED BY 'PASS'").replace('PASS', PASSWORD));
      for (const grant of grants) await database.query(put(grant));
      onTestFinished(async () => {
        for (const statement of after) await database.query(statement);
        if (kind === 'mariadb') await database.query(`REVOKE ALL ON ${put('DB')}.* FROM PUBLIC`).catch(() => undefined);
        await database.query('DELETE FROM mysql.db WHERE User = ?', [user]);
        await database.query('FLUSH PRIVILEGES');
      });
      return { user, password: PASSWORD };
    },
  });
}

const installOn = ({ db, snapshot }: Site): Promise<unknown> => installOnce(db, snapshot().catalog);

/** Writes of the site, each of which would run a trigger. */
async function write({ host, database }: CapturedSite): Promise<void> {
  await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 1', ['Written']);
  const id = await host.person.register({ email: 'new@example.com', name: 'New' });
  await host.write('DELETE FROM {user} WHERE pk_i_id = ?', [id]);
  await database.query("UPDATE oc_t_user_description SET s_info = 'x'");
}

const traces = async ({ database }: CapturedSite): Promise<unknown[]> => [
  ...(await database.query(`SHOW TABLES LIKE 'oc\\_account\\_sync%'`)),
  ...(await database.query('SHOW TRIGGERS')),
];

describe.each(['mariadb', 'mysql'] as const)('on %s', (kind) => {
  it.for(WAYS.filter(({ on, lacks }) => on.includes(kind) && lacks === undefined))(
    'rights $what are those of the triggers too: the site is installed and its changes are marked',
    async (way, { skip }) => {
      if (server?.kind !== kind) skip(`needs ${kind}, and a server of its own`);
      const cars = await siteOf(way);
      expect(await installOn(cars.site)).toMatchObject({ triggers: 9 });
      await write(cars);
      expect((await cars.markers()).map(({ op }) => op)).toEqual(expect.arrayContaining(['U', 'I', 'D', 'R']));
    },
  );

  it.for(WAYS.filter(({ on, lacks }) => on.includes(kind) && lacks !== undefined))(
    'rights $what are not those of the triggers: nothing is installed, and the site writes as before',
    async (way, { skip }) => {
      if (server?.kind !== kind) skip(`needs ${kind}, and a server of its own`);
      const cars = await siteOf(way);
      await expect(installOn(cars.site)).rejects.toMatchObject({
        code: 'DB_MISSING_RIGHT',
        message: expect.stringMatching(way.lacks as RegExp),
      });
      await write(cars);
      expect(await traces(cars)).toEqual([]);
    },
  );
});

const watchOf = ({ db, snapshot }: Site): ReturnType<typeof makeQueueWatch> =>
  makeQueueWatch({ db, catalog: () => snapshot().catalog });

/** An account whose rights go over from it to a role that is active in the sessions to come, and not in triggers. */
async function demoted(): Promise<CapturedSite & { readonly promote: () => Promise<void>; readonly later: Site }> {
  const [way] = WAYS;
  const cars = await siteOf(way as Way);
  await installOn(cars.site);
  await cars.scanAll();
  const [{ kind }, user] = [server as OwnServer, `${cars.database.name}_sync`];
  const { database } = cars;
  await database.query(`GRANT ${ALL} ON \`${database.name}\`.* TO syncer`);
  await database.query(`GRANT syncer TO '${user}'@'%'`);
  if (kind === 'mariadb') await database.query(`SET DEFAULT ROLE syncer FOR '${user}'@'%'`);
  else await database.query('SET GLOBAL activate_all_roles_on_login = ON');
  await database.query(`REVOKE ${ALL} ON \`${database.name}\`.* FROM '${user}'@'%'`);
  if (kind === 'mysql')
    onTestFinished(async () => void (await database.query('SET GLOBAL activate_all_roles_on_login = OFF')));
  const later = await openSite(cars.site.config, { clock: { nowMs: Date.now } });
  onTestFinished(() => later.close());
  return {
    ...cars,
    later,
    promote: async () => void (await database.query(`GRANT ${ALL} ON \`${database.name}\`.* TO '${user}'@'%'`)),
  };
}

describe('triggers that worked when they were made, and stop the site now', () => {
  it('are taken away by the watch of a daemon that has nothing else to do, and come back with the rights', async ({
    skip,
  }) => {
    if (server === undefined) skip('needs a server of its own');
    const cars = await demoted();
    await expect(write(cars)).rejects.toMatchObject({ errno: 1142 });
    const watch = watchOf(cars.later);
    expect(await watch.look(false)).toMatchObject({
      code: 'DB_MISSING_RIGHT',
      message: expect.stringMatching(/lack TRIGGER/),
    });
    await write(cars);
    const { catalog } = cars.later.snapshot();
    await expect(checkTriggersOnce(cars.later.db, catalog)).rejects.toMatchObject({
      code: 'DB_MISSING_RIGHT',
    });
    expect(await cars.database.query('SHOW TRIGGERS')).toEqual([]);
    await cars.promote();
    expect(await checkTriggersOnce(cars.later.db, catalog)).toMatchObject({ kind: 'lost' });
    expect(await watch.look(true)).toBeUndefined();
    await cars.scanAll();
    expect(await cars.outbox()).toContain('homes user 1');
    await cars.host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 2', ['Marked']);
    expect(await cars.markers()).toHaveLength(1);
  });

  it('are taken away by "install", which says what is missing', async ({ skip }) => {
    if (server === undefined) skip('needs a server of its own');
    const cars = await demoted();
    await expect(installOn(cars.later)).rejects.toMatchObject({ code: 'DB_MISSING_RIGHT' });
    await write(cars);
    await cars.promote();
    expect(await installOn(cars.later)).toMatchObject({ triggers: 9 });
  });
});

describe('a table of the site without transactions', () => {
  const convert = async ({ database }: CapturedSite, engine: string): Promise<void> => {
    const keys = await database.query<{ name: string }>(
      `SELECT CONSTRAINT_NAME AS name FROM information_schema.TABLE_CONSTRAINTS
       WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'oc_t_user_description' AND CONSTRAINT_TYPE = 'FOREIGN KEY'`,
      [database.name],
    );
    for (const { name } of keys) await database.query(`ALTER TABLE oc_t_user_description DROP FOREIGN KEY ${name}`);
    await database.query(`ALTER TABLE oc_t_user_description ENGINE = ${engine}`);
  };

  it('gets no triggers where the server would refuse its writes for them', async ({ skip }) => {
    if (server === undefined) skip('needs a server of its own');
    const cars = await siteOf(WAYS[0] as Way);
    await convert(cars, 'MyISAM');
    const came = await installOn(cars.site).catch((error: unknown) => error);
    await write(cars);
    const refused = { code: 'TRIGGERS_BREAK_WRITES', message: expect.stringMatching(/1785/) as string };
    const isRefused = server?.kind === 'mysql';
    expect(came).toMatchObject(isRefused ? refused : { triggers: 9 });
    expect((await traces(cars)).length === 0).toBe(isRefused);
  });

  it('that it became while a daemon runs loses its triggers within a look', async ({ skip }) => {
    if (server?.kind !== 'mysql') skip('MariaDB lets statements write tables of several engines');
    const cars = await siteOf(WAYS[0] as Way);
    await installOn(cars.site);
    await cars.scanAll();
    await convert(cars, 'MyISAM');
    await expect(write(cars)).rejects.toMatchObject({ errno: 1785 });
    expect(await watchOf(cars.site).look(false)).toMatchObject({ code: 'TRIGGERS_BREAK_WRITES' });
    await write(cars);
    await convert(cars, 'InnoDB');
    const { catalog } = cars.site.snapshot();
    expect(await checkTriggersOnce(cars.site.db, catalog)).toMatchObject({ kind: 'lost' });
    await write(cars);
  });
});

it('the proof leaves nothing behind, and asks for no row of the site', async ({ skip }) => {
  if (server === undefined) skip('needs a server of its own');
  const cars = await siteOf(WAYS[0] as Way);
  await installOn(cars.site);
  await cars.scanAll();
  const blocked = await cars.database.connection();
  onTestFinished(() => blocked.end());
  await blocked.query('START TRANSACTION');
  await blocked.query('SELECT * FROM oc_t_user FOR UPDATE');
  const before = await sql`SELECT * FROM oc_t_user`.execute(cars.site.db);
  expect(await watchOf(cars.site).look(true)).toBeUndefined();
  expect((await sql`SELECT * FROM oc_t_user`.execute(cars.site.db)).rows).toEqual(before.rows);
  expect(await cars.markers()).toEqual([]);
  expect(await cars.database.query('SELECT * FROM oc_account_sync_probe')).toEqual([]);
});
