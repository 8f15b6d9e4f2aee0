/** Whose address it is: the table, in meshes of three, in several orders of arrival. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeMeshWithPlugin, makeNativeMesh, ORDERS, playAll, playsOf } from './cases/proof-mesh.ts';
import type { Came, Mesh, Play } from './cases/proof-mesh.ts';
import { NATIVE_CASES, PLUGIN_CASES, VERIFIED_CASES, type ProofCase } from './cases/proof-table.ts';

const MESHES: readonly (readonly [string, () => Promise<Mesh>, readonly ProofCase[]])[] = [
  ['three daemons, one of them where nobody proves addresses', () => makeNativeMesh(), NATIVE_CASES],
  ['the same, said to be trusted', () => makeNativeMesh('    email_trust: verified\n'), VERIFIED_CASES],
  ['two daemons and a plugin', makeMeshWithPlugin, PLUGIN_CASES],
];

describe.each([...MESHES])('%s', (_name, make, cases) => {
  let mesh: Mesh;
  let came: Map<Play, Came>;
  const plays = playsOf(cases);
  beforeAll(async () => {
    mesh = await make();
    came = await playAll(mesh, plays);
  }, 300_000);
  afterAll(() => mesh?.close());

  it.each([...cases])('$name', (one) => {
    const ends = plays.filter((play) => play.one === one).map((play) => endOf(play, came.get(play) as Came));
    expect(ends).toEqual(ORDERS.map(() => wantedEnd(one)));
  });
});

/** How a play ended, in a form that the table speaks of. */
interface Ended {
  readonly has: readonly (string | number)[];
  readonly status: readonly string[];
  /** Columns in which the daemons' sites differ; only where they are to be equal. */
  readonly differing: readonly string[];
  /** Codes of what waits. */
  readonly codes: readonly string[];
}

/** What the table says. */
function wantedEnd({ end: { all, status = 'active' } }: ProofCase): Ended {
  const codes = all === 'apart' ? ['EMAIL_UNPROVEN'] : [];
  if (all === 'apart') return { has: [0, 1, 2].map(() => 'its own'), status: [], differing: [], codes };
  if (all === 'gone') return { has: ['absent', 'absent', 'absent'], status: [], differing: [], codes };
  if (all === 'equal') return { has: ['equal'], status: [status, status, status], differing: [], codes };
  return { has: [all, all, all], status: [status, status, status], differing: [], codes };
}

function endOf({ one, passwords }: Play, { rows, waiting, differing }: Came): Ended {
  const { all } = one.end;
  const origins = rows.map((row) => (row === undefined ? 'absent' : passwords.indexOf(String(row.s_password))));
  const isOwn = (at: number): boolean =>
    passwords[at] === undefined ? typeof origins[at] === 'number' && origins[at] >= 0 : origins[at] === at;
  const codes = [...new Set(waiting.flat())].filter((code) => !(all !== 'apart' && isSaidByPlugin(one, code)));
  if (all === 'apart')
    return { has: origins.map((origin, at) => (isOwn(at) ? 'its own' : origin)), status: [], differing: [], codes };
  if (all === 'gone') return { has: origins, status: [], differing: [], codes };
  const has = all === 'equal' && new Set(origins).size === 1 && origins[0] !== -1 ? ['equal'] : origins;
  return { has, status: rows.map(statusOf), differing, codes };
}

/** A plugin cannot tell that an address was proved: what it said may wait though all are equal by now. */
function isSaidByPlugin(one: ProofCase, code: string): boolean {
  return code === 'EMAIL_UNPROVEN' && PLUGIN_CASES.includes(one);
}

function statusOf(row: Came['rows'][number]): string {
  if (row === undefined) return 'absent';
  if (row.b_enabled !== 1) return 'blocked';
  return row.b_active === 1 ? 'active' : 'inactive';
}
