/** P5: installing beside a large site that is in use. */
import { eventually } from '../test/support/eventually.ts';
import { makeWorld } from '../test/support/world.ts';
import { keepWriting } from '../test/support/writer.ts';
import { configOf } from '../test/support/cli.ts';
import { startDaemonProcess } from './daemon-process.ts';
import { sizeOf, type Goal } from './goal.ts';
import { serverCpu } from './server-cpu.ts';

/** P5: how long it takes until every user has a shadow, and what the host notices of it. */
export const install: Goal = {
  name: 'p5',
  title: 'installation beside a writer: duration, the slowest edit, bytes per shadow',
  async run(options) {
    const users = sizeOf(options, 1_000_000, 2_000);
    const durations: number[] = [];
    const slowest: number[] = [];
    const bytes: number[] = [];
    const daemonCpu: number[] = [];
    const databaseCpu: number[] = [];
    const world = await makeWorld(['homes', 'cars'], { idle: true });
    try {
      const [homes, cars] = [world.site('homes'), world.site('cars')];
      options.say(`making ${users.toLocaleString('en-US')} users …`);
      await homes.host.seed.users({ seed: 'bench', count: users, allActive: true });
      const serverCpuMs = await serverCpu(homes.db);
      for (let round = 1; round <= options.rounds; round++) {
        const writer = keepWriting(await homes.host.again(), Math.min(users, 1000), 5);
        const cpuBefore = serverCpuMs();
        const started = performance.now();
        const daemon = await startDaemonProcess(homes, [cars], { config: configOf(homes, [cars]) });
        await eventually(
          async () => {
            const finished = `SELECT 1 FROM oc_account_sync_state WHERE name = 'baseline_finished_at'`;
            if ((await homes.db.query(finished)).length === 0) throw new Error('not all users are known');
          },
          { timeoutMs: 600_000, intervalMs: 100 },
        );
        durations.push((performance.now() - started) / 1000);
        daemonCpu.push((1000 * daemon.cpuMs()) / users);
        databaseCpu.push((1000 * (serverCpuMs() - cpuBefore)) / users);
        // Not while it is measured: to count a million rows takes the server a tenth of a second.
        const [known] = await homes.db.query<{ n: string }>('SELECT COUNT(*) AS n FROM oc_account_sync_user');
        if (Number(known?.n) < users) throw new Error(`${known?.n} of ${users} users are known`);
        slowest.push((await writer.stop()).slowestMs);
        await daemon.stop();
        const [size] = await homes.db.query<{ n: string }>(
          'SELECT AVG(LENGTH(uids) + LENGTH(shadow)) AS n FROM oc_account_sync_user',
        );
        bytes.push(Number(size?.n));
        options.say(`p5: round ${round}: ${durations.at(-1)?.toFixed(1)} s`);
        await uninstall(homes.db);
      }
    } finally {
      await world.close();
    }
    const n = users.toLocaleString('en-US');
    return [
      { what: `P5 until each of ${n} users has a shadow`, unit: 's', rounds: durations, limit: { atMost: 60 } },
      { what: 'P5 slowest edit of the host meanwhile', unit: 'ms', rounds: slowest, limit: { atMost: 1200 } },
      { what: 'processor time per user: daemon', unit: 'µs', rounds: daemonCpu },
      {
        what: 'processor time per user: database server, with the edits of the writer',
        unit: 'µs',
        rounds: databaseCpu,
      },
      { what: 'P5 bytes of uids and shadow per user', unit: 'bytes', rounds: bytes, limit: { atMost: 300 } },
    ];
  },
};

async function uninstall(db: { query(sql: string): Promise<unknown> }): Promise<void> {
  const triggers = (await db.query('SHOW TRIGGERS')) as { Trigger: string }[];
  for (const { Trigger } of triggers) await db.query(`DROP TRIGGER ${Trigger}`);
  const tables = (await db.query(`SHOW TABLES LIKE 'oc\\_account\\_sync\\_%'`)) as Record<string, string>[];
  for (const table of tables) await db.query(`DROP TABLE ${Object.values(table)[0]}`);
}
