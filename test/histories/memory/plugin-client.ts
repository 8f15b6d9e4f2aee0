/** Stands in for src/plugin/client.ts: calls reach scripted plugins in this process. Answers are read as they are there. */
import { readPluginAnswer, type PluginClient, type PluginClientOptions } from '../../../src/plugin/client.ts';
import { SyncError } from '../../../src/model/errors.ts';
import { encodeForm } from '../../../src/plugin/wire.ts';

/** What answers at an address; undefined: nothing comes back. */
export type Answering = (form: string) => Promise<{ readonly http: number; readonly body: string } | undefined>;

/** Who listens, by address. */
export const LISTENING = new Map<string, Answering>();

export function makePluginClient({ url, apiKey }: PluginClientOptions): PluginClient {
  return {
    async call(action, fields) {
      const form = encodeForm([['ascSync', '1'], ['ascApiKey', apiKey], ['ascAction', action], ...fields]);
      const answer = await LISTENING.get(url)?.(form);
      if (answer === undefined) throw new SyncError('PEER_UNREACHABLE', 'nothing came back');
      return readPluginAnswer({ status: answer.http, headers: {}, text: answer.body }, new URL('http://plugin.test/'));
    },
    close: () => Promise.resolve(),
  };
}

export { greet, probe, readPluginAnswer } from '../../../src/plugin/client.ts';
