/** The part of `account-sync check` that asks the peers what they think of us. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Config, PeerConfig } from '../../config/config.ts';
import { PROTOCOL, SIGNATURES, type Hello } from '../../model/record.ts';
import type { ColumnList } from '../../model/policy.ts';
import { DESCRIPTION, registerOfColumn } from '../../model/register.ts';
import { makeKeyDigest } from '../../peer/key-digest.ts';
import { makeOwnCredentials, ownIdentity, type Way } from '../../peer/own-credentials.ts';
import { makePeerClient, type PeerClient } from '../../peer/client.ts';
import { newTrace } from '../../runtime/trace.ts';
import { SyncError } from '../../model/errors.ts';
import { answersAsPlugin, checkPluginPeer } from './plugin-peer.ts';
import { judgeAddresses } from './addresses.ts';
import { openCallBackCheck, type CallBackCheck } from './call-back.ts';
import { judgeKeys } from './keys.ts';
import { clockFinding, fail, failed, ok, warn, type Finding } from './finding.ts';

/** A peer that takes longer is said not to answer; in the end whoever waits is a person. */
const PATIENCE_MS = 15_000;
/** A request with users is about as large, compressed. */
const LARGE_BYTES = 700_000;
/** A peer that was asked for a call back just now is asked again after so long. */
const CALL_BACK_EVERY_MS = 1_100;
const MOST_TRIES = 5;
const NO_STORE = 'See that whatever stores answers there (a cache, a CDN) leaves out the path of the daemon.';
const NO_GZIP =
  'Nothing breaks: the daemon sends plain then. To spare traffic, allow Content-Encoding there for the path of the daemon (rule 920450 of the OWASP rule set).';

/** All peers at the same time. What the database has to tell of their calls is left out while it is away. */
export async function checkPeers(config: Config): Promise<Finding[]> {
  const callBackCheck = openCallBackCheck(config);
  try {
    return (await Promise.all(config.peers.map((peer) => checkPeer(config, peer, callBackCheck)))).flat();
  } finally {
    await callBackCheck.close();
  }
}

async function checkPeer(config: Config, peer: PeerConfig, callBackCheck: CallBackCheck): Promise<Finding[]> {
  const about = `peer ${peer.name}`;
  if (peer.protocol === 'plugin') return await checkPluginPeer(config, peer);
  const { site } = config;
  const { memory } = callBackCheck;
  const credentials = makeOwnCredentials(ownIdentity(config, peer), {
    memory,
    keyDigest: makeKeyDigest(config),
    nowMs: Date.now,
  });
  const client = makePeerClient({ url: peer.url, credentials, site: site.name, totalTimeoutMs: PATIENCE_MS });
  try {
    const askedAtMs = Date.now();
    const hello = await client.hello({ trace: newTrace() });
    // Its clock was read about half-way between question and answer.
    const middleMs = (askedAtMs + Date.now()) / 2;
    const clock = clockFinding(about, 'its', middleMs - Date.parse(hello.time));
    const findings = [...judgeHello(hello, config, peer, credentials.way()), ...(clock.result === 'ok' ? [] : [clock])];
    if (findings[0]?.result === 'fail') return findings;
    if (peer.send && hello.receive) findings.push(...(await checkSending(client, about)));
    return [...findings, ...(await checkAgain(client, hello, peer, callBackCheck))];
  } catch (error) {
    const isOther = error instanceof SyncError && error.code === 'PEER_BAD_ANSWER';
    if (!isOther || !(await answersAsPlugin(peer))) return [failed(about, error)];
    return [fail(about, 'runs the PHP plugin, not account-sync', `Give it "protocol: plugin".`)];
  } finally {
    await client.close();
  }
}

/** Users go by POST, compressed, and many at once: what lets a greeting through need not let those through. */
async function checkSending(client: PeerClient, about: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    if ((await client.probe({ trace: newTrace() })) === 'plain') {
      findings.push(warn(about, 'compressed requests are refused in front of it', NO_GZIP));
    }
  } catch (error) {
    const { message, remedy } = failed(about, error);
    return [fail(about, `a greeting gets there, but users do not: ${message}`, remedy ?? '')];
  }
  try {
    await client.weigh(LARGE_BYTES, { trace: newTrace() });
  } catch (error) {
    const { message, remedy } = failed(about, error);
    const what = `requests of ${LARGE_BYTES / 1000} KB do not get there, so users go in many small ones: ${message}`;
    findings.push(warn(about, what, remedy ?? ''));
  }
  return findings;
}

/** A second greeting: it asks to be called back, and must not be answered as the first was. */
async function checkAgain(
  client: PeerClient,
  first: Hello,
  peer: PeerConfig,
  callBackCheck: CallBackCheck,
): Promise<Finding[]> {
  const about = `peer ${peer.name}`;
  const asked = await callBackCheck.ask();
  const greet = (): Promise<Hello> =>
    client.hello({ trace: newTrace(), ...(asked === undefined ? {} : { callBack: asked.headers }) });
  let hello = await greet();
  // It calls back once a second, whoever asks.
  for (let tries = 1; hello.called_back?.code === 'RATE_LIMITED' && tries < MOST_TRIES; tries += 1) {
    await wait(CALL_BACK_EVERY_MS);
    hello = await greet();
  }
  if (hello.time === first.time) {
    return [fail(about, 'answers come out of a cache in front of it: the same one came twice', NO_STORE)];
  }
  return asked === undefined ? [] : [await asked.judge(hello, peer)];
}

function judgeHello(hello: Hello, config: Config, peer: PeerConfig, way: Way): Finding[] {
  const { site } = config;
  const about = `peer ${peer.name}`;
  if (hello.site === site.name) {
    return [fail(about, `${peer.url} answers as ${hello.site}: that is us`, 'Correct the url of the peer.')];
  }
  if (!hello.protocols.includes(PROTOCOL)) {
    const spoken = hello.protocols.join(', ');
    return [fail(about, `speaks ${spoken}, not ${PROTOCOL}`, 'Install versions of account-sync that fit each other.')];
  }
  const findings = [
    ok(about, `account-sync ${hello.version} answers and knows our ${way}; ${directions(hello, peer)}`),
  ];
  if (hello.site !== peer.name) {
    const remedy = `If the url is right, name the entry ${hello.site} here.`;
    findings.push(fail(about, `calls itself ${hello.site}: what it sends as that is refused`, remedy));
  }
  if (hello.peer !== site.name) {
    const isStrict = hello.features?.includes(SIGNATURES) === true;
    const remedy = `Name the entry with our key ${site.name} there.`;
    findings.push(
      (isStrict ? fail : warn)(about, `calls us ${hello.peer}${isStrict ? ': what we send is refused' : ''}`, remedy),
    );
  }
  if (peer.send && !hello.receive) {
    const remedy = `Set receive: true for us there, or send: false for ${peer.name} here.`;
    findings.push(fail(about, 'takes nothing from us, though we send to it', remedy));
  }
  if (hello.send && !peer.receive) {
    const remedy = `Set send: false for us there, or receive: true for ${peer.name} here.`;
    findings.push(warn(about, 'sends to us, though we take nothing from it', remedy));
  }
  if (peer.receive && !hello.send) {
    findings.push(
      warn(about, 'sends us nothing', `Set send: true for us there, or receive: false for ${peer.name} here.`),
    );
  }
  return [
    ...findings,
    ...judgeKeys(hello, config, peer),
    ...judgeWayBack(hello, peer),
    ...judgeColumns(hello, peer),
    ...judgeAddresses(hello, peer),
  ];
}

/** Its calls to us: whether they get here. Older versions do not tell. */
function judgeWayBack({ failing_since: since = null }: Hello, peer: PeerConfig): Finding[] {
  const about = `peer ${peer.name}`;
  if (since === null) return [];
  const remedy = 'Run "account-sync check" there: the url or the key of its entry for us may be wrong.';
  return [fail(about, `its own calls to us fail since ${since}`, remedy)];
}

/** Columns that are named here, and that the other side passes over. */
function judgeColumns({ columns }: Hello, peer: PeerConfig): Finding[] {
  const about = `peer ${peer.name}`;
  const without = (list: ColumnList, theirs: readonly string[]): string[] =>
    typeof list === 'string' ? [] : list.filter((name) => name !== DESCRIPTION && !isIn(name, theirs));
  const unwanted = without(peer.sendColumns, columns.accept);
  const unsent = without(peer.columns, columns.send);
  return [
    ...(unwanted.length === 0
      ? []
      : [
          warn(
            about,
            `does not take ${unwanted.join(', ')}`,
            `Add them to columns of its entry for us, or take them out of send_columns here.`,
          ),
        ]),
    ...(unsent.length === 0
      ? []
      : [
          warn(
            about,
            `does not send ${unsent.join(', ')}`,
            `Add them to send_columns of its entry for us, or take them out of columns here.`,
          ),
        ]),
  ];
}

/** Naming one column of a group names the group. */
function isIn(name: string, list: readonly string[]): boolean {
  const register = registerOfColumn(name);
  return list.some((one) => one === name || registerOfColumn(one) === register);
}

function directions(hello: Hello, peer: PeerConfig): string {
  const out = peer.send && hello.receive;
  const back = peer.receive && hello.send;
  return out && back ? 'users go both ways' : out ? 'users go there only' : back ? 'users come only' : 'no users go';
}
