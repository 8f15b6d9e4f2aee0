/**
 * Whose users a feed brings. A feed goes on above the highest id it has come to, and ids mean something only within one
 * installation: a peer that was reinstalled, or that runs another program, begins with others. Pure.
 */
import { createHash } from 'node:crypto';

/** Protocol and installation of a peer, as text of at most 191 characters. */
export type FeedOwner = string;

const LONGEST = 191;

/** Random id of an installation, as a daemon tells it in its hello and in {@link INSTALLATION}. */
export const INSTALLATION_PATTERN = '^[0-9a-f-]{36}$';

/** On a greeting: the installation of the caller. */
export const INSTALLATION = 'x-installation';

/** The id in a header, if it is one. */
export function installationIn(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && new RegExp(INSTALLATION_PATTERN).test(header) ? header : undefined;
}

/** `plugin URL`; of a URL that is too long its digest. */
export function pluginOwner(url: string): FeedOwner {
  const owner = `plugin ${url}`;
  return owner.length <= LONGEST ? owner : `plugin ${createHash('sha256').update(url).digest('hex')}`;
}

/** `native ID`; of a daemon of version 0.1.0, which tells no id, `native site NAME`. */
export function nativeOwner({
  installation,
  site,
}: {
  readonly installation?: string | undefined;
  readonly site: string;
}): FeedOwner {
  return installation === undefined ? `native site ${site}`.slice(0, LONGEST) : `native ${installation}`;
}

/** How a peer is configured, and what it last named as its installation; null: nothing is known. */
export interface PeerInstallation {
  readonly protocol: 'native' | 'plugin';
  readonly url: string;
  readonly installation: FeedOwner | null;
}

/** Whose users the next feed brings; null: the peer has not been heard since it runs a daemon. */
function presentOwner({ protocol, url, installation }: PeerInstallation): FeedOwner | null {
  return protocol === 'plugin' ? pluginOwner(url) : installation;
}

/** True if what is noted is of another protocol, or, as far as it is known, of another installation. */
export function isOfAnother(noted: FeedOwner, present: PeerInstallation): boolean {
  const owner = presentOwner(present);
  return protocolOf(noted) !== present.protocol || (owner !== null && owner !== noted);
}

/**
 * Why a feed from the start is due, in words; null: it is not. `fedOf`: whose users the last one brought that came to its
 * end; null: none did. Versions before noted the protocol alone (`native`), and daemons of 0.1.0 tell only a name: that
 * such a one is another installation is not said without knowing it.
 */
export function feedDue(fedOf: FeedOwner | null, present: PeerInstallation): string | null {
  if (fedOf === null) return 'No feed from it has come to its end yet.';
  if (protocolOf(fedOf) !== present.protocol) {
    return present.protocol === 'native'
      ? 'It runs a daemon now, and the last feed was one of the PHP plugin.'
      : 'It runs the PHP plugin now, and the last feed was one of a daemon.';
  }
  const owner = presentOwner(present);
  if (owner === null || owner === fedOf || fedOf === present.protocol) return null;
  if (present.protocol === 'plugin') return 'It has another address than at the last feed.';
  if (isNameAlone(owner) !== isNameAlone(fedOf)) return null;
  return 'It was reinstalled, or restored, since the last feed.';
}

/** True if a peer with a daemon is another installation than it was, as far as both said which. */
export function isReinstalled(noted: FeedOwner | null, present: FeedOwner): boolean {
  if (noted === null || isNameAlone(noted) || isNameAlone(present)) return false;
  return noted !== present && protocolOf(noted) === protocolOf(present);
}

function protocolOf(owner: FeedOwner): string {
  return owner.split(' ', 1)[0] as string;
}

function isNameAlone(owner: FeedOwner): boolean {
  return owner.startsWith('native site ');
}
