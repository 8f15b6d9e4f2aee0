import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderReadme } from '../../scripts/render-readme.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

it('README lists every error code as the registry has it (else: npm run render:readme)', () => {
  expect(renderReadme(readme)).toBe(readme);
});
