/** The program as the image has it: what `npm run build` makes, in a folder where there is nothing else. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'rolldown';
import config, { output } from '../../rolldown.config.ts';
import { imageFlags } from './image.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

/** A build. */
export interface BuiltProgram {
  readonly folder: string;
  /** The program, with the flags that the image gives Node before it. */
  readonly program: readonly string[];
  /** Deletes the folder. */
  close(): void;
}

/** Builds it. */
export async function buildProgram(): Promise<BuiltProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'account-sync-build-'));
  for (const name of ['package.json', 'sql']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  await build({ ...config, cwd: ROOT, output: { ...output, dir: join(folder, 'dist') } });
  return {
    folder,
    program: [...imageFlags(), join(folder, 'dist/account-sync.js')],
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
