import { fileURLToPath } from 'node:url';

const isBare = process.env['FAIRLEAD_BENCH_BARE'] === '1';

/** Builds the secured stream, all below it and the judgement of certificates as one script, with noble or without it. */
export default {
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: {
    target: 'esnext',
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: fileURLToPath(new URL(process.env['FAIRLEAD_BENCH_ENTRY'] ?? 'download.ts', import.meta.url)),
      preserveEntrySignatures: 'strict',
      external: isBare ? [/^@noble\//] : [],
    },
  },
};
