/** Signed requests on the routes for peers: the header is judged first, then the bytes of the body, before anything is expanded. */
import type { FastifyRequest } from 'fastify';
import type { ServerDeps } from './deps.ts';

type Caller = NonNullable<FastifyRequest['caller']>;

/**
 * Who signed the request. The body is compared when it is read.
 *
 * @param refuse makes what the caller is told of a reason, which goes to the log
 * @throws what `refuse` makes
 */
export async function identifySigned(
  request: FastifyRequest,
  deps: Pick<ServerDeps, 'identifySigned' | 'basePath' | 'publicPath'>,
  refuse: (reason: string) => Promise<Error>,
): Promise<Caller> {
  const judged = await deps.identifySigned({
    method: request.method,
    target: publicTarget(request.url, deps.basePath, deps.publicPath()),
    headers: request.headers,
  });
  if (judged.kind === 'refused') throw await refuse(judged.reason);
  const { kind, name, keyDigest, judgeBody } = judged;
  request.provesBody = async (body) => {
    const wrong = judgeBody(body);
    if (wrong !== undefined) throw await refuse(wrong.reason);
  };
  return { kind, name, keyDigest };
}

/** The path and query of a request as whoever called a proxy in front of us sees them. */
function publicTarget(url: string, basePath: string, publicPath: string): string {
  const base = basePath.replace(/\/$/, '');
  return url.startsWith(`${base}/`) ? publicPath.replace(/\/$/, '') + url.slice(base.length) : url;
}
