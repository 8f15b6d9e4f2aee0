import { expect, it } from 'vitest';
import { installOnce } from '../../src/capture/install.ts';
import { capturedSite } from '../support/captured-site.ts';
import { keepWriting } from '../support/writer.ts';

/** `INSTALL_USERS=200000` for the size of the promise; fewer here, so that a run of all tests stays short. */
const USERS = Number(process.env['INSTALL_USERS'] ?? 30_000);
/** A second for a lock that somebody else holds, and the statement itself. */
const LIMIT_MS = 1200;

it(
  `an installation on ${USERS} users while a writer edits them delays no edit for long, and loses none`,
  { timeout: 600_000 },
  async () => {
    const cars = await capturedSite({
      install: false,
      peers: ['homes'],
      before: (empty) => empty.seed.users({ seed: 12, count: USERS, firstId: 1, allActive: true }),
    });
    const { site, host } = cars;
    const writers = [keepWriting(await host.again(), USERS, 5), keepWriting(await host.again(), 50, 5)];
    const started = performance.now();
    await installOnce(site.db, site.snapshot().catalog);
    const installedMs = performance.now() - started;
    await cars.scanAll();
    const scannedMs = performance.now() - started - installedMs;
    const written = await Promise.all(writers.map((writer) => writer.stop()));
    await cars.drainAll();
    const slowestMs = Math.max(...written.map((one) => one.slowestMs));
    const edits = written.reduce((sum, one) => sum + one.count, 0);
    process.stderr.write(
      `${USERS} users: install ${Math.round(installedMs)} ms, baseline ${Math.round(scannedMs)} ms, ` +
        `${edits} edits meanwhile, slowest ${Math.round(slowestMs)} ms\n`,
    );
    expect(slowestMs).toBeLessThan(LIMIT_MS);
    // Every account that was edited after the triggers were there is known as it is, and waits for the peer.
    const sent = new Set(await cars.outbox());
    const edited = await cars.database.query<{ id: number }>(
      "SELECT pk_i_id AS id FROM oc_t_user WHERE pk_i_id <= 50 AND s_website LIKE 'https://example.com/%'",
    );
    expect(edited).toHaveLength(50);
    expect(edited.filter(({ id }) => !sent.has(`homes user ${id}`))).toEqual([]);
    await host.write('UPDATE {user} SET dt_access_date = dt_access_date');
    expect(await cars.drainAll()).toEqual([]);
  },
);
