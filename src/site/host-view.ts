/** What one site goes by: the config in force, and its host as last looked at. Both change while work goes on. */
import { isDeepStrictEqual } from 'node:util';
import type { Kysely } from 'kysely';
import { installOnce } from '../capture/install.ts';
import type { Config } from '../config/config.ts';
import { readHostSnapshot } from '../osclass/host.ts';
import { makeActiveConfig, type ActiveConfig } from './active-config.ts';
import { makeHostWatch, type HostWatch } from './host-watch.ts';

/** The view of one site. */
export interface HostView {
  now(): ActiveConfig;
  /** What is wrong with the host, as last looked at by {@link refresh}. */
  readonly problems: HostWatch['problems'];
  /** Looks at the host again, with the eyes of the config in force. */
  refresh(): Promise<void>;
  /**
   * Looks at the host with the eyes of another config, and makes the triggers for it. Throws where either is not possible;
   * else what it returns puts that config in force, at once.
   */
  prepare(next: Config, signal?: AbortSignal): Promise<() => void>;
}

/** Looks for the first time. Throws `HOST_TABLE_MISSING`, and what the database throws. */
export async function openHostView(db: Kysely<unknown>, config: Config): Promise<HostView> {
  let now = makeActiveConfig(config, await readHostSnapshot(db, config));
  const watch = makeHostWatch(db);
  const looks = { begun: 0, inForce: 0 };

  const refresh = async (): Promise<void> => {
    const of = now.config;
    const look = (looks.begun += 1);
    const snapshot = await readHostSnapshot(db, of);
    // Another config has come into force meanwhile.
    if (now.config !== of) return await refresh();
    // A look that began later was faster, and saw what is newer.
    if (look < looks.inForce) return;
    looks.inForce = look;
    now = { ...now, snapshot };
    await watch.look(snapshot, of);
  };

  return {
    now: () => now,
    problems: watch.problems,
    refresh,
    async prepare(next, signal) {
      const snapshot = await readHostSnapshot(db, next);
      if (!isDeepStrictEqual(next.relatedTables, now.config.relatedTables)) {
        const { related } = snapshot.hosts;
        const { mode } = next.capture;
        await installOnce(db, snapshot.catalog, { related, mode, ...(signal === undefined ? {} : { signal }) });
      }
      return () => {
        now = makeActiveConfig(next, snapshot);
      };
    },
  };
}
