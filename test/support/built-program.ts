/** The program as the image has it: what `npm run build` makes, in a folder where there is nothing else. Made once for all test files. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'rolldown';
import type { TestProject } from 'vitest/node';
import config, { output } from '../../rolldown.config.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the folder; the program is `dist/account-sync.js` in it. */
    readonly builtProgram: string;
  }
}

/** Builds it before the first test file; what is returned deletes it after the last. */
export async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'account-sync-build-'));
  for (const name of ['package.json', 'sql']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  await build({ ...config, cwd: ROOT, output: { ...output, dir: join(folder, 'dist') } });
  project.provide('builtProgram', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
