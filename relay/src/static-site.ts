import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import * as z from 'zod';
import { StartError } from './config.ts';
import { pagePolicy, SCRIPT_POLICY, sendText } from './web-headers.ts';

/** The build's record of inline scripts: page to hashes. */
const CSP_FILE = 'csp.json';
const cspSchema = z.record(z.string(), z.array(z.string().regex(/^sha(?:256|384|512)-[A-Za-z0-9+/]+={0,2}$/)));

/** Everything is held in memory, so the export is bounded; ours is about two megabytes. */
const MAX_SITE_BYTES = 128 * 1024 * 1024;

/** Smaller files gain nothing from compression. */
const MIN_COMPRESSED_BYTES = 512;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
};

type Encoding = 'identity' | 'gzip' | 'br';

interface StaticFile {
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
  readonly policy: string | null;
  readonly isText: boolean;
  readonly bodies: Map<Encoding, Buffer>;
}

/**
 * The web app, read once into memory. INVARIANT: a request is answered from the map of files found at start and never
 * from the disk, so no spelling of a path leads outside the folder. Links are not followed.
 */
export class StaticSite {
  readonly #files: ReadonlyMap<string, StaticFile>;
  #isStopped = false;

  constructor(files: ReadonlyMap<string, StaticFile>) {
    this.#files = files;
  }

  /** How many files there are. */
  get size(): number {
    return this.#files.size;
  }

  /** Answers GET and HEAD. @param target the request target as sent */
  answer(request: IncomingMessage, response: ServerResponse, target: string): void {
    const [rawPath, query] = split(target);
    const path = decodePath(rawPath);
    if (path === null) {
      sendText(response, 400, 'Bad path\n');
      return;
    }
    const file = this.#files.get(path.endsWith('/') ? `${path}index.html` : path);
    if (file !== undefined) {
      send(request, response, file, 200);
      return;
    }
    if (!path.endsWith('/') && this.#files.has(`${path}/index.html`)) {
      // The path begins with one slash and a known folder, so the place is ours.
      response.writeHead(308, { Location: `${encodeURI(path)}/${query}`, 'Cache-Control': 'no-cache' });
      response.end();
      return;
    }
    const missing = this.#files.get('/404.html') ?? this.#files.get('/404/index.html');
    if (missing === undefined || !(request.headers.accept ?? '').includes('text/html')) {
      sendText(response, 404, 'Not found\n');
    } else send(request, response, missing, 404);
  }

  /** Compresses what gains from it, one file at a time; until then files go out as they are. */
  async compress(): Promise<void> {
    for (const file of this.#files.values()) {
      const plain = file.bodies.get('identity');
      if (this.#isStopped || plain === undefined || !file.isText || plain.length < MIN_COMPRESSED_BYTES) continue;
      const zipped = await promisify(gzip)(plain, { level: 9 });
      if (zipped.length < plain.length) file.bodies.set('gzip', zipped);
      const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
      const squeezed = await promisify(brotliCompress)(plain, { params });
      if (squeezed.length < zipped.length) file.bodies.set('br', squeezed);
    }
  }

  /** Ends a compression under way. */
  stop(): void {
    this.#isStopped = true;
  }
}

/** Reads a built app. @throws StartError when there is none or its csp.json cannot be read */
export async function loadSite(folder: string): Promise<StaticSite> {
  const hashes = await readHashes(folder);
  const files = new Map<string, StaticFile>();
  let total = 0;
  for (const path of await listFiles(folder, '')) {
    if (path === `/${CSP_FILE}`) continue;
    const body = await readFile(join(folder, path));
    total += body.length;
    if (total > MAX_SITE_BYTES)
      throw new StartError(`The web app in ${folder} is larger than ${MAX_SITE_BYTES} bytes.`);
    const type = TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
    files.set(path, {
      type,
      etag: createHash('sha256').update(body).digest('base64url').slice(0, 27),
      cacheControl: path.startsWith('/_next/static/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      policy: type.startsWith('text/html')
        ? pagePolicy(hashes[path] ?? [])
        : type.startsWith('text/javascript')
          ? SCRIPT_POLICY
          : null,
      isText: type.includes('charset'),
      bodies: new Map([['identity', body]]),
    });
  }
  return new StaticSite(files);
}

async function readHashes(folder: string): Promise<Record<string, string[]>> {
  const isBuilt = await stat(join(folder, 'index.html')).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isBuilt) throw new StartError(`The web app is not built: ${folder} has no index.html. Set FAIRLEAD_STATIC.`);
  try {
    return cspSchema.parse(JSON.parse(await readFile(join(folder, CSP_FILE), 'utf8')));
  } catch (cause) {
    throw new StartError(`${join(folder, CSP_FILE)} is missing or is not a list of script hashes.`, { cause });
  }
}

async function listFiles(root: string, below: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const path = `${below}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await listFiles(root, path)));
    else if (entry.isFile()) found.push(path);
  }
  return found;
}

function split(target: string): [path: string, query: string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at)];
}

/** Percent-decoding, once; null for what is not a plain absolute path. */
function decodePath(raw: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch {
    return null;
  }
  return path.startsWith('/') && !/[\0-\x1f\\]/.test(path) ? path : null;
}

function send(request: IncomingMessage, response: ServerResponse, file: StaticFile, status: number): void {
  const accepted = acceptedEncodings(request.headers['accept-encoding']);
  const encoding = (['br', 'gzip'] as const).find((name) => accepted.has(name) && file.bodies.has(name)) ?? 'identity';
  const body = file.bodies.get(encoding) ?? Buffer.alloc(0);
  const etag = `"${file.etag}${encoding === 'identity' ? '' : `-${encoding}`}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', status === 200 ? file.cacheControl : 'no-store');
  if (file.isText) response.setHeader('Vary', 'Accept-Encoding');
  if (file.policy !== null) response.setHeader('Content-Security-Policy', file.policy);
  if (status === 200 && isKnown(request.headers['if-none-match'], file.etag)) {
    response.writeHead(304);
    response.end();
    return;
  }
  if (encoding !== 'identity') response.setHeader('Content-Encoding', encoding);
  response.writeHead(status, { 'Content-Type': file.type, 'Content-Length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Codings of RFC 9110 section 12.5.3 that are not refused by `q=0`; `*` is not taken as a wish. */
function acceptedEncodings(header: string | string[] | undefined): Set<string> {
  const accepted = new Set<string>();
  for (const part of String(header ?? '').split(',')) {
    const [name = '', ...params] = part.split(';').map((text) => text.trim().toLowerCase());
    if (!params.some((param) => /^q=0(?:\.0*)?$/.test(param))) accepted.add(name);
  }
  return accepted;
}

/** Any coding of the same file counts: a cache holds what it was given. */
function isKnown(header: string | undefined, etag: string): boolean {
  return (header ?? '')
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
    .some((tag) => tag === '*' || tag === etag || tag === `${etag}-br` || tag === `${etag}-gzip`);
}
