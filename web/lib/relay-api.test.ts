import { afterEach, describe, expect, it, vi } from 'vitest';
import { fetchProxyScript, requestTicket } from './relay-api.ts';

const answer = (status: number, body: unknown) =>
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => new Response(JSON.stringify(body), { status })),
  );

const REQUEST = { target: { host: 'web01', port: 5985 }, route: { name: '', hops: [] } };
const REPLY = { ticket: 'A'.repeat(43), expiresInMs: 10_000 };

describe('requestTicket', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('sends the road and gives the ticket', async () => {
    answer(200, REPLY);
    await expect(requestTicket(REQUEST)).resolves.toEqual(REPLY);
    const [path, init] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect(path).toBe('/api/tickets');
    expect(init?.body).toBe(JSON.stringify(REQUEST));
  });

  it('turns a refusal into the error it names', async () => {
    answer(403, { error: { code: 'relay.policy-denied', details: { host: 'a', port: 1, rule: 'target' } } });
    await expect(requestTicket(REQUEST)).rejects.toMatchObject({ code: 'relay.policy-denied', details: { host: 'a' } });
  });

  it('calls no network, junk, and an answer of another shape relay.unreachable', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Promise.reject(new TypeError('failed'))),
    );
    await expect(requestTicket(REQUEST)).rejects.toMatchObject({ code: 'relay.unreachable' });
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => new Response('<html>')),
    );
    await expect(requestTicket(REQUEST)).rejects.toMatchObject({ code: 'relay.unreachable' });
    answer(200, { ticket: 'short', expiresInMs: 1 });
    await expect(requestTicket(REQUEST)).rejects.toMatchObject({ code: 'relay.unreachable' });
    answer(502, { error: { code: 'made.up', details: {} } });
    await expect(requestTicket(REQUEST)).rejects.toMatchObject({ code: 'relay.unreachable' });
  });

  it('gives session.cancelled to a caller who gives up', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Promise.reject(new DOMException('aborted', 'AbortError'))),
    );
    await expect(requestTicket(REQUEST, AbortSignal.abort())).rejects.toMatchObject({ code: 'session.cancelled' });
  });
});

describe('fetchProxyScript', () => {
  afterEach(() => vi.unstubAllGlobals());
  const url = 'http://wpad.corp/office.pac';

  it('names the address to the relay and gives the text', async () => {
    answer(200, { text: 'function FindProxyForURL() {}' });
    await expect(fetchProxyScript(url)).resolves.toBe('function FindProxyForURL() {}');
    const [path, init] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect([path, init?.body]).toEqual(['/api/proxy-script', JSON.stringify({ url })]);
  });

  it('says why it cannot be had: pac.not-fetched', async () => {
    answer(502, { error: { code: 'pac.not-fetched', details: { host: 'wpad.corp', problem: 'it answered 404' } } });
    await expect(fetchProxyScript(url)).rejects.toMatchObject({ code: 'pac.not-fetched' });
    answer(200, { script: 'something else' });
    await expect(fetchProxyScript(url)).rejects.toMatchObject({ code: 'relay.unreachable' });
  });
});
