/** The greeting that the plugin does not have. Pure. */
import { PROTOCOL, type Hello } from '../model/record.ts';

/** What is taken for granted of a peer: the plugin says nothing of itself, neither its zone nor its clock. */
export function helloOf(peer: string, nowMs: number): Hello {
  return {
    status: 'OK',
    site: peer,
    peer: '',
    protocols: [PROTOCOL],
    version: '',
    time: new Date(nowMs).toISOString(),
    timezone: false,
    receive: true,
    send: true,
    columns: { accept: [], send: [] },
  };
}
