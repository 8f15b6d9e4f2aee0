/** Rows about installing and uninstalling on a site in use. */
import { uninstallOnce } from '../../src/capture/install.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openSite, type Site } from '../../src/site/site.ts';
import type { Row } from './row.ts';
import type { Stage } from './stage.ts';

/** An edit that is not committed before `meanwhile` is over, of a user whom nobody else edits. */
async function behindLongTransaction({ again }: Stage, meanwhile: () => Promise<unknown>): Promise<void> {
  const other = await again();
  await other.write(`INSERT INTO {user} (dt_reg_date, s_name, s_username, s_password, s_email, b_active)
    VALUES (NOW(), 'Slow', 'slow', LEFT(SHA2('x', 256), 40), 'slow@example.com', 1)`);
  await other.db.query('START TRANSACTION');
  await other.write(`UPDATE {user} SET s_name = 'Slower' WHERE s_username = 'slow'`);
  try {
    await meanwhile();
  } finally {
    await other.db.query('COMMIT');
    await other.close();
  }
}

/** As another process, such as a command, works on the site of cars. */
async function beside<T>({ cars }: Stage, work: (site: Site) => Promise<T>): Promise<T> {
  const site = await openSite(cars.config, { clock: systemClock });
  try {
    return await work(site);
  } finally {
    await site.close();
  }
}

const uninstall = (stage: Stage): Promise<unknown> =>
  beside(stage, (site) => uninstallOnce(site.db, site.snapshot().catalog));

/** What was deleted while nothing was installed is told by nobody: it comes back from the peer, as the docs say. */
async function feedBothWays({ world }: Stage): Promise<void> {
  for (const [site, peer] of [
    ['cars', 'homes'],
    ['homes', 'cars'],
  ] as const) {
    const { status } = await world.site(site).admin('POST', `/v1/peers/${peer}/feed`, { restart: true });
    if (status >= 300) throw new Error(`the feed was refused: ${status}`);
  }
}

/** What a person may do. */
export const INSTALL: readonly Row[] = [
  {
    name: 'uninstall behind a long transaction, while the daemon runs',
    happen: (stage) =>
      behindLongTransaction(stage, async () => {
        const patience = { tries: 2, pauseMs: 300 };
        await beside(stage, (site) => uninstallOnce(site.db, site.snapshot().catalog, { patience })).catch(
          () => undefined,
        );
        await stage.visitors.some(10);
      }),
  },
  {
    name: 'uninstall and install under load',
    async happen(stage) {
      await stage.cars.stop();
      await uninstall(stage);
      await stage.visitors.some(10);
      await stage.cars.start();
    },
    repair: feedBothWays,
  },
  {
    name: 'install behind a long transaction',
    async happen(stage) {
      await stage.cars.stop();
      await uninstall(stage);
      let started: Promise<unknown> | undefined;
      await behindLongTransaction(stage, async () => {
        started = stage.cars.start();
        await stage.visitors.some(100);
      });
      await started;
    },
    repair: feedBothWays,
  },
];
