/** What is wrong with the tables of the host, told to the log. */
import { ERRORS } from '../model/errors.ts';
import type { Log } from '../runtime/logger.ts';
import type { Site } from '../site/site.ts';

/** A report of what was found when the host was last looked at; each time it is other than before, and not else. */
export function makeProblemReport(site: Pick<Site, 'problems'>, log: Log): () => void {
  let told = '';
  return () => {
    const { missing, unfit } = site.problems();
    const now = JSON.stringify([missing, unfit]);
    if (now === told) return;
    told = now;
    const { remedy } = ERRORS.HOST_PART_MISSING;
    if (missing.length > 0) log.error({ missing, remedy }, 'what was synchronised is not there any more');
    for (const one of unfit) log.error({ ...one }, 'a table of the site is not as Osclass makes it');
  };
}
