import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/admin/status.ts';
import { statusScreen } from '../../src/cli/status.ts';

const NOW = Date.parse('2026-01-02T03:04:05.000Z');
const peer: StatusDocument['peers'][number] = {
  name: 'homes',
  url: 'https://homes.example.com/',
  protocol: 'native',
  columns: [],
  send_columns: [],
  last_user_id: 7,
  feed_due: false,
  feed_due_reason: null,
  synced_from: null,
  synced_to: null,
  received_total: 12,
  sent_total: 345,
  status: '200',
  message: 'OK',
  date: '2026-01-02T03:04:00.000Z',
  failing_since: null,
  pending: 0,
  oldest_pending_age: null,
  unknown_locations: 0,
  parked: 0,
  unproven: 0,
  held: 0,
  held_by_class: { removals: 0, credentials: 0, revivals: 0, creations: 0 },
  lag: 0,
};
const well: StatusDocument = {
  site: 'cars',
  version: '1',
  daemon: 'seen',
  baseline: 'done',
  queue: { depth: 0, oldest_age: null },
  stopped: null,
  parked: 0,
  unproven: 0,
  held: 0,
  refused_edit: null,
  peers: [peer],
};
const GREEN = '\u001b[32m';
const YELLOW = '\u001b[33m';
const RED = '\u001b[31m';

test.each([
  ['all sent', GREEN, {}],
  ['changes are under way', YELLOW, { peers: [{ ...peer, pending: 3 }] }],
  ['still looking at all users', YELLOW, { baseline: 'running' }],
  ['a peer is away', YELLOW, { peers: [{ ...peer, failing_since: '2026-01-02T01:04:05.000Z', message: 'HTTP 500' }] }],
  ['no daemon is at work', RED, { daemon: 'not seen' }],
  ['something needs you', RED, { parked: 1 }],
  ['restored, moved or cloned: nothing is sent or applied', RED, { stopped: 'the database was a, is b', parked: 1 }],
] satisfies [string, string, Partial<StatusDocument>][])(
  'the verdict "%s" has its colour',
  (verdict, colour, changes) => {
    const document = { ...well, ...changes };
    expect(statusScreen(document, NOW, true)).toContain(`cars: ${colour}${verdict}\u001b[39m\n`);
    expect(stripVTControlCharacters(statusScreen(document, NOW, true))).toBe(statusScreen(document, NOW));
  },
);

test('it says how many records were received from and sent to each peer', () => {
  const [head, row] = statusScreen(well, NOW).split('\n').slice(-3);
  expect(head).toMatch(/\breceived +sent\b/);
  expect(row).toMatch(/\b12 +345\b/);
});

test('it says who is away since when and why', () => {
  const away = { ...peer, failing_since: '2026-01-02T01:04:05.000Z', message: 'HTTP 500: broken' };
  expect(statusScreen({ ...well, peers: [away] }, NOW)).toContain(
    'homes fails for 2 h, since 2026-01-02 01:04:05Z: HTTP 500: broken\n',
  );
});

test('it says from whom a feed is due and why', () => {
  const why = 'It runs a daemon now, and the last feed was one of the PHP plugin.';
  const due = { ...peer, feed_due: true, feed_due_reason: why };
  expect(statusScreen({ ...well, peers: [due] }, NOW)).toContain(
    `\n\na feed from homes is due: account-sync feed homes\n  ${why}\n`,
  );
  expect(statusScreen(well, NOW)).not.toContain('is due');
});
