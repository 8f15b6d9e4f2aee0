/** What happens in a history with a plugin, drawn from a seed. */
import { makeRandom, type Random } from '../../support/osclass/random.ts';

/** Sites where people are: two daemons, and the plugin. */
const SITES = ['cars', 'homes', 'jobs'] as const;
export type SiteName = (typeof SITES)[number];

const KINDS = [
  'register',
  'register',
  'edit',
  'edit',
  'edit',
  'fill',
  'password',
  'delete',
  'delete',
  'renew',
  'renew',
  'block',
  'move',
  'give up',
  'clear',
  'cron',
  'cron',
  'cron',
  'work',
  'work',
  'work',
  'feed',
  'take page',
  'hour',
] as const;

/** One thing that happens. */
export interface Operation {
  readonly kind: (typeof KINDS)[number];
  readonly site: SiteName;
  /** Chooses whom, or which address. */
  readonly who: number;
  readonly what: number;
}

export interface PluginHistory {
  readonly seed: number;
  /** Share of requests between a plugin and a daemon that get lost. */
  readonly trouble: number;
  readonly operations: readonly Operation[];
  /** In the end the site with the plugin moves to a daemon. */
  readonly moves: boolean;
}

const STEPS = 40;

/**
 * Where it happens. Two daemons that never met know people by their address and nothing else, so strangers take addresses
 * where there is a plugin only, and nobody moves on homes.
 */
function siteOf(kind: Operation['kind'], random: Random): SiteName {
  if (kind === 'give up') return 'jobs';
  if (kind === 'move') return random.pick(['cars', 'jobs']);
  return ['renew', 'fill'].includes(kind) && random.chance(0.8) ? 'jobs' : random.pick(SITES);
}

/** The history of a seed. */
export function drawPluginHistory(seed: number): PluginHistory {
  const random = makeRandom(`plugin ${seed}`);
  const trouble = random.pick([0, 0, 0.1, 0.3]);
  const operations = Array.from({ length: STEPS }, (): Operation => {
    const kind = random.pick(KINDS);
    return { kind, site: siteOf(kind, random), who: random.int(6), what: random.int(1000) };
  });
  // Daemons that meet again cannot tell people of one address apart: where addresses change hands, nobody moves.
  const moves = random.chance(0.5);
  // So it is with values that nobody can date.
  const isLeft = ({ kind }: Operation): boolean => !moves || !['give up', 'move', 'fill'].includes(kind);
  return { seed, trouble, operations: operations.filter(isLeft), moves };
}
