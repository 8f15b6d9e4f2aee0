/** The OpenAPI 3.1 document, made from the schemas of the routes. */
import swagger from '@fastify/swagger';
import { PROTOCOL } from '../model/record.ts';
import { ErrorAnswer } from './answers.ts';
import type { App } from './request.ts';

/** What every route behind a key may answer besides success. */
export const FAILURES = {
  '4xx': { description: 'The request cannot be served as it is', ...ErrorAnswer },
  '5xx': { description: 'We cannot serve it now', ...ErrorAnswer },
} as const;

/** Must be called before the routes are added. */
export async function describeApi(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'account-sync',
        version: PROTOCOL,
        description:
          'Keeps the users of several Osclass sites the same. Peers use their own key, administrators the admin token.',
      },
      components: {
        securitySchemes: {
          peerKey: { type: 'http', scheme: 'bearer', description: '`site.api_key` of the calling site' },
          adminToken: { type: 'http', scheme: 'bearer', description: '`http.admin_token`' },
        },
      },
      tags: [
        { name: 'peers', description: 'For other sites' },
        { name: 'admin', description: 'For administrators' },
        { name: 'open', description: 'For anybody: no personal data, no names of peers' },
      ],
    },
  });
}
