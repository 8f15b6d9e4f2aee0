/** A database that lacks something: statements of one kind end in an error, as on a server that does not know them. */
import type { Kysely } from 'kysely';

/** `db`, on which statements that match end in this error; also those on a connection taken from it. */
export function refusing(db: Kysely<unknown>, pattern: RegExp, errno: number): Kysely<unknown> {
  const refuse = (statement: string): void => {
    if (pattern.test(statement)) throw Object.assign(new Error(`refused: ${statement.slice(0, 40)}`), { errno });
  };
  const guard = (target: Kysely<unknown>): Kysely<unknown> =>
    new Proxy(target, {
      get(of, name) {
        if (name === 'executeQuery') {
          return async (...call: Parameters<Kysely<unknown>['executeQuery']>) => {
            refuse('sql' in call[0] ? call[0].sql : call[0].compile().sql);
            return await of.executeQuery(...call);
          };
        }
        if (name === 'getExecutor') {
          return () => {
            const executor = of.getExecutor();
            return new Proxy(executor, {
              get(inner, key) {
                const value: unknown = Reflect.get(inner, key);
                if (key !== 'executeQuery') return typeof value === 'function' ? value.bind(inner) : value;
                return async (...call: Parameters<typeof executor.executeQuery>) => {
                  refuse(call[0].sql);
                  return await inner.executeQuery(...call);
                };
              },
            });
          };
        }
        if (name === 'connection') {
          return () => ({
            execute: async <T>(work: (connection: Kysely<unknown>) => Promise<T>): Promise<T> =>
              await of.connection().execute((connection) => work(guard(connection))),
          });
        }
        const value: unknown = Reflect.get(of, name);
        return typeof value === 'function' ? value.bind(of) : value;
      },
    });
  return guard(db);
}
