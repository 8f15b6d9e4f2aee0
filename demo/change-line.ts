/** The line that shows a change: number, site, what, and when it was seen on the others. */
import { type Arrival, type Change, othersOf } from './change.ts';
import { inSeconds } from './figures.ts';
import type { Screen, Style } from './screen.ts';
import type { SiteName } from './sites.ts';

/** A change is to be seen within this time; later ones are marked. */
export const SLOW_AFTER_MS = 2_000;

const SITE_STYLES = { cars: 'cyan', homes: 'magenta', jobs: 'yellow' } as const satisfies Record<SiteName, Style>;

/** A site's name in its colour, five columns wide. */
export const paintSite = (name: SiteName, { paint }: Pick<Screen, 'paint'>): string =>
  paint(SITE_STYLES[name], name.padEnd(5));

/** `12  jobs   Marta changes her password      cars  0.61 s   homes  0.58 s`; a site without arrival is waited for. */
export function changeLine(
  { number, on, what }: Pick<Change, 'on' | 'what'> & { readonly number: number },
  arrivals: ReadonlyMap<SiteName, Arrival>,
  screen: Pick<Screen, 'paint'>,
): string {
  const seen = othersOf(on).map((at) => `${paintSite(at, screen)} ${arrivalText(arrivals.get(at), screen)}`);
  return `  ${String(number).padStart(2)}  ${paintSite(on, screen)}  ${what.padEnd(56)}  ${seen.join('  ')}`.trimEnd();
}

function arrivalText(arrival: Arrival | undefined, { paint }: Pick<Screen, 'paint'>): string {
  const cell = (style: Style, text: string): string => paint(style, text.padStart(7));
  switch (arrival?.kind) {
    case undefined:
      return cell('dim', '…');
    case 'seen':
      return arrival.ms > SLOW_AFTER_MS
        ? cell(['yellow', 'bold'], `${inSeconds(arrival.ms)}!`)
        : cell('green', inSeconds(arrival.ms));
    case 'later':
      return cell('dim', 'later');
    case 'stayed':
      return cell('green', 'nothing');
    case 'missing':
      return cell(['red', 'bold'], 'MISSING');
    case 'leaked':
      return cell(['red', 'bold'], 'LEAKED');
    default:
      return arrival satisfies never;
  }
}
