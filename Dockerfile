# The daemon as a small image: built with everything, run as a few files that need nothing else, not as root.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY rolldown.config.ts ./
COPY scripts/shipped.js scripts/sbom.js scripts/
COPY bin bin
COPY src src
# With the list of what is inside, /app/dist/sbom.cdx.json.
RUN npm run build && node scripts/sbom.js dist/sbom.cdx.json

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY sql sql
# "account-sync status" and all other commands, as "docker exec CONTAINER account-sync status".
RUN chmod 755 dist/account-sync.js && ln -s /app/dist/account-sync.js /usr/local/bin/account-sync
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 8470
ENV ACCOUNT_SYNC_CONFIG=/config/config.yaml
# Where the config says no http.host: nobody else reaches the loopback of a container.
ENV ACCOUNT_SYNC_HTTP_HOST=0.0.0.0
# Memory: docs/performance.md says what each of these is worth.
ENV MALLOC_ARENA_MAX=1
# Asks /health/ready of the daemon that the config describes, whatever its port and path.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["account-sync", "health"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "--heap-growing-percent=100", "--expose-gc", "/app/dist/account-sync.js"]
CMD ["run"]
