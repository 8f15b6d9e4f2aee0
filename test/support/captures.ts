/** The recorded exchanges of two real sites with the PHP plugin, as bytes and taken apart. */
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';

const FOLDER = new URL('../fixtures/plugin-wire/', import.meta.url);

/** Keys of the two recorded sites. */
export const KEY_A = 'AAAAAAAAAAAAAAAAAAAAaaaa1111';
export const KEY_B = 'BBBBBBBBBBBBBBBBBBBBbbbb2222';

/** One side of an exchange. */
export interface Message {
  readonly bytes: Buffer;
  /** `POST / HTTP/1.1`, or `HTTP/1.1 200 OK`. */
  readonly start: string;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Names of all captures: `01-stream-register-inactive`, in order. */
export function captureNames(): string[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.request'));
  return files.map((file) => file.replace('.request', '')).toSorted();
}

/** Takes an HTTP message apart. */
export function takeApart(bytes: Buffer): Message {
  const end = bytes.indexOf('\r\n\r\n');
  const [start = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { bytes, start, headers, body: bytes.subarray(end + 4) };
}

/** Both sides of a capture. */
export function capture(name: string): { readonly request: Message; readonly response: Message } {
  const read = (side: string): Message => takeApart(readFileSync(new URL(`${name}.${side}`, FOLDER)));
  return { request: read('request'), response: read('response') };
}

/** Sends bytes as they are and gives the answer. The first line says `Connection: close`, so that the answer has an end. */
export async function sendRaw(url: string, request: Buffer): Promise<Message> {
  const { hostname, port } = new URL(url);
  const head = request.indexOf('\r\n');
  const closing = Buffer.concat([
    request.subarray(0, head),
    Buffer.from('\r\nConnection: close'),
    request.subarray(head),
  ]);
  const parts: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(closing));
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('error', reject);
    socket.on('close', () => resolve());
  });
  return takeApart(Buffer.concat(parts));
}
