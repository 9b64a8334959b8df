/** The floor plan: which room a file belongs to, and what each room may import. */

/** A room's row in the table. Names: a room, `npm:<package>` or `node` for Node's own modules. */
export interface Room {
  readonly name: string;
  /** The folder it is, or "" for the files directly in `packages/protocol/src`. */
  readonly folder: string;
  readonly mayImport: readonly string[];
  /** What it may import as types only. */
  readonly mayImportTypes?: readonly string[];
  /** What its tests may import besides. */
  readonly testsMayImport?: readonly string[];
}

const CORE = 'packages/protocol/src';
const CORE_ROOMS = [
  ...['bytes', 'crypto', 'codec', 'http', 'road', 'proxy-settings', 'tls', 'auth', 'seal', 'wsman', 'shell', 'session'],
];
/** A core test may set a scene with any room's open door; private files stay private. */
const CORE_TESTS = ['root', 'testing', 'adapters', ...CORE_ROOMS, 'npm:ntlm-client', 'npm:@noble', 'node'];
const PEERS = [
  'protocol',
  'protocol/road',
  'protocol/relay',
  'protocol/node',
  'protocol/proxy-tls',
  'protocol/proxy-settings',
  'protocol/testing',
];

function core(name: string, mayImport: readonly string[], mayImportTypes: readonly string[] = []): Room {
  return {
    name,
    folder: `${CORE}/${name}`,
    mayImport: ['root', ...mayImport],
    mayImportTypes,
    testsMayImport: CORE_TESTS,
  };
}

/** Every room. The order does not matter: the longest matching folder wins. */
export const ROOMS: readonly Room[] = [
  // An opened road is a value that names a byte stream; the type is all it needs of it.
  { name: 'root', folder: CORE, mayImport: [], mayImportTypes: ['bytes'], testsMayImport: CORE_TESTS },
  core('bytes', []),
  core('crypto', ['bytes', 'npm:@noble']),
  core('codec', ['bytes', 'npm:saxes']),
  core('http', ['bytes']),
  core('road', ['bytes', 'http']),
  core('proxy-settings', ['road', 'npm:acorn']),
  core('tls', ['bytes', 'crypto', 'codec', 'npm:@noble']),
  core('auth', ['bytes', 'crypto', 'codec', 'tls', 'npm:@noble']),
  core('seal', ['bytes']),
  core('wsman', ['bytes', 'codec', 'http', 'seal']),
  core('shell', ['bytes', 'codec', 'wsman']),
  core('session', ['bytes', 'codec', 'http', 'road', 'tls', 'auth', 'seal', 'wsman', 'shell']),
  // node-socket.ts is also the Node entrance of the package: it may hand on the walk it is made for.
  core('adapters', ['bytes', 'contract', 'road', 'node']),
  core('testing', ['bytes', 'adapters', ...CORE_ROOMS, 'node', 'npm:fast-check']),
  // Our own rooms against strangers: nothing imports it.
  {
    name: 'interop',
    folder: 'packages/protocol/interop',
    mayImport: ['root', ...CORE_ROOMS, 'adapters', 'testing', 'node'],
  },
  { name: 'contract', folder: 'packages/contract/src', mayImport: ['npm:zod'], testsMayImport: ['node'] },
  {
    name: 'testbed',
    folder: 'packages/testbed',
    mayImport: [...PEERS, 'root', ...CORE_ROOMS, 'adapters', 'testing', 'npm:zod', 'node'],
    testsMayImport: ['cli'],
  },
  {
    name: 'cli',
    folder: 'packages/cli',
    mayImport: [
      ...['protocol', 'protocol/node', 'protocol/proxy-tls', 'protocol/pac-file', 'protocol/proxy-settings'],
      ...['protocol/road', 'web/messages', 'node'],
    ],
    testsMayImport: ['testbed', 'protocol/testing'],
  },
  {
    name: 'relay',
    folder: 'relay',
    mayImport: [
      'contract',
      'protocol/road',
      'protocol/proxy-tls',
      'protocol/pac-file',
      'npm:zod',
      'npm:ws',
      'npm:undici',
      'npm:pino',
      'npm:prom-client',
      'node',
    ],
    testsMayImport: [
      ...['protocol', 'protocol/testing', 'protocol/relay', 'protocol/node', 'protocol/proxy-settings'],
      'testbed',
    ],
  },
  {
    name: 'web/features',
    folder: 'web/features',
    mayImport: [
      'protocol',
      'protocol/relay',
      'protocol/proxy-settings',
      'contract',
      'web/components',
      'web/lib',
      'npm:react',
      'npm:react-dom',
      'npm:next',
      'npm:next-intl',
      'npm:@xterm',
    ],
    testsMayImport: ['protocol/testing', 'web/messages', 'node'],
  },
  {
    name: 'web/components',
    folder: 'web/components',
    mayImport: ['web/lib', 'web/messages', 'contract', 'npm:react', 'npm:react-dom', 'npm:next', 'npm:next-intl'],
    mayImportTypes: ['protocol'],
    testsMayImport: ['web/messages', 'node'],
  },
  {
    name: 'web/lib',
    folder: 'web/lib',
    // Errors are values: the relay's answers become ours here.
    mayImport: ['protocol', 'contract', 'web/messages'],
    testsMayImport: ['protocol', 'node'],
  },
  {
    name: 'web/app',
    folder: 'web/app',
    mayImport: [
      'web/features',
      'web/components',
      'web/lib',
      'web/messages',
      'npm:react',
      'npm:next',
      'npm:next-intl',
      'npm:@fontsource',
      'npm:@fontsource-variable',
    ],
    mayImportTypes: [],
    testsMayImport: ['node'],
  },
  { name: 'web/messages', folder: 'web/messages', mayImport: [] },
  { name: 'web/scripts', folder: 'web/scripts', mayImport: ['node'] },
  // Configuration files at the root of web: they name tools, and no room imports them.
  {
    name: 'web',
    folder: 'web',
    mayImport: ['node', 'npm:next', 'npm:next-intl', 'web/messages', 'web/lib'],
    testsMayImport: [],
  },
  {
    name: 'scripts',
    folder: 'scripts',
    mayImport: ['top', 'node', 'root', 'npm:typescript', 'web/messages', 'contract', 'relay', 'testbed', 'cli'],
  },
  {
    name: 'e2e',
    folder: 'e2e',
    mayImport: [
      ...PEERS,
      // The benchmarks measure TLS by itself.
      'tls',
      'contract',
      'relay',
      'testbed',
      'cli',
      'web/messages',
      'scripts',
      'node',
      'npm:playwright',
      'npm:playwright-core',
      'npm:@axe-core',
      'npm:ws',
      'npm:vitest',
    ],
    // The openssl command is set against the TLS room itself, which has no door of its own.
    testsMayImport: ['root', 'tls'],
  },
  // Puts the product's own parts together in two ways, to measure which is better.
  {
    name: 'e2e/bench/page',
    folder: 'e2e/bench/page',
    mayImport: ['protocol', 'protocol/relay', 'e2e', 'web/features', 'node'],
  },
];

/**
 * The core's driver and type files: only these may say `async`, `await` or `Promise`. Everything else in the core is
 * pure, so that a conversation can be tested without time. `adapters` and `testing` are drivers as a whole.
 */
export const DRIVER_FILES: ReadonlySet<string> = new Set(
  [
    'opened-road.ts',
    'platform.ts',
    'bytes/stream.ts',
    'http/connection.ts',
    'http/converse.ts',
    'bytes/deadline.ts',
    'road/walk.ts',
    'road/_connect.ts',
    'road/_socks.ts',
    'tls/stream.ts',
    'wsman/lane.ts',
    'wsman/client.ts',
    'shell/shell.ts',
    'shell/winrs.ts',
    'shell/_output.ts',
    'shell/_input.ts',
    'session/session.ts',
    'session/_open.ts',
    'session/identify.ts',
    'session/affinity.ts',
    'session/road-choice.ts',
    'session/_lasting-lane.ts',
    'session/_held-clock.ts',
    'session/_patience.ts',
    'session/_secure-road.ts',
    'session/_trust-decision.ts',
    'session/first-contact.ts',
  ].map((file) => `${CORE}/${file}`),
);

/** `session/_open.ts` joins a mechanism to a road; nothing else chooses one. */
export const MECHANISM_CHOOSER = `${CORE}/session/_open.ts`;

/** Configuration of tools at the top of the tree. */
const TOP: Room = { name: 'top', folder: '', mayImport: ['node', 'npm:vitest', 'npm:playwright'] };

/** The room of a file, or null when it stands in none. */
export function roomOf(path: string): Room | null {
  if (/^[\w.]+\.(config\.ts|json)$/.test(path)) return TOP;
  let best: Room | null = null;
  for (const room of ROOMS) {
    if (path.startsWith(`${room.folder}/`) && room.folder.length > (best?.folder.length ?? -1)) best = room;
  }
  if (best?.name === 'root' && path.slice(CORE.length + 1).includes('/')) return null;
  return best;
}

/** Whether a file is of the core: no DOM, no Node, no clock. */
export function isCore(path: string): boolean {
  const name = roomOf(path)?.name;
  return name === 'root' || (name !== undefined && CORE_ROOMS.includes(name));
}

/** Whether a file is a test, which some rules treat more gently. */
export function isTest(path: string): boolean {
  return (
    /\.(test|spec)\.tsx?$/.test(path) ||
    path.startsWith('e2e/interop/') ||
    path.startsWith('packages/protocol/interop/')
  );
}
