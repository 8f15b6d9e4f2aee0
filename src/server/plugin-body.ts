/** The form of a call in the PHP plugin's protocol. Its key is a field of it, so a little is read before anybody is known. */
import type { Readable } from 'node:stream';
import { SyncError } from '../model/errors.ts';
import { rawField } from '../plugin/form.ts';
import type { BodyShare } from './body-budget.ts';

/** The key has to be within so many bytes; the plugin sends it as the second field. */
const KEY_WITHIN = 64 * 1024;
/** A row of the plugin is some kilobytes; texts of several languages are the most of it. */
export const MOST_BYTES = 1024 * 1024;

/** What is told of a form before all of it is there. */
export interface FormHead {
  /** Undefined: there is none. */
  readonly key: string | undefined;
  /** The form says to be of this protocol. */
  readonly isCall: boolean;
  readonly action: string | undefined;
}

/** How it is read. */
export interface FormReader {
  /** Bytes of callers who are not known yet. */
  readonly unknown: BodyShare;
  /** Called once. Throws what the caller is told, and gives what further bytes are taken from otherwise. */
  readonly identify: (head: FormHead) => Promise<BodyShare>;
}

/** Reads the form to its end. Throws `BODY_TOO_LARGE`, `OVERLOADED`, and what `identify` throws, without reading on. */
export async function readPluginForm(payload: Readable, { unknown, identify }: FormReader): Promise<Buffer> {
  let parts: Buffer[] = [];
  let [size, looked] = [0, 0];
  let share: BodyShare | undefined;
  const head = (isWhole: boolean): FormHead => {
    const read = Buffer.concat(parts);
    parts = [read];
    looked = size;
    const start = read.subarray(0, KEY_WITHIN).toString('latin1');
    // Of a field that the last `&` does not close, there may be more to come.
    const fields = isWhole && size <= KEY_WITHIN ? start : start.slice(0, Math.max(0, start.lastIndexOf('&')));
    const field = (name: string): string | undefined => rawField(fields, name);
    return { key: field('ascApiKey'), isCall: field('ascSync') === '1', action: field('ascAction') };
  };

  for await (const chunk of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new SyncError('BODY_TOO_LARGE');
    parts.push(chunk);
    if (share !== undefined) {
      share.take(chunk.length);
      continue;
    }
    // Each look copies what is there: at twice the size, all of them together cost no more than two.
    const isLook = size >= 2 * looked || size >= KEY_WITHIN;
    const known = isLook ? head(false) : undefined;
    if (known !== undefined && (known.key !== undefined || size >= KEY_WITHIN)) {
      share = await identify(known);
      unknown.release();
      share.take(size);
    } else {
      unknown.take(chunk.length);
    }
  }
  if (share === undefined) {
    share = await identify(head(true));
    unknown.release();
    share.take(size);
  }
  return Buffer.concat(parts);
}
