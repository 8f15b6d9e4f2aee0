/** A record and the removal of its account that come to a site at the same moment, from two peers. */
import { afterEach, describe, expect, it } from 'vitest';
import type { RecordSource } from '../../src/model/outcome.ts';
import type { WireRecord } from '../../src/model/record.ts';
import type { Site } from '../../src/site/site.ts';
import { deliverAll, drainAll, scanAll, settleByHand, siteOf } from '../support/by-hand.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** What a site sends to a peer just now; nothing gets there. */
async function takeRecords(from: WorldSite, to: string): Promise<WireRecord[]> {
  const site = await siteOf(from);
  const client = site.client(to);
  const records: WireRecord[] = [];
  const original = client.stream;
  (client as { stream: unknown }).stream = (sent: readonly WireRecord[]) => {
    records.push(...sent);
    throw new Error('kept back');
  };
  await deliverAll(from, to).catch(() => undefined);
  (client as { stream: unknown }).stream = original;
  return records;
}

const sourceOf = (site: Site, peer: string): RecordSource => ({
  route: site.route(peer),
  via: 'stream',
  trace: 'race',
  ip: null,
  keyDigest: null,
  overwrite: false,
});

describe('invariant 5: a record and the removal of its account, at the same moment', () => {
  it.each(['the removal comes while the record is being stored', 'the record comes while the removal is being done'])(
    'leave nobody: %s',
    async (first) => {
      world = await makeWorld(['cars', 'homes', 'jobs'], { idle: true, manual: true });
      for (const one of world.sites) await one.start();
      await scanAll(world);
      const [cars, homes, jobs] = [world.site('cars'), world.site('homes'), world.site('jobs')];
      const id = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
      await drainAll(cars);
      await deliverAll(cars, 'jobs');
      const registration = await takeRecords(cars, 'homes');
      expect(registration).toHaveLength(1);
      expect(id).toBeGreaterThan(0);
      const there = (await jobs.host.user('ana@example.com'))?.pk_i_id as number;
      await jobs.host.person.deleteAccount(there);
      await drainAll(jobs);
      const removal = await takeRecords(jobs, 'homes');
      expect(removal).toMatchObject([{ kind: 'removal' }]);

      const site = await siteOf(homes);
      const [outer, inner] = first.startsWith('the removal')
        ? ([registration, removal] as const)
        : ([removal, registration] as const);
      const [outerPeer, innerPeer] = outer === registration ? ['cars', 'jobs'] : ['jobs', 'cars'];
      // Whoever is told to try again does, as senders do.
      const send = async (
        records: readonly WireRecord[],
        peer: string,
        within?: () => Promise<void>,
      ): Promise<boolean> => {
        const how = within === undefined ? {} : { within };
        return (await site.accept(records, sourceOf(site, peer), how)).every(({ result }) => result !== 'retry');
      };
      let isBegun = false;
      let isTaken = false;
      const wasTaken = await send(outer, outerPeer, async () => {
        if (!isBegun) {
          isBegun = true;
          isTaken = await send(inner, innerPeer);
        }
      });
      if (!wasTaken) await send(outer, outerPeer);
      if (!isTaken) await send(inner, innerPeer);
      expect(await homes.host.user('ana@example.com')).toBeUndefined();
      await settleByHand(world);
      expect(await world.differences()).toEqual([]);
      expect(await cars.host.user('ana@example.com')).toBeUndefined();
    },
  );
});
