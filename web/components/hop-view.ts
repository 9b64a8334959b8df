/** One node of the hop line, and the stretch that leads from it to the next. */
export interface HopView {
  readonly id: string;
  readonly kind: 'you' | 'relay' | 'proxy' | 'server';
  /** Host and port, or "" where the kind says it all. */
  readonly name: string;
  readonly state: 'idle' | 'dialling' | 'open' | 'failed';
  /** What the stretch to the next node carries: ciphertext, something readable, or null where there is no next node. */
  readonly lockToNext: 'sealed' | 'open' | null;
  /** Full message key of the sentence that says what can be read on that stretch. */
  readonly readableKey: string | null;
  /** Milliseconds this hop took, or null while unknown. */
  readonly ms: number | null;
}

/** How the stretch before a node is drawn: it is that node's own state that decides. */
export function stretchState(next: HopView): 'idle' | 'dialling' | 'open' | 'broken' {
  return next.state === 'failed' ? 'broken' : next.state;
}

/** Message key: what a stretch shows, to whoever carries it, from sign-in to the end, on a road to port 5985. */
export const READABLE_OVER_HTTP = 'hops.readable.http';
/** Message key: what a stretch still shows once the sign-in is over and every body is sealed. */
export const READABLE_WHEN_SEALED = 'hops.readable.sealed';
/** Message key: what a stretch shows while TLS from end to end crosses it. */
export const READABLE_OVER_TLS = 'hops.readable.tls';

/**
 * The nodes of a road that nobody walks at the moment, as the connect dialog and the explanations draw it.
 *
 * Plain HTTP to 5985 seals the bodies only. The sign-in is about to cross every stretch in the open, so before it has
 * happened every padlock is open; a live session may close them (`sealed` with READABLE_WHEN_SEALED) afterwards. With
 * HTTPS nothing but the TLS handshake ever crosses in the open, so every padlock is closed.
 */
export function plannedHops(road: {
  readonly relay: string;
  readonly proxies: readonly string[];
  readonly server: string;
  readonly scheme: 'http' | 'https';
}): HopView[] {
  const isTls = road.scheme === 'https';
  const node = (id: string, kind: HopView['kind'], name: string): HopView => ({
    id,
    kind,
    name,
    state: 'idle',
    lockToNext: kind === 'server' ? null : isTls ? 'sealed' : 'open',
    readableKey: kind === 'server' ? null : isTls ? READABLE_OVER_TLS : READABLE_OVER_HTTP,
    ms: null,
  });
  return [
    node('you', 'you', ''),
    node('relay', 'relay', road.relay),
    ...road.proxies.map((name, index) => node(`proxy-${index + 1}`, 'proxy', name)),
    node('server', 'server', road.server),
  ];
}
