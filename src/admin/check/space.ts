/** The part of `account-sync check` that looks at what our tables take. */
import { statfs } from 'node:fs/promises';
import { isLoopback } from '../../config/url.ts';
import { isInstalled } from '../../db/migrate.ts';
import { entriesOfOthers, readLogSpace } from '../../store/space.ts';
import type { Site } from '../../site/site.ts';
import { ok, warn, type Finding } from './finding.ts';
import { formatCount } from '../../runtime/figures.ts';
import { ownName } from '../../db/own-tables.ts';

/** What a log record takes with its indexes, where there are too few to tell. */
const RECORD_BYTES = 900;
const MANY_RECORDS = 1000;
const MIB = 1024 ** 2;

/** Entries for peers that are not in the config (any more). */
export async function checkOutboxes({ db, config }: Site): Promise<Finding[]> {
  if (!(await isInstalled(db))) return [];
  const others = await entriesOfOthers(
    db,
    config.peers.map((peer) => peer.name),
  );
  return others.map(({ peer, entries }) =>
    warn(
      'outboxes',
      `${entries} ${entries === 1 ? 'entry' : 'entries'} for ${peer}, which is not in the config`,
      `Add ${peer} again, and they go out; if it is gone for good: DELETE FROM ${ownName(config.database.tablePrefix, 'outbox')} WHERE peer = '${peer}';`,
    ),
  );
}

/** Whether the disk has room for as many log records as are kept, where the database is on this machine. */
export async function checkDisk({ db, config, snapshot }: Site): Promise<Finding[]> {
  if (!(await isInstalled(db))) return [];
  const { rows, bytes, folder } = await readLogSpace(db, snapshot().catalog.schema);
  const each = rows >= MANY_RECORDS ? bytes / rows : RECORD_BYTES;
  const needed = Math.max(0, config.logs.maxRows - rows) * each;
  const what = `${formatCount(config.logs.maxRows, 'log record')} take up to ${mib(bytes + needed)}, and now ${mib(bytes)}`;
  return [judgeDisk(what, needed, isHere(config.database) ? await freeBytes(folder) : null)];
}

/** Pure; `free` is null where the disk cannot be seen from here. */
export function judgeDisk(what: string, needed: number, free: number | null): Finding {
  if (free === null) return ok('disk', `${what}; the disk of the database cannot be seen from here`);
  if (free > needed) return ok('disk', `${what}; ${mib(free)} are free`);
  return warn(
    'disk',
    `${what}, but only ${mib(free)} are free`,
    'Lower logs.max_rows or logs.retention, or make room.',
  );
}

function isHere({ host, socketPath }: Site['config']['database']): boolean {
  return socketPath !== null || isLoopback(host);
}

async function freeBytes(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
