/** Makes a failing history short enough to read: leaves out what it fails without. */
import type { History } from './operation.ts';
import { runHistory } from './run.ts';

/** The shortest history found that still fails. */
export async function shrink(history: History): Promise<History> {
  let best = history;
  const kind = kindOf((await runHistory(history)).flaw);
  const fails = async (candidate: History): Promise<boolean> => {
    if (kindOf((await runHistory(candidate)).flaw) !== kind) return false;
    best = candidate;
    return true;
  };
  for (let before = -1; before !== sizeOf(best);) {
    before = sizeOf(best);
    for (let span = Math.max(1, best.operations.length >> 1); span >= 1; span >>= 1) {
      for (let at = best.operations.length - span; at >= 0; at -= span) {
        await fails({ ...best, operations: best.operations.toSpliced(at, span) });
      }
    }
    for (const [index, site] of best.sites.entries()) {
      for (const user of site.users) {
        const users = (best.sites[index]?.users ?? []).filter((other) => other !== user);
        await fails({ ...best, sites: best.sites.with(index, { ...site, users }) });
      }
      await fails({ ...best, sites: best.sites.with(index, { ...(best.sites[index] ?? site), skewMs: 0 }) });
      await fails({ ...best, sites: best.sites.with(index, { ...(best.sites[index] ?? site), priority: 100 }) });
    }
    for (const [index, operation] of best.operations.entries()) {
      if (operation.do === 'deliver') {
        const { crash: _crash, ...rest } = operation;
        await fails({ ...best, operations: best.operations.with(index, { ...rest, fate: 'well', meanwhile: [] }) });
      }
      await fails({ ...best, operations: best.operations.with(index, { ...operation, afterMs: 1_000 }) });
    }
    await fails({ ...best, topology: 'mesh', relay: false });
    await fails({ ...best, sites: best.sites.slice(0, -1) });
    await fails({ ...best, batch: 100 });
  }
  return best;
}

function sizeOf(history: History): number {
  return JSON.stringify(history).length;
}

/** What went wrong without the particulars, to tell one flaw from another. */
export function kindOf(flaw: string | undefined): string {
  const [first = ''] = (flaw ?? '').split('\n');
  return first
    .replaceAll(/\S*@\S*/g, 'A')
    .replaceAll(/\d\S*/g, 'N')
    .replace(/^\w+: /, '');
}
