import { fileURLToPath } from 'node:url';

/** Builds the page of `tls.ts`. */
export default {
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: { target: 'esnext', assetsInlineLimit: 0 },
};
