import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../histories/plugin-main.ts', import.meta.url));

test('500 random histories with a plugin: no account dies, no value is emptied, and no password goes to another, that nobody did so to', async () => {
  const { code, output } = await new Promise<{ code: number | string; output: string }>((resolve) => {
    const args = [main, '--runs', '500', '--seed', '1'];
    execFile(process.execPath, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? 1), output: stdout + stderr });
    });
  });
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^500 histories .*: 0 failed/) });
}, 300_000);
