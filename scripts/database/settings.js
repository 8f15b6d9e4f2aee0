/** How the servers are set, wherever they run: small, and else not so different from a site's. */

/** @typedef {'mariadb' | 'mysql'} ServerKind */

/**
 * MySQL keeps its binary log, which is on by default there and changes who may create triggers (error 1419);
 * MariaDB's is off by default.
 *
 * @param {ServerKind} kind
 * @param {boolean} durable every commit is on disk before it is confirmed
 * @returns {string[]}
 */
export function settingsOf(kind, durable) {
  const every = ['--max-connections=400', '--innodb-buffer-pool-size=256M', '--performance-schema=OFF'];
  const ofMysql = ['--loose-mysqlx=OFF', '--server-id=1', '--log-bin-trust-function-creators=1'];
  const quick = ['--innodb-flush-log-at-trx-commit=2', '--sync-binlog=0'];
  return [...every, ...(kind === 'mysql' ? ofMysql : []), ...(durable ? [] : quick)];
}
