/** Where a site's database is, and whether that is where it was: pure. */

/** What tells one place from another. */
export interface Surroundings {
  /** `site.name` of the config. */
  readonly site: string;
  /** `site.url` of the config. */
  readonly url: string;
  /** Digest of `site.api_key` that takes long to make. */
  readonly apiKey: string;
  /** Name of the database. */
  readonly database: string;
  /** What tells the server, or its cluster, from all others: `mysql UUID`, `mariadb UID`, `galera UUID`. */
  readonly server: string;
  /** `@@server_id`. */
  readonly serverId: string;
  /** When our table was made, as the server says; empty: it does not say. */
  readonly tableMade: string;
}

/** One thing that changed. */
export interface Difference {
  readonly what: 'site.name' | 'site.url' | 'database' | 'server';
  readonly before: string;
  readonly now: string;
}

/**
 * What changed. A change does not count for a server that only calls itself otherwise: MariaDB makes its `server_uid` of network
 * address and port, which a container has again each time it is made, though its data are the same. Those have our table, made at
 * the same second, and the same `server_id`, which servers that replicate from each other never have.
 */
export function differencesOf(
  before: Surroundings,
  now: Surroundings,
  { isServerWatched }: { readonly isServerWatched: boolean },
): Difference[] {
  const differences: Difference[] = [];
  const compare = (what: Difference['what'], was: string, is: string): void => {
    if (was !== is) differences.push({ what, before: was, now: is });
  };
  compare('site.name', before.site, now.site);
  compare('site.url', before.url, now.url);
  compare('database', before.database, now.database);
  if (isServerWatched && !isSameServer(before, now)) compare('server', before.server, now.server);
  return differences;
}

/** True if the data are where they were, whatever the server calls itself. */
function isSameServer(before: Surroundings, now: Surroundings): boolean {
  if (before.server === now.server) return true;
  // MySQL keeps its UUID beside the data, and a cluster is known by that of its data.
  const isMade = [before, now].every(({ server }) => server.startsWith('mariadb '));
  return isMade && before.tableMade !== '' && before.tableMade === now.tableMade && before.serverId === now.serverId;
}

/** `the server was mysql 3e11…, is mysql 7a90…; site.url was …, is …` */
export function describeDifferences(differences: readonly Difference[]): string {
  return differences
    .map(({ what, before, now }) => `${what.startsWith('site.') ? '' : 'the '}${what} was ${before}, is ${now}`)
    .join('; ');
}
