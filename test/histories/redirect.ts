/** Puts the database in memory under the daemon: whoever imports a module with SQL gets the one that stands in for it. */
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const MEMORY = fileURLToPath(new URL('./memory/', import.meta.url));

/** Modules whose every statement is played by a module in memory/. */
const STAND_INS: Readonly<Record<string, string>> = {
  'db/transaction.ts': 'transaction.ts',
  'store/guard-events.ts': 'guard-events.ts',
  'store/markers.ts': 'markers.ts',
  'store/shadows.ts': 'shadows.ts',
  'db/server-facts.ts': 'server-facts.ts',
  'store/state.ts': 'state.ts',
  'store/outbox.ts': 'outbox.ts',
  'store/outbox-unproven.ts': 'outbox-unproven.ts',
  'store/parked.ts': 'parked.ts',
  'apply/item-leftovers.ts': 'leftovers.ts',
  'osclass/write-users.ts': 'write-users.ts',
  'osclass/removal.ts': 'removal.ts',
  'osclass/copies.ts': 'copies.ts',
  'osclass/eligible.ts': 'eligible.ts',
  'store/plugin-seen.ts': 'seen-store.ts',
  'plugin/client.ts': 'plugin-client.ts',
};

/** From now on, in this process. What stands in may itself import what it stands in for. */
export function redirectSql(): void {
  const urls = new Map(
    Object.entries(STAND_INS).map(([real, stand]) => [
      pathToFileURL(join(SRC, real)).href,
      pathToFileURL(join(MEMORY, stand)).href,
    ]),
  );
  const inside = pathToFileURL(MEMORY).href;
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const stand = context.parentURL?.startsWith(inside) === true ? undefined : urls.get(resolved.url);
      return stand === undefined ? resolved : { ...resolved, url: stand, shortCircuit: true };
    },
  });
}

/** Compiles only while what stands in offers what it stands in for. */
type StandsIn<Fake extends Real, Real> = [Fake, Real];
export type Complete = [
  StandsIn<typeof import('./memory/transaction.ts'), typeof import('../../src/db/transaction.ts')>,
  StandsIn<typeof import('./memory/guard-events.ts'), typeof import('../../src/store/guard-events.ts')>,
  StandsIn<typeof import('./memory/markers.ts'), typeof import('../../src/store/markers.ts')>,
  StandsIn<typeof import('./memory/shadows.ts'), typeof import('../../src/store/shadows.ts')>,
  StandsIn<typeof import('./memory/server-facts.ts'), typeof import('../../src/db/server-facts.ts')>,
  StandsIn<typeof import('./memory/state.ts'), typeof import('../../src/store/state.ts')>,
  StandsIn<typeof import('./memory/outbox.ts'), typeof import('../../src/store/outbox.ts')>,
  StandsIn<typeof import('./memory/parked.ts'), typeof import('../../src/store/parked.ts')>,
  StandsIn<typeof import('./memory/leftovers.ts'), typeof import('../../src/apply/item-leftovers.ts')>,
  StandsIn<typeof import('./memory/write-users.ts'), typeof import('../../src/osclass/write-users.ts')>,
  StandsIn<typeof import('./memory/removal.ts'), typeof import('../../src/osclass/removal.ts')>,
  StandsIn<typeof import('./memory/copies.ts'), typeof import('../../src/osclass/copies.ts')>,
  StandsIn<typeof import('./memory/eligible.ts'), typeof import('../../src/osclass/eligible.ts')>,
  StandsIn<typeof import('./memory/seen-store.ts'), typeof import('../../src/store/plugin-seen.ts')>,
  StandsIn<typeof import('./memory/plugin-client.ts'), typeof import('../../src/plugin/client.ts')>,
];
