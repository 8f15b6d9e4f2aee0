/** The part of `account-sync check` that says beforehand whose addresses count as proved, here and of each peer. */
import type { PeerConfig } from '../../config/config.ts';
import { isInstalled } from '../../db/migrate.ts';
import { TRUST_OF_A_PEER } from '../../model/proof.ts';
import type { Hello } from '../../model/record.ts';
import { readValidates } from '../../osclass/validation.ts';
import type { Site } from '../../site/site.ts';
import { countProved, readFirstSight } from '../../store/first-sight.ts';
import { ok, warn, type Finding } from './finding.ts';

const WAITS = 'where an account here has the address, it waits as EMAIL_UNPROVEN';

/** Of the accounts of this site, which every peer judges by its own entry for us. */
export async function checkAddresses({ db, snapshot }: Pick<Site, 'db' | 'snapshot'>): Promise<Finding[]> {
  const { catalog } = snapshot();
  const validates = await readValidates(db, catalog);
  const counted = (await isInstalled(db))
    ? await countProved(db, catalog, { didAtFirstSight: (await readFirstSight(db)) ?? validates })
    : undefined;
  const many = counted === undefined ? '' : `; ${counted.proved} of ${counted.known} accounts here are proved`;
  if (validates) return [ok('addresses', `Osclass validates them${many}`)];
  const remedy =
    "Turn on the validation of registrations in the settings of Osclass. Or peers say email_trust: verified in their entries for this site, only if its addresses are proved, or both sites are yours and you accept that whoever registers here with somebody else's address gets that account there.";
  return [warn('addresses', `Osclass does not validate them: who registers here has proved nothing${many}`, remedy)];
}

/** Of the accounts of a peer, by what it says of itself and what its entry says; and which of here a peer with the plugin is sent. */
export function judgeAddresses(hello: Pick<Hello, 'validates'> | 'plugin', peer: PeerConfig): Finding[] {
  const about = `peer ${peer.name}`;
  const isPlugin = hello === 'plugin';
  if (isPlugin && !peer.receive) return peer.send ? [judgeSent(peer)] : [];
  if (!peer.receive) return [];
  const validates = isPlugin ? undefined : hello.validates;
  const sent = isPlugin && peer.send ? [judgeSent(peer)] : [];
  if (peer.emailTrust === 'verified') {
    const counts = 'its active accounts count as proved here, whoever registered them (email_trust: verified)';
    return [ok(about, counts), ...sent];
  }
  if (peer.emailTrust === 'auto' && validates === true) return [ok(about, 'validates addresses')];
  const why =
    peer.emailTrust !== 'auto'
      ? `none of its addresses counts as proved here (email_trust: ${peer.emailTrust})`
      : validates === false
        ? 'does not validate addresses: who registers there has proved nothing'
        : 'is of a version that cannot tell whose addresses are proved: none counts';
  const wait = `Nothing: they go through once somebody proves them, or one by one (account-sync link EMAIL ${peer.name}).`;
  return [warn(about, `${why}; ${WAITS}`, `${wait} ${TRUST_OF_A_PEER}`), ...sent];
}

/** It writes what it is sent over whatever account has the address there. */
function judgeSent({ name, emailTrust }: PeerConfig): Finding {
  const about = `peer ${name}`;
  if (emailTrust === 'verified') {
    return ok(about, 'is sent all active accounts that were registered here, proved or not (email_trust: verified)');
  }
  return ok(
    about,
    'is sent only accounts of here that are proved, or known to be the same there; others wait in the outbox as EMAIL_UNPROVEN',
  );
}
