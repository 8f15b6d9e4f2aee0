/** A release as it was published, to be run beside the present program: see test/fixtures/release-0.1.0/README.md. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One that is unpacked. */
export interface Release {
  /** Its command line, for {@link makeCli}. */
  readonly main: readonly string[];
  /** Deletes it. */
  close(): void;
}

/** Unpacks the bundle of a release into a temporary folder. Throws what `tar` said if it cannot. */
export function unpackRelease(version: '0.1.0'): Release {
  const bundle = new URL(`../fixtures/release-${version}/bundle.tar.gz`, import.meta.url).pathname;
  const folder = mkdtempSync(join(tmpdir(), `account-sync-${version}-`));
  const { status, stderr, error } = spawnSync('tar', ['-xzf', bundle, '-C', folder], { encoding: 'utf8' });
  if (status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`tar ended with ${status}: ${stderr}`, { cause: error });
  }
  return { main: [join(folder, 'dist/main.js')], close: () => rmSync(folder, { recursive: true, force: true }) };
}
