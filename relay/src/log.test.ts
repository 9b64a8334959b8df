import { API_PATHS, demoPassword, signInProof } from '@fairlead/contract';
import { expect, test } from 'vitest';
import { listenTcp, openTestPipe, rawExchange, startTestRelay } from './test-kit.ts';

const FIELDS = [
  ...['level', 'time', 'event', 'pipe', 'person', 'host', 'port', 'hops', 'code', 'what', 'status', 'ms'],
  ...['bytesUp', 'bytesDown', 'count'],
];

test('the log has a fixed set of fields, and no secret wherever one is planted', async () => {
  const server = await listenTcp((socket) => socket.pipe(socket));
  const t = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_METRICS_TOKEN: 'PLANTED-metrics-token' });
  const code = 'SECRETCODE77';
  const cookie = await t.signIn(code);
  const proof = await signInProof(code);
  const planted = ['PLANTED', code, proof, await demoPassword(code), cookie, cookie.split('=')[1] ?? ''];

  const headers = {
    Authorization: 'Bearer PLANTED',
    Cookie: `${cookie}; other=PLANTED`,
    'User-Agent': 'PLANTED',
    Referer: `${t.base}/?PLANTED`,
    'X-PLANTED': 'PLANTED',
    'Accept-Language': 'PLANTED',
  };
  for (const path of ['/PLANTED', '/?q=PLANTED', '/api/PLANTED', '/healthz?PLANTED', '/metrics?PLANTED', '/%PLANTED']) {
    await (await fetch(`${t.base}${path}`, { headers })).arrayBuffer();
    await (await fetch(`${t.base}${path}`, { method: 'POST', headers, body: 'PLANTED' })).arrayBuffer();
  }
  for (const path of Object.values(API_PATHS)) {
    await t.post(path, 'PLANTED', headers);
    await t.post(path, { proof, password: 'PLANTED', target: { host: 'PLANTED', port: 1 } }, headers);
    await t.post(path, { proof }, { ...headers, Origin: 'http://PLANTED' });
  }
  const fresh = await t.signIn('ANOTHERCODE2');
  planted.push(fresh, fresh.split('=')[1] ?? '');
  const named = { target: { host: '127.0.0.1', port: server.port }, route: { name: 'PLANTED', hops: [] } };
  await t.post(API_PATHS.tickets, named, { Cookie: fresh });
  await t.post(API_PATHS.tickets, { ...named, target: { host: 'user:PLANTED@x', port: 1 } }, { Cookie: fresh });
  await rawExchange(t.relay.port, 'PLANTED /PLANTED HTTP/1.1\r\nPLANTED: PLANTED\r\n\r\n');
  await rawExchange(
    t.relay.port,
    'GET /ws/pipe?PLANTED HTTP/1.1\r\nHost: PLANTED\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  );

  const ticket = await t.ticket(fresh, { host: '127.0.0.1', port: server.port });
  planted.push(ticket);
  const pipe = await t.dial(fresh, ticket);
  await pipe.until('opened');
  pipe.socket.send(Buffer.from('PLANTED password PLANTED'));
  await pipe.untilBytes(24);
  pipe.say('{"type":"PLANTED"}');
  await pipe.untilClosed();
  const other = await openTestPipe(t.base, { Cookie: fresh, 'X-PLANTED': 'PLANTED' });
  other.say({ type: 'dial', ticket });
  await other.untilClosed();
  await t.close();
  server.close();

  const events = new Set<string>();
  for (const line of t.log) {
    const entry = JSON.parse(line) as Record<string, unknown>;
    events.add(String(entry['event']));
    for (const field of Object.keys(entry)) expect(FIELDS, field).toContain(field);
    for (const secret of planted) expect(line.toLowerCase(), secret).not.toContain(secret.toLowerCase());
  }
  for (const event of [
    'sign-in.accepted',
    'ticket.given',
    'ticket.refused',
    'pipe.opened',
    'pipe.closed',
    'pipe.refused',
  ]) {
    expect(events).toContain(event);
  }
});
