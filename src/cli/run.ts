/** `account-sync run`: the daemon. */
import type { Config } from '../config/config.ts';
import { makeConfigWatcher } from '../config/watch-file.ts';
import { exposedFiles } from '../config/exposed-files.ts';
import { isMountedAlone, MOUNTED_ALONE, MOUNT_THE_FOLDER } from '../config/mounted-alone.ts';
import { NEW_KEY, weakKeys } from '../config/named-keys.ts';
import { startDaemon, type Daemon } from '../daemon/daemon.ts';
import { SyncError } from '../model/errors.ts';
import { stopOnSignals } from '../runtime/lifecycle.ts';
import { makeLogger } from '../runtime/logger.ts';
import { loadChecked, type CommonOptions, type ExitCode, type Terminal } from './context.ts';

const LAST_WORDS_MS = 500;
/** What was needed to start is garbage by then; V8 would keep the room for it as long as the daemon is idle. */
const TIDY_AFTER_MS = 5_000;

/** Runs until a signal, or until something makes it impossible to start. SIGHUP makes it look at the config file now. */
export async function run(options: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  const loaded = await loadChecked(options, terminal);
  const { config, file } = loaded;
  const log = makeLogger({ level: config.logs.level });
  for (const { why, remedy, file: exposed } of exposedFiles(loaded))
    log.warn({ file: exposed, why, remedy }, 'a file of the config is open to others');
  const told = new Set<string>();
  const warnOfKeys = (now: Config): void => {
    const found = weakKeys(now).filter((weak) => !told.has(weak));
    for (const weak of found) {
      told.add(weak);
      log.warn({ weak, remedy: NEW_KEY }, 'a key can be guessed');
    }
  };
  warnOfKeys(config);
  if (isMountedAlone(file)) log.warn({ file, remedy: MOUNT_THE_FOLDER }, `the config ${MOUNTED_ALONE}`);
  let daemon: Daemon | undefined;
  const reload = (): void => daemon?.reload();
  process.on('SIGHUP', reload);
  daemon = await startDaemon({
    config,
    log,
    processMetrics: true,
    edits: makeConfigWatcher(file, terminal.env),
    onConfig(next) {
      log.setLevel(next.logs.level);
      warnOfKeys(next);
    },
  }).catch((error: unknown) => {
    throw toPortProblem(error, config.http.host, config.http.port);
  });
  const undo = stopOnSignals(daemon.lifecycle, process, (code) => process.exit(code));
  let failure: Error | undefined;
  daemon.ready.catch((error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  // Only where Node was started with --expose-gc, as the image does.
  const tidying = setTimeout(() => globalThis.gc?.({ type: 'major', flavor: 'last-resort' }), TIDY_AFTER_MS);
  const outcome = await daemon.lifecycle.stopped;
  clearTimeout(tidying);
  undo();
  process.off('SIGHUP', reload);
  // What did not end in time must not keep the process alive.
  if (outcome === 'late') setTimeout(() => process.exit(1), LAST_WORDS_MS).unref();
  if (failure !== undefined && failure.name !== 'AbortError') throw failure;
  return outcome === 'late' ? 1 : 0;
}

function toPortProblem(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  const why =
    code === 'EADDRINUSE'
      ? 'another program listens there'
      : code === 'EADDRNOTAVAIL'
        ? 'this machine has no such address'
        : code === 'EACCES'
          ? 'this account may not use that port'
          : undefined;
  return why === undefined ? error : new SyncError('CANNOT_LISTEN', `Cannot listen on ${host}:${port}: ${why}.`);
}
