/** The routes that need an open site, in a server that listens before there is one. */
import type { SiteDeps } from './site-routes.ts';

/** @param site the routes of the open site, asked at each call; throws as long as there is none */
export function lateRoutes(site: () => SiteDeps): SiteDeps {
  return {
    hello: (...args) => site().hello(...args),
    serveFeed: (...args) => site().serveFeed(...args),
    acceptStream: (...args) => site().acceptStream(...args),
    servePlugin: async (...args) => await site().servePlugin(...args),
    queryLogs: (...args) => site().queryLogs(...args),
    listPeers: () => site().listPeers(),
    peerDetail: (...args) => site().peerDetail(...args),
    feedControl: {
      start: (...args) => site().feedControl.start(...args),
      follow: (...args) => site().feedControl.follow(...args),
      progress: (...args) => site().feedControl.progress(...args),
      stop: (...args) => site().feedControl.stop(...args),
    },
    runStream: () => site().runStream(),
    pending: (...args) => site().pending(...args),
    parked: {
      list: (...args) => site().parked.list(...args),
      retry: (...args) => site().parked.retry(...args),
      drop: (...args) => site().parked.drop(...args),
    },
    approve: (...args) => site().approve(...args),
    link: (...args) => site().link(...args),
    unlink: (...args) => site().unlink(...args),
  };
}
