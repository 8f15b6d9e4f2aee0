/** Our version, from package.json. */
import { readFileSync } from 'node:fs';

/** As in package.json; the file is beside `src` and beside `dist` alike. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
