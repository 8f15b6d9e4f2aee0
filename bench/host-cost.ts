/** P4: what the host pays for being watched. */
import type { Connection } from 'mysql2/promise';
import { installOnce } from '../src/capture/install.ts';
import { openSite } from '../src/site/site.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { makeWorld, type WorldSite } from '../test/support/world.ts';
import { quantile, type Figure } from './figures.ts';
import type { Goal } from './goal.ts';

/** What a host does to its users, by name. */
const STATEMENTS: Readonly<Record<string, (n: number) => readonly [string, unknown[]]>> = {
  'profile UPDATE': (n) => [
    'UPDATE oc_t_user SET s_website = ? WHERE pk_i_id = ?',
    [`https://example.com/${n}`, 1 + (n % 1000)],
  ],
  'page-view UPDATE': (n) => ['UPDATE oc_t_user SET dt_access_date = ? WHERE pk_i_id = ?', [timeOf(n), 1 + (n % 1000)]],
  INSERT: (n) => [
    `INSERT INTO oc_t_user (dt_reg_date, s_name, s_username, s_password, s_secret, s_email)
      VALUES (?, ?, ?, '', '', ?)`,
    [timeOf(n), `Person ${n}`, `person${n}`, `person-${n}@example.com`],
  ],
};

/** P4: microseconds and share added to three statements by the triggers, at the median. */
export const hostCost: Goal = {
  name: 'p4',
  title: 'a statement of the host with our triggers, against the same without',
  async run({ smoke, rounds, say }) {
    const each = smoke ? 50 : 1000;
    const world = await makeWorld(['plain', 'watched'], { idle: true, peers: { plain: [], watched: ['plain'] } });
    const figures: Figure[] = [];
    try {
      const [plain, watched] = [world.site('plain'), world.site('watched')];
      for (const { host } of [plain, watched]) await host.seed.users({ seed: 'bench', count: 1000, allActive: true });
      const site = await openSite(watched.config, { clock: systemClock });
      await installOnce(site.db, site.snapshot().catalog);
      await site.close();
      const connections = [await plain.db.connection(), await watched.db.connection()] as const;
      for (const name of Object.keys(STATEMENTS)) {
        const added: number[] = [];
        const share: number[] = [];
        for (let round = 1; round <= rounds; round++) {
          const [without, withTriggers] = await compare(connections, name, each, round);
          added.push(withTriggers - without);
          share.push((100 * (withTriggers - without)) / without);
        }
        say(`p4: ${name} measured`);
        figures.push(
          { what: `P4 added to one ${name}`, unit: 'µs', rounds: added, limit: { atMost: 50 } },
          { what: `P4 added to one ${name}, share`, unit: '%', rounds: share, limit: { atMost: 20 } },
        );
        await emptyQueue(watched);
      }
      for (const connection of connections) await connection.end();
    } finally {
      await world.close();
    }
    return figures;
  },
};

/** One statement here, one there, in turn; the median of each, in microseconds. */
async function compare(
  connections: readonly [Connection, Connection],
  name: string,
  each: number,
  round: number,
): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let n = 0; n < each; n++) {
    const [text, values] = STATEMENTS[name]?.(round * each + n) ?? ['', []];
    // Whoever comes second finds a warm processor.
    const order = n % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    for (const which of order) {
      const started = performance.now();
      await connections[which].query(text, values);
      times[which].push(1000 * (performance.now() - started));
    }
  }
  return [quantile(times[0], 0.5), quantile(times[1], 0.5)];
}

async function emptyQueue({ db }: WorldSite): Promise<void> {
  await db.query('DELETE FROM oc_account_sync_queue');
}

function timeOf(n: number): string {
  return new Date(Date.UTC(2020, 0, 1) + n * 1000).toISOString().slice(0, 19).replace('T', ' ');
}
