import { fail } from '../errors.ts';
import type { Pin } from './trust.ts';
import { type Certificate, sha1Thumbprint, sha256Thumbprint } from './x509.ts';

/** A pin and the target it is for. */
export interface TargetPin extends Pin {
  /** As `pinTarget` writes it. */
  readonly target: string;
}

/** All pins of a person: a value, never changed in place. Nothing in it is secret. */
export type PinStore = readonly TargetPin[];

/** The most pins one store holds: an import may not fill a browser's storage. */
export const MAX_PINS = 5000;

/** A store without pins. */
export const NO_PINS: PinStore = [];

/** The name under which a target's pins are kept: host in lower case and port, IPv6 in brackets. */
export function pinTarget(host: string, port: number): string {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  return `${bare.includes(':') ? `[${bare}]` : bare}:${port}`;
}

/** The pins of one target, oldest first. */
export function pinsFor(store: PinStore, target: string): Pin[] {
  return store
    .filter((pin) => pin.target === target)
    .map(({ sha256, issuer, sinceMs }) => ({ sha256, issuer, sinceMs }));
}

/** The store with one more pin; the same certificate is kept once. @throws misuse.bad-argument when it is full */
export function addPin(store: PinStore, target: string, pin: Pin): PinStore {
  const others = store.filter((one) => one.target !== target || one.sha256 !== pin.sha256);
  if (others.length >= MAX_PINS) fail('misuse.bad-argument', { argument: 'pins', reason: 'too-long', limit: MAX_PINS });
  return [...others, { target, sha256: pin.sha256, issuer: pin.issuer, sinceMs: pin.sinceMs }];
}

/** The store with this pin as the target's only one: what "the certificate was replaced" means. */
export function replacePins(store: PinStore, target: string, pin: Pin): PinStore {
  return addPin(removePins(store, target), target, pin);
}

/** The store without the pins of a target. */
export function removePins(store: PinStore, target: string): PinStore {
  return store.filter((pin) => pin.target !== target);
}

/**
 * Brings in pins from elsewhere. A target that both know differently keeps the pins it has: whoever imports a file does
 * not mean to replace what they checked themselves.
 */
export function mergePins(mine: PinStore, theirs: PinStore): { store: PinStore; conflicts: readonly string[] } {
  const conflicts = new Set<string>();
  let store = mine;
  for (const pin of theirs) {
    const known = mine.filter((one) => one.target === pin.target);
    if (known.length === 0) store = addPin(store, pin.target, pin);
    else if (!known.some((one) => one.sha256 === pin.sha256)) conflicts.add(pin.target);
  }
  return { store, conflicts: [...conflicts] };
}

/** The store as JSON, to be kept or given away. */
export function exportPins(store: PinStore): string {
  const pins = store.map(({ target, sha256, issuer, sinceMs }) => ({ target, sha256, issuer, sinceMs }));
  return JSON.stringify({ format: FORMAT, version: VERSION, pins }, null, 2);
}

/**
 * Reads what `exportPins` wrote. Strict: one wrong field refuses the whole text. A caller that cannot read its own store
 * must say so and connect nowhere by it; to begin with an empty store would forget every pin in silence.
 *
 * @throws misuse.bad-argument malformed, too-long
 */
export function importPins(text: string): PinStore {
  if (text.length > MAX_TEXT_CHARACTERS) refuse('too-long', MAX_TEXT_CHARACTERS);
  const whole = recordOf(parseJson(text), ['format', 'pins', 'version']);
  if (whole['format'] !== FORMAT || whole['version'] !== VERSION) refuse('malformed');
  const list = whole['pins'];
  if (!Array.isArray(list)) return refuse('malformed');
  if (list.length > MAX_PINS) refuse('too-long', MAX_PINS);
  return list.reduce<PinStore>((store, item: unknown) => {
    const pin = readPin(item);
    return addPin(store, pin.target, pin);
  }, NO_PINS);
}

/**
 * Reads a thumbprint as people paste it: with or without blanks, colons and the invisible mark that Windows' certificate
 * dialog puts in front; SHA-256 or SHA-1.
 *
 * @returns upper-case hexadecimal
 * @throws misuse.bad-argument empty, malformed
 */
export function parseThumbprint(text: string): string {
  const digits = text.replace(/[\s:\u200e\u200f\u202a-\u202e\ufeff-]/g, '').toUpperCase();
  if (digits === '') return refuse('empty', undefined, 'thumbprint');
  const isThumbprint = /^[0-9A-F]+$/.test(digits) && (digits.length === 64 || digits.length === 40);
  return isThumbprint ? digits : refuse('malformed', undefined, 'thumbprint');
}

/** Whether a pasted thumbprint is this certificate's, SHA-256 or SHA-1. @throws misuse.bad-argument as parseThumbprint */
export function hasThumbprint(certificate: Certificate, pasted: string): boolean {
  const thumbprint = parseThumbprint(pasted);
  return thumbprint === (thumbprint.length === 64 ? sha256Thumbprint(certificate) : sha1Thumbprint(certificate));
}

function readPin(value: unknown): TargetPin {
  const { target, sha256, issuer, sinceMs } = recordOf(value, ['issuer', 'sha256', 'sinceMs', 'target']);
  if (typeof target !== 'string' || !isTarget(target)) return refuse('malformed');
  if (typeof sha256 !== 'string' || !/^[0-9A-F]{64}$/.test(sha256)) return refuse('malformed');
  if (typeof issuer !== 'string' || issuer.length > MAX_ISSUER_CHARACTERS) return refuse('malformed');
  if (typeof sinceMs !== 'number' || !Number.isSafeInteger(sinceMs) || sinceMs < 0) return refuse('malformed');
  return { target, sha256, issuer, sinceMs };
}

function isTarget(text: string): boolean {
  return TARGET.test(text) && Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535;
}

/** A plain object with exactly these keys, which are in order. */
function recordOf(value: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('malformed');
  const entries = Object.entries(value);
  const found = entries.map(([key]) => key).sort();
  return found.join(' ') === keys.join(' ') ? Object.fromEntries(entries) : refuse('malformed');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail('misuse.bad-argument', { argument: 'pins', reason: 'malformed' }, error);
  }
}

function refuse(reason: 'malformed' | 'too-long' | 'empty', limit?: number, argument = 'pins'): never {
  return fail('misuse.bad-argument', limit === undefined ? { argument, reason } : { argument, reason, limit });
}

const FORMAT = 'fairlead-pins';
const VERSION = 1;
/** Names of 253 characters, addresses in brackets, and a port. */
const TARGET = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]):[1-9][0-9]{0,4}$/;
const MAX_ISSUER_CHARACTERS = 512;
const MAX_TEXT_CHARACTERS = 5_000_000;
