/** Each recorded response, and others, played to the daemon as a client of the plugin: what it makes of them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { entryOf, SyncError } from '../../src/model/errors.ts';
import { makePluginClient } from '../../src/plugin/client.ts';
import { capture, captureNames, KEY_A, KEY_B } from '../support/captures.ts';
import { makePluginSite, type PluginSite } from '../support/plugin-site.ts';
import { answerOf, makeScriptedPeer, type Script, type ScriptedPeer } from '../support/scripted-peer.ts';

/** `confirmed`: it left the outbox. `waits CODE`: it will be sent again. `peer CODE`: so will all. `parked CODE`. */
type Outcome = 'confirmed' | `lost ${string}` | `waits ${string}` | `peer ${string}` | `parked ${string}`;

const ofCapture = (name: string): Buffer => capture(name).response.bytes;
const OK = answerOf('200 OK', '{"status":"OK","message":"","data":[]}');

/** Answers to a user that was sent. */
const TO_USER: Readonly<Record<string, Outcome>> = {
  '01-stream-register-inactive': 'confirmed',
  '02-stream-profile-full': 'confirmed',
  '03-stream-admin-created': 'confirmed',
  '04-stream-deactivated': 'confirmed',
  '05-stream-activated': 'confirmed',
  '06-stream-blocked': 'confirmed',
  '07-stream-unblocked': 'confirmed',
  '08-stream-locale-unknown-to-receiver': 'confirmed',
  '09-stream-null-and-empty': 'confirmed',
  '10-stream-numeric-looking': 'confirmed',
  '11-stream-raw-markup': 'confirmed',
  '12-stream-emoji': 'confirmed',
  '13-stream-email-changed': 'confirmed',
  '14-stream-other-direction': 'confirmed',
  '15-stream-profile-image': 'confirmed',
  '16-profile-image-callback': 'peer PEER_BAD_ANSWER',
  '23-stream-masked-hash-sent-back': 'confirmed',
  '29-err-missing-key': 'peer PEER_REFUSED_KEY',
  '30-err-wrong-key': 'peer PEER_REFUSED_KEY',
  '31-err-stream-missing-email': 'waits PEER_FAILED',
  '32-err-stream-missing-id': 'waits PEER_FAILED',
  '33-err-unknown-action': 'peer PEER_BAD_ANSWER',
  '34-stream-key-refused-http-200': 'peer PEER_REFUSED_KEY',
  '35-stream-peer-http-500': 'waits PEER_FAILED',
  '36-stream-peer-maintenance-503': 'peer PEER_UNREACHABLE',
  '37-stream-peer-redirect-301': 'peer PEER_BAD_ANSWER',
  '38-stream-answer-lost': 'confirmed',
};

/** Answers to a removal that was sent. */
const TO_REMOVAL: Readonly<Record<string, Outcome>> = {
  '17-removal': 'confirmed',
  '18-removal-echo-unknown-user': 'confirmed',
  '19-removal-without-email': 'confirmed',
};

/** Answers to a request for a feed: how many users come to be known, or why none. */
const TO_FEED: Readonly<Record<string, number | string>> = {
  '20-feed-no-users': 0,
  '21-feed-fewer-than-limit': 3,
  '22-feed-nothing-new': 0,
  '24-feed-page-1-of-5': 5,
  '25-feed-page-2-of-5': 5,
  '26-feed-page-5-of-5': 3,
  '27-feed-other-direction': 5,
  '28-feed-by-get': 1,
};

const OTHERS: readonly (readonly [string, Script, Outcome])[] = [
  ['a page of HTML with 200', answerOf('200 OK', '<!doctype html><p>Welcome'), 'peer PEER_BAD_ANSWER'],
  ['nothing with 200', answerOf('200 OK', ''), 'peer PEER_BAD_ANSWER'],
  ['text as data', answerOf('200 OK', '{"status":"OK","message":"","data":"x"}'), 'peer PEER_BAD_ANSWER'],
  ['OK with 500', answerOf('500 Oh', '{"status":"OK","message":"","data":[]}'), 'waits PEER_FAILED'],
  ['a gateway in between', answerOf('502 Bad Gateway', '<html>'), 'peer PEER_UNREACHABLE'],
  ['a row that is too large', answerOf('413 Too Large', ''), 'parked BODY_TOO_LARGE'],
  ['a lost answer', 'break', 'peer PEER_UNREACHABLE'],
  ['a redirect with an answer', answerOf('302 Found', OK.toString(), ['Location: /x']), 'peer PEER_BAD_ANSWER'],
];

let peer: ScriptedPeer;
let site: PluginSite;
let count = 0;

beforeAll(async () => {
  peer = await makeScriptedPeer(OK);
  site = await makePluginSite({ ourKey: KEY_A, peerKey: KEY_B, peerUrl: peer.url, extra: 'guard: { removals: 1000 }' });
});
afterAll(async () => {
  await site.close();
  await peer.close();
});
afterEach(async () => {
  await site.db.query('DELETE FROM oc_account_sync_outbox');
});

const newUser = async (): Promise<number> => {
  const id = await site.host.person.register({ email: `user${++count}@example.com`, name: 'U', validation: false });
  await site.open.site.drain();
  return id;
};

async function outcomeOfDelivery(): Promise<Outcome> {
  const { site: ours } = site.open;
  try {
    await ours.deliver(ours.route('plugin'));
  } catch (error) {
    const waiting = await site.db.query("SELECT 1 FROM oc_account_sync_outbox WHERE state = 'w'");
    const isPassing = waiting.length === 1 && entryOf(error).reaction === 'retry';
    return `${isPassing ? 'peer' : 'lost'} ${(error as SyncError).code}`;
  }
  const [entry] = await site.db.query<{ state: string; code: string }>(
    'SELECT state, code FROM oc_account_sync_outbox',
  );
  if (entry === undefined) return 'confirmed';
  return entry.state === 'p' ? `parked ${entry.code}` : `waits ${entry.code}`;
}

test('every recorded answer has its place here', () => {
  const named = [TO_USER, TO_REMOVAL, TO_FEED].flatMap((table) => Object.keys(table));
  expect(named.toSorted()).toEqual(captureNames());
});

describe('as the answer to a user', () => {
  test.each(Object.entries(TO_USER))('%s', async (name, expected) => {
    await newUser();
    peer.script = ofCapture(name);
    expect(await outcomeOfDelivery()).toBe(expected);
  });

  test.each(OTHERS)('%s', async (_what, script, expected) => {
    await newUser();
    peer.script = script;
    expect(await outcomeOfDelivery()).toBe(expected);
  });

  test('one that got lost is asked for again, and then confirmed', async () => {
    await newUser();
    peer.script = 'break';
    expect(await outcomeOfDelivery()).toBe('peer PEER_UNREACHABLE');
    peer.script = ofCapture('38-stream-answer-lost');
    expect(await outcomeOfDelivery()).toBe('confirmed');
  });

  test('a peer that says nothing is given up in time, and the user waits', async () => {
    const silent = await makeScriptedPeer('hang');
    const client = makePluginClient({ url: silent.url, apiKey: KEY_A, totalTimeoutMs: 100 });
    await expect(client.call('userStreamPost', [])).rejects.toMatchObject({ code: 'PEER_TIMEOUT' });
    await client.close();
    await silent.close();
  });

  test('one user that is refused holds up no other', async () => {
    await newUser();
    await newUser();
    const refusal = ofCapture('31-err-stream-missing-email');
    peer.script = refusal;
    const { site: ours } = site.open;
    expect(await ours.deliver(ours.route('plugin'))).toMatchObject({ done: 0, kept: 2 });
    peer.script = OK;
    await site.db.query("UPDATE oc_account_sync_outbox SET due_at = '2020-01-01'");
    expect(await ours.deliver(ours.route('plugin'))).toMatchObject({ done: 2, kept: 0 });
  });
});

describe('as the answer to a removal', () => {
  test.each(Object.entries(TO_REMOVAL))('%s', async (name, expected) => {
    const id = await newUser();
    peer.script = OK;
    expect(await outcomeOfDelivery()).toBe('confirmed');
    // Whoever is in no feed of the peer is not looked for there before.
    await site.host.admin.block(id);
    await site.open.site.drain();
    expect(await outcomeOfDelivery()).toBe('confirmed');
    await site.host.person.deleteAccount(id);
    await site.open.site.drain();
    peer.script = ofCapture(name);
    expect(await outcomeOfDelivery()).toBe(expected);
    expect(peer.requests.at(-1)?.body.toString()).toBe(
      `ascSync=1&ascApiKey=${KEY_A}&ascAction=userStreamPostRemoval&ascData=user${count}%40example.com`,
    );
    // The address was kept for that, and no longer.
    expect(await site.db.query('SELECT email FROM oc_account_sync_seen WHERE email IS NOT NULL')).toEqual([]);
  });

  test('while it is not confirmed, the address is kept', async () => {
    const id = await newUser();
    peer.script = OK;
    await outcomeOfDelivery();
    await site.host.person.deleteAccount(id);
    await site.open.site.drain();
    peer.script = ofCapture('35-stream-peer-http-500');
    expect(await outcomeOfDelivery()).toBe('waits PEER_FAILED');
    expect(await site.db.query('SELECT email FROM oc_account_sync_seen WHERE email IS NOT NULL')).toHaveLength(1);
    await site.db.query('DELETE FROM oc_account_sync_outbox');
    await site.open.site.plugin.sweep();
    expect(await site.db.query('SELECT email FROM oc_account_sync_seen WHERE email IS NOT NULL')).toEqual([]);
  });
});

describe('as the answer to a request for a feed', () => {
  const once = { restart: true, once: true, dryRun: false, overwrite: false };

  test.each(Object.entries(TO_FEED))('%s', async (name, expected) => {
    peer.script = ofCapture(name);
    const sums = await site.open.site.feed('plugin', once);
    expect(sums.users).toBe(expected);
    const { message } = JSON.parse(capture(name).response.body.toString()) as { message: string };
    expect(sums.message).toBe(message);
  });

  test('masked passwords are never stored, and who is new with one is reported', async () => {
    const rows = await site.db.query<{ s_password: string }>(
      "SELECT s_password FROM oc_t_user WHERE s_email LIKE '%0_@example.com' OR s_email LIKE 'ann@%'",
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter((row) => row.s_password.includes('*') || row.s_password.endsWith('...'))).toEqual([]);
    const { logs } = await site.open.site.activity.query({ search: 'PASSWORD_MISSING', limit: 100 });
    expect(logs.length).toBeGreaterThan(0);
  });

  test('the request is as the plugin makes it', () => {
    expect(peer.requests.at(-1)).toMatchObject({ start: 'POST / HTTP/1.1' });
    const body = `ascSync=1&ascApiKey=${KEY_A}&ascAction=userFeedRequest&ascLastUserId=0`;
    expect(peer.requests.at(-1)?.body.toString()).toBe(body);
    expect(peer.requests.at(-1)?.headers.get('content-type')).toBe('application/x-www-form-urlencoded');
    expect(peer.requests.at(-1)?.headers.has('user-agent')).toBe(false);
  });
});
