# syntax=docker/dockerfile:1
# Vigil without servers of its own: compose.yaml runs Redis and RabbitMQ beside it.
# bookworm: the ffmpeg of Debian 12 is the one whose timing Vigil was measured with.
FROM node:24-bookworm-slim AS build
WORKDIR /vigil
# First what changes rarely, so that an edit of the source installs nothing again.
COPY package.json package-lock.json ./
# No install scripts: the only one that matters would download a second ffmpeg.
RUN npm ci --include=dev --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle.mjs scripts/page.mjs ./scripts/
COPY src ./src
COPY web ./web
RUN npm run build \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
# util-linux: setpriv and flock, which tie ffmpeg to its parent. tini: as process 1, Node would neither reap what
# killed actors leave behind nor be ended by a signal it does not handle.
# hadolint ignore=DL3008 -- Debian keeps only the newest version of a package; its release fixes the rest
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg tini util-linux \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /vigil
COPY --from=build /vigil/package.json ./
COPY --from=build /vigil/node_modules ./node_modules
COPY --from=build /vigil/dist ./dist
# A new volume takes over the owner of the folder it covers.
RUN install -d -o node -g node -m 0750 /var/lib/vigil
USER node
VOLUME /var/lib/vigil
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "node", "dist/main.js"]
CMD ["--config", "/etc/vigil/actors.json", "--data-dir", "/var/lib/vigil"]
