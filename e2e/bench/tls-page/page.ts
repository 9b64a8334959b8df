import { defaultPlatform, relayRoad } from '@fairlead/protocol/relay';
import { download, drain, type TlsRun } from './download.ts';

declare global {
  interface Window {
    runTls(port: number, mib: number, isPlain: boolean): Promise<Pick<TlsRun, 'ms' | 'bytes' | 'handshakeMs'>>;
  }
}

/** TLS in this page, over its relay; or nothing but the relay. */
window.runTls = async (port, mib, isPlain) => {
  const openRoad = relayRoad({
    origin: location.origin,
    ticket: async () => {
      const answer = await fetch('/api/tickets', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ target: { host: '127.0.0.1', port }, route: { name: '', hops: [] } }),
      });
      const { ticket }: { ticket: string } = await answer.json();
      return ticket;
    },
  });
  const road = await openRoad('control', () => undefined, new AbortController().signal);
  if (isPlain) return { handshakeMs: 0, ...(await drain(road.stream, defaultPlatform, mib)) };
  return download(road.stream, defaultPlatform, mib);
};
