/** Where the sites can be looked at while they run. */
import type { WorldSite } from '../test/support/world.ts';
import { paintSite } from './change-line.ts';
import type { Screen } from './screen.ts';
import { type DemoSites, FACTS, SITE_NAMES } from './sites.ts';

/** One line per site: what kind of site it is. */
export function showSites({ counts }: Pick<DemoSites, 'counts'>, screen: Screen): void {
  for (const name of SITE_NAMES) {
    const { flavour, timezone } = FACTS[name];
    screen.line(
      `  ${paintSite(name, screen)}  Osclass ${flavour.padEnd(3)}  ${timezone.padEnd(16)}  ${String(counts[name]).padStart(3)} users`,
    );
  }
}

const row = (name: string, url: string, token: string, database: string): string =>
  `  ${name.padEnd(5)}  ${url.padEnd(24)}  ${token.padEnd(29)}  ${database}`;

/** Addresses, tokens, and commands to paste. */
export function showAddresses(sites: readonly WorldSite[], screen: Screen): void {
  const [first, second] = sites;
  if (first === undefined || second === undefined) return;
  screen.line('\nThe sites keep running until Ctrl-C.\n');
  screen.line(screen.paint('dim', row('site', 'address', 'admin token', 'database')));
  for (const { name, url, adminToken, db } of sites) screen.line(row(name, url, adminToken, db.name));
  const curl = (path: string, accept = ''): string =>
    `  curl -s ${accept}-H 'Authorization: Bearer ${first.adminToken}' '${new URL(path, first.url).href}'`;
  screen.line(`\n${screen.paint('dim', '  # what happened last, how the peers are, is all well')}`);
  screen.line(curl('v1/logs?limit=5', "-H 'Accept: text/csv' "));
  screen.line(curl('v1/peers'));
  screen.line(`  curl -s ${new URL('health', first.url).href}`);
  const { host, port, user, password, name } = first.db;
  const login = `${password === '' ? '' : `MYSQL_PWD='${password}' `}mysql -h ${host} -P ${port} -u ${user}`;
  screen.line(`\n${screen.paint('dim', `  # change something on ${first.name}, look at it on ${second.name}`)}`);
  screen.line(`  ${login} ${name} -e "UPDATE oc_t_user SET s_name = 'You' ORDER BY pk_i_id LIMIT 1"`);
  screen.line(`  ${login} ${second.db.name} -e "SELECT s_email, s_name FROM oc_t_user WHERE s_name = 'You'"`);
}
