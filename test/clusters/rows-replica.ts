/** What is played on a source and its replica, the daemon and the people behind a proxy that leads to the source. */
import { eventually } from '../support/eventually.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { factsOf, messageOf, type Outcome } from './report.ts';
import type { Pair } from './replication.ts';
import type { CarsDaemon, Scene } from './scene.ts';
import type { Server } from './server.ts';

/** What a row has to do with. */
export interface ReplicaStage {
  readonly pair: Pair;
  readonly scene: Scene;
  /** The address that the site and its daemon know. */
  readonly proxy: TcpProxy;
  /** Leads new connections there; those that exist stay where they are. */
  leadTo(server: Server): void;
  readonly daemon: CarsDaemon;
}

type Played = Omit<Outcome, 'name'>;

/** One row, on servers of its own. */
export interface ReplicaRow {
  readonly name: string;
  readonly play: (stage: ReplicaStage) => Promise<Played>;
}

/** All of them. */
export const REPLICA: readonly ReplicaRow[] = [
  { name: 'a daemon at the replica is refused', play: refused },
  { name: 'planned: the source becomes read-only, the replica is promoted, the address leads to it', play: planned },
  { name: 'unplanned: the source dies, and the replica lacks its last transactions', play: unplanned },
];

async function refused({ pair: { replica }, scene }: ReplicaStage): Promise<Played> {
  const flaws: string[] = [];
  const facts: string[] = [];
  const start = async (what: string, as?: { user: string; password: string }): Promise<void> => {
    const { daemon, said } = await scene.tryDaemon(replica.port, as);
    const ended = await daemon.ready.then(
      () => 'it started',
      (error: unknown) => String(error),
    );
    const remedy = said
      .map((line) => (JSON.parse(line) as { remedy?: string }).remedy)
      .find((text) => text !== undefined);
    facts.push(`${what}: ${ended} ${remedy ?? ''}`);
    if (!/read-only|replica/.test(ended)) flaws.push(`${what}: ${ended}`);
    if (remedy === undefined) flaws.push(`${what}: not said what to do`);
    await daemon.stop('over');
  };
  await start('read-only');
  // Writable by mistake, and still a replica: only an account that may ask for it sees that.
  await replica.ask('SET GLOBAL read_only = 0');
  await start('writable', replica.login());
  return { facts, flaws };
}

async function planned({ pair, scene, leadTo, daemon, proxy }: ReplicaStage): Promise<Played> {
  const { source, replica } = pair;
  const people = letInAt(scene, proxy, 'planned');
  await people.some(100);
  await pair.demote();
  const startedMs = performance.now();
  const said = await eventually(() => found(daemon, 'DB_READ_ONLY'), { timeoutMs: 20_000 }).catch(() => undefined);
  const noticedMs = performance.now() - startedMs;
  const health = await daemon.healthWith('DB_READ_ONLY');
  await pair.caughtUp();
  await pair.promote();
  leadTo(replica);
  await people.some(100);
  const met = await people.leave();
  const flaws = await scene.settle([replica]);
  if (said === undefined) flaws.push('the daemon did not say so');
  if (!health.includes('DB_READ_ONLY')) flaws.push(`its health was ${health}`);
  const users = [scene.accounts.host, scene.accounts.daemon].map(({ user }) => `'${user}'`).join(', ');
  const [row] = await source.ask(`SELECT COUNT(*) AS n FROM information_schema.processlist WHERE USER IN (${users})`);
  const facts = [
    factsOf('people', met),
    `the daemon after ${(noticedMs / 1000).toFixed(1)} s: ${said}`,
    `connections left at the old source when all is over: ${row?.['n']}`,
  ];
  return { facts, flaws };
}

/** What the replica never got: two edits, a registration and a deletion that homes knows of already. */
async function unplanned({ pair, scene, leadTo, daemon, proxy }: ReplicaStage): Promise<Played> {
  const { source, replica } = pair;
  const [edited = '', touched = '', deleted = '', ...others] = scene.emails.map((email) => email.toLowerCase());
  const people = letInAt(scene, proxy, 'unplanned', others);
  await people.some(60);
  await people.leave();
  const flaws = await scene.settle([source]);
  await pair.caughtUp();
  await pair.cut();
  await source.ask(
    `USE ${scene.database}`,
    "SET SESSION sql_mode = ''",
    `UPDATE oc_t_user SET s_phone_land = 'lost edit' WHERE s_email IN ('${edited}', '${touched}')`,
    `DELETE FROM oc_t_user_description WHERE fk_i_user_id = (SELECT pk_i_id FROM oc_t_user WHERE s_email = '${deleted}')`,
    `DELETE FROM oc_t_user WHERE s_email = '${deleted}'`,
    register('lost'),
  );
  flaws.push(...(await scene.settle([source])).map((flaw) => `before: ${flaw}`));
  await source.stop('SIGKILL');
  await pair.promote();
  leadTo(replica);
  // Life goes on there: one registers and gets the id that is free again.
  const there = (...statements: string[]) =>
    replica.ask(`USE ${scene.database}`, "SET SESSION sql_mode = ''", ...statements);
  await there(register('after'), `UPDATE oc_t_user SET s_website = 'after' WHERE s_email = '${touched}'`);
  const after = letInAt(scene, proxy, 'after', others);
  await after.some(60);
  const met = await after.leave();

  const [gone, stale, alive] = ['lost@example.com user', `${edited} s_phone_land`, `${deleted} user`];
  flaws.push(...(await waitFor(scene, replica, [gone, stale, alive])));
  const told = await eventually(() => found(daemon, 'another server'), { timeoutMs: 40_000 }).catch(() => undefined);
  if (told === undefined) flaws.push('the daemon did not notice that it is another server');
  const status = await feedHere(scene, daemon);
  if (status >= 300) flaws.push(`the feed was refused: ${status}`);
  flaws.push(...(await waitFor(scene, replica, [alive])));
  await there(`UPDATE oc_t_user SET s_website = 'again' WHERE s_email = '${deleted}'`);
  flaws.push(...(await waitFor(scene, replica, [])));
  const [row] = await there(
    `SELECT s_phone_land AS phone, s_website AS site FROM oc_t_user WHERE s_email = '${touched}'`,
  );
  if (row?.['phone'] !== 'lost edit' || row['site'] !== 'after')
    flaws.push(`the touched account is ${JSON.stringify(row)}`);
  return {
    facts: [
      factsOf('people after it', met),
      `the daemon: ${told}`,
      'lost: two edits, a registration, a deletion; an edit of one of the accounts brought its lost edit back',
      'after "feed homes --restart" only the deleted account differed, alive on cars alone; its next edit there removed it',
    ],
    flaws,
  };
}

const register = (name: string): string =>
  `INSERT INTO oc_t_user (dt_reg_date, s_name, s_username, s_password, s_email, b_active)
   VALUES (NOW(), '${name}', '${name}', LEFT(SHA2('x', 256), 40), '${name}@example.com', 1)`;

/** Waits until this, as `email column`, is all that differs between a server of cars and homes. */
async function waitFor(scene: Scene, server: Server, expected: readonly string[]): Promise<string[]> {
  const look = async (): Promise<void> => {
    const differences = await scene.differences([server]);
    const there = differences.map(({ email, column }) => `${email} ${column}`).toSorted();
    if (there.join() !== expected.toSorted().join())
      throw new Error(`what differs is ${there.join(', ') || 'nothing'}`);
  };
  return await eventually(look, { timeoutMs: 90_000, intervalMs: 500 }).then(
    () => [],
    (error: unknown) => [String(error)],
  );
}

/** `account-sync feed homes --restart` on cars; the answer's status. */
async function feedHere(scene: Scene, daemon: CarsDaemon): Promise<number> {
  const { adminToken } = scene.world.site('cars');
  const { status } = await fetch(new URL('/v1/peers/homes/feed', daemon.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ restart: true }),
  });
  return status;
}

const letInAt = (scene: Scene, proxy: TcpProxy, name: string, emails = scene.emails) => {
  const { user, password } = scene.accounts.host;
  const url = (): string => `mysql://${user}:${password}@127.0.0.1:${proxy.port}/`;
  return scene.letIn({ name, mark: `${name.slice(0, 2)}-`, url, emails, column: 's_website' });
};

function found({ said }: CarsDaemon, text: string): string {
  const line = said.find((one) => one.includes(text));
  if (line === undefined) throw new Error(`nothing said of ${text}`);
  return messageOf(line);
}
