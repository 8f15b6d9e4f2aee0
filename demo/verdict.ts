/** The end: all sites compared with each other, user by user, column by column. */
import { compareSites, comparedColumns, type Difference } from '../test/support/osclass/compare.ts';
import type { Host } from '../test/support/osclass/host.ts';
import type { Screen } from './screen.ts';

/** What comparing sites came to. */
export interface Verdict {
  readonly sites: number;
  /** All users of all sites, each counted once. */
  readonly users: number;
  readonly columns: readonly string[];
  readonly differences: readonly Difference[];
}

const COLUMNS_OF_TABLE = 3;
const DIFFERENCES_SHOWN = 20;
/** Not even invented ones are shown. */
const SECRET = 's_password';

/** Reads every site and compares. */
export async function compareAll(hosts: readonly Host[]): Promise<Verdict> {
  const sites = [];
  for (const host of hosts) sites.push({ name: host.name, view: await host.users() });
  const views = sites.map(({ view }) => view);
  return {
    sites: sites.length,
    users: new Set(views.flatMap((view) => [...view.users.keys()])).size,
    columns: comparedColumns(views),
    differences: await compareSites(sites),
  };
}

/** Shows a table of all columns, the differences if there are any, and the verdict. */
export function showVerdict({ sites, users, columns, differences }: Verdict, screen: Screen): void {
  const countOf = (column: string): number => differences.filter((difference) => difference.column === column).length;
  const cells = ['user', ...columns].map((column) => {
    const differing = countOf(column);
    const count = screen.paint(differing === 0 ? 'green' : ['red', 'bold'], String(differing).padStart(4));
    const compared = column === 'user' ? users : users - countOf('user');
    return `${column.padEnd(22)}${String(compared).padStart(5)}${count}`;
  });
  const head = screen.paint('dim', `${'column'.padEnd(18)}compared diff`);
  screen.line(`  ${Array.from({ length: COLUMNS_OF_TABLE }, () => head).join('  ')}`);
  const rows = Math.ceil(cells.length / COLUMNS_OF_TABLE);
  for (let row = 0; row < rows; row++) {
    screen.line(`  ${cells.filter((_, index) => index % rows === row).join('  ')}`);
  }
  screen.line();
  for (const difference of differences.slice(0, DIFFERENCES_SHOWN)) screen.line(`  ${differenceText(difference)}`);
  if (differences.length > DIFFERENCES_SHOWN) screen.line(`  … and ${differences.length - DIFFERENCES_SHOWN} more`);
  screen.line(
    differences.length === 0
      ? screen.paint(['green', 'bold'], `All ${sites} sites are equal: ${users} users, ${columns.length} columns.`)
      : screen.paint(['red', 'bold'], `The ${sites} sites are not equal: ${countText(differences.length)}.`),
  );
}

const countText = (count: number): string => `${count} difference${count === 1 ? '' : 's'}`;

function differenceText({ email, column, values }: Difference): string {
  const texts = Object.entries(values).map(([site, value]) =>
    column === SECRET ? `${site} has its own` : `${site} ${JSON.stringify(value)}`,
  );
  return `${email}  ${column}: ${texts.join(', ')}`;
}
