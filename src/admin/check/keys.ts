/** The parts of `account-sync check` that are about keys of links: what peers are known by here, and we there. */
import type { Config, PeerConfig } from '../../config/config.ts';
import { SIGNATURES, type Hello } from '../../model/record.ts';
import { fingerprintOf, publicHalf } from '../../model/signing-key.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

const STEPS = 'See "Signatures instead of keys" in docs/operating.md.';

/** What the config alone says. */
export function checkLinkKeys({ site, peers }: Config): Finding[] {
  const native = peers.filter(({ protocol }) => protocol === 'native');
  const unsigned = native.filter(({ publicKeys }) => publicKeys.length === 0).map(({ name }) => name);
  return [
    ...(native.length === 0
      ? []
      : [site.signingKey === null ? NO_SIGNING_KEY : signsAs(fingerprintOf(publicHalf(site.signingKey)))]),
    ...(unsigned.length === 0
      ? []
      : [
          warn(
            'signatures',
            `no public_key here of ${unsigned.join(', ')}: whoever learns a key of theirs can call as they do`,
            `Put the public key of each into its entry. ${STEPS}`,
          ),
        ]),
    ...checkSharedKeys(site.signingKey !== null, peers),
  ];
}

const NO_SIGNING_KEY = warn(
  'signatures',
  'no site.signing_key: every peer gets a key that it could show to others',
  `"account-sync key --pair" prints a pair. ${STEPS}`,
);

function signsAs(fingerprint: string): Finding {
  return ok('signatures', `this site signs as ${fingerprint}`);
}

/** One key that is shown to several peers: each of them can be us to the others. Peers that take our signature are shown none. */
function checkSharedKeys(signs: boolean, peers: readonly PeerConfig[]): Finding[] {
  const byKey = new Map<string, string[]>();
  for (const { name, protocol, publicKeys, sendKey } of peers) {
    if (signs && protocol === 'native' && publicKeys.length > 0) continue;
    byKey.set(sendKey, [...(byKey.get(sendKey) ?? []), name]);
  }
  return [...byKey.values()]
    .filter((names) => names.length > 1)
    .map((names) =>
      warn(
        'keys',
        `${names.join(', ')} are shown the same key: each of them can call the others as this site`,
        'Give each entry a send_key of its own, which is the api_key of its entry for us there; or use signatures.',
      ),
    );
}

/** What a peer says of its own key, and of ours. Versions before signatures say nothing. */
export function judgeKeys(hello: Hello, { site }: Config, peer: PeerConfig): Finding[] {
  return [...judgeTheirs(hello, peer), ...judgeOurs(hello, site, peer)];
}

function judgeTheirs({ public_key: theirs, version }: Hello, peer: PeerConfig): Finding[] {
  const about = `peer ${peer.name}`;
  const pinned = peer.publicKeys.map(fingerprintOf);
  if (pinned.length === 0) {
    if (typeof theirs !== 'string') return [];
    const remedy = `Get the public key itself from its operator, compare, and put it into public_key of its entry here. ${STEPS}`;
    return [warn(about, `says that it signs as ${theirs}, and has no public_key here`, remedy)];
  }
  if (theirs === undefined || theirs === null) {
    const why = theirs === null ? 'has no site.signing_key' : `is account-sync ${version}, which signs nothing`;
    return [
      fail(
        about,
        `has a public_key here, but ${why}: its calls are refused`,
        'Give it one, or take public_key out here.',
      ),
    ];
  }
  if (pinned.includes(theirs)) return [ok(about, `signs as ${theirs}, as its entry here says`)];
  const remedy = 'Ask its operator which is right, and put that public key into public_key of its entry here.';
  return [fail(about, `signs as ${theirs}, but its entry here has ${pinned.join(' and ')}`, remedy)];
}

function judgeOurs({ known_keys: known, features }: Hello, site: Config['site'], peer: PeerConfig): Finding[] {
  if (site.signingKey === null || known === undefined || features?.includes(SIGNATURES) !== true) return [];
  const ours = publicHalf(site.signingKey);
  if (known.includes(fingerprintOf(ours))) return [];
  const remedy = `Have its operator put this into its entry for us: public_key: ${ours}`;
  return [warn(`peer ${peer.name}`, `does not have our public key ${fingerprintOf(ours)}, and is shown a key`, remedy)];
}
