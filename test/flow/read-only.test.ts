import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SyncError } from '../../src/model/errors.ts';
import { makeLogger } from '../../src/runtime/logger.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World } from '../support/world.ts';

const said: string[] = [];
let world: World;
beforeAll(async () => {
  const log = makeLogger({ level: 'info', destination: { write: (line: string) => void said.push(line) } });
  world = await makeWorld(['cars', 'homes'], { log });
}, 60_000);
afterAll(() => world.close());

const linesWith = (text: string): string[] => said.filter((line) => line.includes(text));

it('T9: a daemon whose connections lead to a server that takes no writes says so, and reconnects', async () => {
  const cars = world.site('cars');
  const { site } = await cars.open();
  // Every connection there is: none of them may write any more.
  const demote = (): Promise<unknown> =>
    Promise.all(
      Array.from({ length: site.connections.use().limit }, () =>
        site.db.connection().execute(async (connection) => {
          await sql`SET SESSION TRANSACTION READ ONLY`.execute(connection);
          await sql`SELECT SLEEP(0.2)`.execute(connection);
        }),
      ),
    );
  let users = 0;
  // A statement between two passes may be the first to fail, and be told to nobody: those of the pool are again then.
  await eventually(async () => {
    await demote();
    await cars.host.person.register({ email: `user${(users += 1)}@example.com`, name: 'Ana', validation: false });
    await setTimeout(500);
    const [line] = linesWith('DB_READ_ONLY');
    expect(JSON.parse(line ?? '{}')).toMatchObject({ remedy: expect.stringContaining('promoted') });
  });
  await world.settle();
  expect(await world.differences()).toEqual([]);
  await eventually(() => expect(linesWith('pass works again').length).toBeGreaterThan(0));
});

it('a daemon that may still write where nobody else may says so, and that it is not about triggers', async () => {
  const cars = world.site('cars');
  let isReadOnly = false;
  await cars.stop();
  const { site } = await cars.start({
    onStatement(statement) {
      if (isReadOnly && statement.includes('@@GLOBAL.read_only')) throw new SyncError('DB_READ_ONLY');
    },
  });
  const health = async (): Promise<{ status: number; text: string }> => {
    const answer = await fetch(new URL('health', cars.url));
    return { status: answer.status, text: await answer.text() };
  };
  await eventually(async () => expect(await site.isScanPending()).toBe(false));
  said.length = 0;
  isReadOnly = true;
  await eventually(async () => {
    expect(await health()).toMatchObject({ status: 503, text: expect.stringContaining('DB_READ_ONLY') });
  });
  expect(linesWith('triggers cannot be repaired')).toEqual([]);
  isReadOnly = false;
  await eventually(async () => expect(await health()).toMatchObject({ status: 200 }), { timeoutMs: 20_000 });
});
