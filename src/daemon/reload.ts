/**
 * Taking over edits of the config while the daemon runs. An edit is taken over whole or refused whole; either way what is
 * in force is one config of one moment.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.ts';
import type { ConfigWatcher } from '../config/watch-file.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { restartRequired } from '../config/restart.ts';
import { ERRORS, SyncError, remedyOf } from '../model/errors.ts';
import type { Log } from '../runtime/logger.ts';
import { makeLoop } from '../runtime/loop.ts';
import { every } from '../runtime/schedule.ts';

/** How often the file is looked at; an edit counts from the second look on. */
const LOOK_SCHEDULE = '* * * * * *';

/** What reloading needs. */
export interface ReloadDeps {
  readonly edits: ConfigWatcher;
  readonly activeConfig: () => Config;
  /** Puts a config in force. Throws where it cannot; then the one before stays. */
  readonly takeOver: (next: Config) => Promise<void>;
  /** Keeps the reason of a refusal, or that there is none, where `status` finds it; false: not possible now. */
  readonly note: (refusal: string | undefined) => Promise<boolean>;
  readonly log: Log;
}

/** Reloading. */
export interface Reload {
  /** Begins to look at the file. */
  readonly start: () => void;
  /** Looks now, and takes what is there though somebody may still be writing. */
  readonly now: () => void;
  /** Why the file as it is now is not in force; undefined: it is. */
  readonly refusal: () => string | undefined;
  readonly stop: () => Promise<void>;
}

/** Works by what is, not by what happened: whatever was interrupted is done at the next look. */
export function makeReload({ edits, activeConfig, takeOver, note, log }: ReloadDeps): Reload {
  let last: LoadedConfig | ConfigError | undefined;
  let refusal: string | undefined;
  let isAtOnce = false;
  let noted: { readonly refusal: string | undefined } | undefined;

  const judge = async (): Promise<{ refusal?: string; done: number }> => {
    if (last === undefined) return { done: 0 };
    if (last instanceof ConfigError) return { refusal: last.format(), done: 0 };
    const { config, problemAt } = last;
    const before = activeConfig();
    if (isDeepStrictEqual(config, before)) return { done: 0 };
    const fixed = restartRequired(before, config);
    if (fixed.length > 0) {
      const problems = fixed.map((key) => problemAt(key, 'a change of this needs a restart of the daemon'));
      return { refusal: new ConfigError(problems).format(), done: 0 };
    }
    try {
      await takeOver(config);
    } catch (error) {
      if (!(error instanceof SyncError) || ERRORS[error.code].reaction === 'retry') throw error;
      return { refusal: `${error.code}: ${error.message} ${remedyOf(error)}`, done: 0 };
    }
    log.info(differences(before, config), 'edit of the config taken over');
    return { done: 1 };
  };

  const look = async (): Promise<number> => {
    const atOnce = isAtOnce;
    isAtOnce = false;
    try {
      last = (await edits.read(atOnce)) ?? last;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      last = error;
    }
    const judged = await judge();
    if (judged.refusal !== undefined && judged.refusal !== refusal) {
      log.error({ problems: judged.refusal.split('\n') }, 'edit of the config refused, the one before stays in force');
    }
    if (judged.refusal === undefined && refusal !== undefined && judged.done === 0) {
      log.info({}, 'the refused edit of the config was taken back');
    }
    if (atOnce && judged.done === 0) log.info({ inForce: judged.refusal === undefined }, 'config file looked at');
    refusal = judged.refusal;
    if (noted === undefined || noted.refusal !== refusal) {
      if (await note(refusal)) noted = { refusal };
    }
    return judged.done;
  };

  const loop = makeLoop({
    name: 'config',
    log,
    pass: async () => ({ done: await look(), full: false }),
    trigger: (wake) => every(LOOK_SCHEDULE, wake),
  });
  return {
    start: () => loop.start(),
    now() {
      isAtOnce = true;
      loop.wake();
    },
    refusal: () => refusal,
    stop: () => loop.stop(),
  };
}

/** Names of what is different, no values. */
function differences(before: Config, after: Config): Record<string, readonly string[]> {
  const keys = Object.keys(after) as (keyof Config)[];
  const changed = keys.filter((key) => key !== 'peers' && !isDeepStrictEqual(before[key], after[key]));
  const old = new Map(before.peers.map((peer) => [peer.name, peer]));
  const now = new Set(after.peers.map((peer) => peer.name));
  return {
    changed,
    peersAdded: [...now].filter((name) => !old.has(name)),
    peersChanged: after.peers
      .filter((peer) => old.has(peer.name) && !isDeepStrictEqual(old.get(peer.name), peer))
      .map((peer) => peer.name),
    peersRemoved: [...old.keys()].filter((name) => !now.has(name)),
  };
}
