/** The OpenAPI 3.1 document, made from the schemas of the routes. */
import swagger from '@fastify/swagger';
import { PROTOCOL } from '../model/record.ts';
import { completeDocument } from './api-document.ts';
import type { App } from './request.ts';

const DESCRIPTION = `Keeps the users of several Osclass sites the same.

Peers use their own key, administrators the admin token, both as \`Authorization: Bearer KEY\`. More than 20 failed
authentications a minute from one address are answered with 429; calls with a valid key are not limited.

Every answer has \`X-Trace-Id\`: the id under which the call is in our log. A caller may give one of its own. What is no
HTTP, or comes too slowly, is answered with 400, 408 or 431, an unknown address with 404, all as \`ErrorAnswer\`.`;

/** Must be called before the routes are added. `prefix` stands before every address: `/account-sync`, or nothing. */
export async function describeApi(app: App, prefix: string): Promise<void> {
  await app.register(swagger, {
    convertConstToEnum: false,
    transformObject: (made) => ('openapiObject' in made ? completeDocument(made.openapiObject) : made.swaggerObject),
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'account-sync',
        version: PROTOCOL,
        description: DESCRIPTION,
        license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
      },
      servers: [{ url: prefix === '' ? '/' : prefix, description: 'This daemon' }],
      components: {
        securitySchemes: {
          peerSignature: {
            type: 'apiKey',
            in: 'header',
            name: 'Signature',
            description:
              'A signature of the calling site (RFC 9421, Ed25519) with Signature-Input, Content-Digest (RFC 9530) and ' +
              'Account-Sync-To, the name of this site. It covers @method, @path, @query, content-digest, account-sync-to, and ' +
              'content-type, content-encoding, x-call-back, x-called-back and x-installation where they are; parameters ' +
              'created, expires (at most 60 s later), keyid (the name of the calling site), nonce, alg="ed25519" and ' +
              'tag="osclass-account-sync". Never together with a key.',
          },
          peerKey: {
            type: 'http',
            scheme: 'bearer',
            description: '`site.api_key`, or `send_key` for this site, of a calling site without a `public_key` here',
          },
          adminToken: { type: 'http', scheme: 'bearer', description: '`http.admin_token`' },
        },
      },
      tags: [
        { name: 'peers', description: 'For other sites' },
        { name: 'admin', description: 'For administrators' },
        { name: 'plugin', description: 'For sites that run the PHP plugin' },
        { name: 'open', description: 'For anybody: no personal data, no names of peers' },
      ],
    },
  });
}
