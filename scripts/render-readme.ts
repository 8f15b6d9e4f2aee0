/** Writes the generated parts of README.md: the table of error codes. A test compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { ERRORS } from '../src/model/errors.ts';

const README = new URL('../README.md', import.meta.url);
const BEGIN = '<!-- begin error codes: written by "npm run render:readme" -->';
const END = '<!-- end error codes -->';

/** README with its generated parts as the code has them now. */
export function renderReadme(text: string): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { meaning, remedy, reaction }]) => `| \`${code}\` | ${meaning} | ${remedy} | ${reaction} |`,
  );
  const table = ['| code | meaning | what to do | the daemon |', '|---|---|---|---|', ...rows].join('\n');
  const start = text.indexOf(BEGIN) + BEGIN.length;
  return `${text.slice(0, start)}\n${table}\n${text.slice(text.indexOf(END))}`;
}

if (import.meta.main) writeFileSync(README, renderReadme(readFileSync(README, 'utf8')));
