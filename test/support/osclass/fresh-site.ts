import { onTestFinished } from 'vitest';
import { createDatabase } from '../database.ts';
import { createHost, type Host, type HostOptions } from './host.ts';

/**
 * A site in a database of its own, gone when the test is over. Its clock starts at noon of 1 June 2024, Madrid time, and
 * moves on a minute with every look at it, so that each write has another date. For use inside a test.
 */
export const freshSite = async (options: HostOptions = {}): Promise<Host> => {
  const database = await createDatabase();
  onTestFinished(async () => database.drop());
  let now = Date.UTC(2024, 5, 1, 10);
  const host = await createHost(database, { clock: () => (now += 60_000), ...options });
  onTestFinished(async () => host.close());
  return host;
};

/** Ana, who has one of everything, and Bob, each with an item that the other has commented on. Gives ids. */
export const settle = async (host: Host): Promise<{ ana: number; bob: number; item: number }> => {
  const ana = await host.admin.createUser({ email: 'ana@example.com', name: 'Ana', country: 'ES', region: 'Madrid' });
  const bob = await host.admin.createUser({ email: 'bob@example.com', name: 'Bob' });
  const item = await host.items.post(ana, { place: { country: 'ES', region: 'Andalucía', city: 'Sevilla' } });
  await host.items.comment(ana, await host.items.post(bob));
  await host.items.comment(bob, item);
  await host.items.saveAlert(ana);
  return { ana, bob, item };
};
