/** The part of `account-sync check` that looks for the PHP plugin on our own site: two engines at once do each other's work. */
import { readInstalledPlugin } from '../../plugin/installed.ts';
import type { Site } from '../../site/site.ts';
import { ok, warn, type Finding } from './finding.ts';
import { formatCount } from '../../runtime/figures.ts';

const ABOUT = 'PHP plugin';
const CRON = 'oc-content/plugins/account_sync/cron.php';

/** Nothing to say if the plugin is not installed. */
export async function checkOwnPlugin({ db, snapshot, config }: Site): Promise<Finding[]> {
  const plugin = await readInstalledPlugin(db, snapshot().catalog);
  if (plugin === undefined) return [];
  const { users, removals } = plugin.waiting;
  const queued = `${formatCount(users, 'user')} and ${formatCount(removals, 'removal')}`;
  const cronUrl = `${config.site.url}${CRON}`;
  if (plugin.isActive) {
    const remedy = `Call ${cronUrl}, so that it sends what it has queued (${queued}); then disable it in Osclass.`;
    return [warn(ABOUT, '"Account Synchronization" is active on this site: two engines send and take users', remedy)];
  }
  if (users + removals === 0) return [ok(ABOUT, '"Account Synchronization" is installed on this site, and off')];
  const remedy = `Enable it, call ${cronUrl}, and disable it again.`;
  return [warn(ABOUT, `"Account Synchronization" is off, and never sent ${queued}`, remedy)];
}
