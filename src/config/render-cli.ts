/** `npm run render:config`: writes config.example.yaml and config.schema.json into the project's folder. */
import { writeFileSync } from 'node:fs';
import { renderExample } from './render-example.ts';
import { renderJsonSchema } from './render-json-schema.ts';

const root = new URL('../../', import.meta.url);
writeFileSync(new URL('config.example.yaml', root), renderExample());
writeFileSync(new URL('config.schema.json', root), `${JSON.stringify(renderJsonSchema(), null, 2)}\n`);
process.stdout.write('config.example.yaml and config.schema.json written\n');
