import path from 'node:path';
import type { NextConfig } from 'next';
import createNextIntlPlugin from 'next-intl/plugin';
import messages from './messages/en.json' with { type: 'json' };
import pkg from './package.json' with { type: 'json' };

/**
 * A static export: the page a person trusts is a set of files that can be hosted, hashed and audited apart from the
 * relay. The build id is the version, so two builds of one commit are the same bytes.
 */
const config: NextConfig = {
  output: 'export',
  trailingSlash: true,
  reactStrictMode: true,
  poweredByHeader: false,
  productionBrowserSourceMaps: false,
  generateBuildId: () => pkg.version,
  // The words of a crash are inlined: where they are needed, nothing else can be counted on.
  env: { FAIRLEAD_VERSION: pkg.version, FAIRLEAD_CRASH: JSON.stringify(messages.crash) },
  transpilePackages: ['@fairlead/protocol', '@fairlead/contract'],
  // Types are checked by `tsc` on their own (npm run types); checking them twice only slows the build.
  typescript: { ignoreBuildErrors: true },
  turbopack: { root: path.join(import.meta.dirname, '..') },
  experimental: { sri: { algorithm: 'sha384' } },
};

/** Messages are compiled at build time, so no message parser travels to the browser. */
const withMessages = createNextIntlPlugin({
  requestConfig: './i18n/request.ts',
  experimental: { messages: { path: './messages', locales: 'infer', format: 'json', precompile: true } },
});

export default withMessages(config);
