/** docs/performance.md and its chart, made from what was measured. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { BenchResult, MeasuredGoal } from '../../bench/result.ts';
import { growthChart } from '../../scripts/growth-chart.ts';
import { renderPerformance } from '../../scripts/render-performance.ts';

const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8');
const machine = { commit: '84863e0', node: 'v24', database: '10.11', cores: 2, processor: 'X', memoryGiB: 4 };
const goal = (name: string, figures: MeasuredGoal['figures']): MeasuredGoal => ({
  name,
  title: name,
  date: '2026-01-02T03:04:05.000Z',
  machine,
  figures,
});
const measured: BenchResult = {
  goals: [
    goal('p1', [
      { what: 'P1 ratio', unit: '×', rounds: [5, 4, 6], limit: { atMost: 3 }, median: 5, holds: false },
      { what: 'no limit', unit: 'ms', rounds: [12345], median: 12345, holds: null },
    ]),
    goal('users', [
      {
        what: 'feed a',
        unit: 's',
        rounds: [1],
        at: { axis: 'users', value: 10, series: 'feed' },
        median: 1,
        holds: null,
      },
      {
        what: 'feed b',
        unit: 's',
        rounds: [9],
        at: { axis: 'users', value: 100, series: 'feed' },
        median: 9,
        holds: null,
      },
    ]),
  ],
};

test('figures come between their marks, and all else stays', () => {
  const text = renderPerformance(page, measured);
  expect(text).toContain('| P1 ratio | 5 × | 4 … 6 | ≤ 3 | **missed** |');
  expect(text).toContain('| no limit | 12,345 ms |  |  |  |');
  expect(text.indexOf('| feed a |')).toBeGreaterThan(text.indexOf('<!-- begin growth'));
  expect(text).toContain('Measured: 2026-01-02, commit `84863e0`, 2 cores X, 4 GiB, Node v24, server 10.11.');
  const without = (one: string): string => one.replaceAll(/(<!-- begin \w+:.*-->)[^]*?(<!-- end)/g, '$1$2');
  expect(without(text)).toBe(without(page));
  expect(renderPerformance(text, measured)).toBe(text);
  expect(renderPerformance(text, { goals: [] })).toContain('Not measured yet.');
});

test('a page without a place for figures is refused', () => {
  expect(() => renderPerformance('# Performance\n', measured)).toThrow('no place for goals');
});

test('the chart has a point for each figure with a place, and says what was not measured', () => {
  const svg = growthChart(measured.goals.flatMap(({ figures }) => figures));
  expect(svg.match(/<circle/g)).toHaveLength(2);
  expect(svg).toContain('by peers: not measured');
  // More users further right, more time further up.
  const [first = [], second = []] = [...svg.matchAll(/<circle cx="(\d+)" cy="(\d+)"/g)].map((m) =>
    m.slice(1).map(Number),
  );
  expect(second[0]).toBeGreaterThan(first[0] ?? 0);
  expect(second[1]).toBeLessThan(first[1] ?? 0);
});
