import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const WEB = fileURLToPath(new URL('../../../web', import.meta.url));

/** Builds the page of `thread.ts`: the same parts as the product's, put together in two ways. */
export default {
  root: HERE,
  base: '/bench/',
  resolve: { alias: { '@': WEB } },
  build: { target: 'esnext', assetsInlineLimit: 0, chunkSizeWarningLimit: 10_000 },
  worker: { format: 'es' },
};
