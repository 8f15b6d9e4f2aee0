import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../histories/plugin-main.ts', import.meta.url));

test.each([
  { runs: 500, seed: 1 },
  // An account that a page of a feed made again: without a secret, without a user name.
  { runs: 1, seed: 1014 },
  { runs: 1, seed: 1425 },
  // A page of a feed was lost, and somebody registered there meanwhile.
  { runs: 1, seed: 2267 },
  // Somebody took an address that another had given up there, and was removed before anybody heard.
  { runs: 1, seed: 1923 },
  // A row of ours made an account again while it was blocked here.
  { runs: 1, seed: 2176 },
  // An account was removed and registered again here, while somebody registered the address there.
  { runs: 1, seed: 10322 },
  // Somebody registered here without confirming it, and there; he was told the date that he has there.
  { runs: 1, seed: 426 },
  // Whoever took an address there waited for it here, and was taken for the one who was removed here.
  { runs: 1, seed: 840 },
])(
  '$runs random histories with a plugin from seed $seed: no account dies, no value is emptied, and no password goes to another, that nobody did so to',
  async ({ runs, seed }) => {
    const { code, output } = await new Promise<{ code: number | string; output: string }>((resolve) => {
      const args = [main, '--runs', String(runs), '--seed', String(seed)];
      execFile(process.execPath, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (error.code ?? 1), output: stdout + stderr });
      });
    });
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(new RegExp(`^${runs} histories .*: 0 failed`)),
    });
  },
  300_000,
);
