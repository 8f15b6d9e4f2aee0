/** The server that TEST_DATABASE_URL names. */

import { versionOf } from './ready.js';

/** @type {import('./find.js').Way} */
export async function givenServer() {
  const url = process.env.TEST_DATABASE_URL ?? '';
  if (!URL.canParse(url)) return { reason: 'TEST_DATABASE_URL is not a URL: mysql://user:password@host:port/' };
  const { host } = new URL(url);
  try {
    return { server: { url, description: `${await versionOf(url)} at ${host}, from TEST_DATABASE_URL` } };
  } catch (error) {
    return { reason: `TEST_DATABASE_URL: ${host} does not let us in: ${/** @type {Error} */ (error).message}` };
  }
}
