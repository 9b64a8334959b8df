import { API_PATHS, apiErrorSchema, signInProof, statusSchema } from '@fairlead/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from './test-kit.ts';

const SRV1 = { host: 'srv1.corp', port: 5985 };
const DEMO = {
  target: { host: 'winserver.demo', port: 5985 },
  https: { target: { host: 'winserver.demo', port: 40_986 } },
  route: { name: 'Demo proxy', hops: [{ kind: 'http-connect', host: '127.0.0.1', port: 3128 }] },
  user: 'demo',
};

let t: TestRelay;
let codesUsed = 0;
const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
beforeAll(async () => {
  const env = {
    FAIRLEAD_TARGETS: 'srv1.corp',
    FAIRLEAD_PROXIES: 'proxy.corp:3128',
    FAIRLEAD_DEMO: JSON.stringify(DEMO),
  };
  t = await startTestRelay(env, { clock, onCodeUsed: () => void codesUsed++ });
});
afterAll(() => t.close());

async function errorOf(answer: Response): Promise<unknown> {
  return { status: answer.status, ...apiErrorSchema.parse(await answer.json()).error };
}

async function statusOf(cookie: string): Promise<unknown> {
  const answer = await fetch(`${t.base}${API_PATHS.status}`, { headers: { Cookie: cookie } });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return statusSchema.parse(await answer.json());
}

test('a stranger learns the version and nothing else', async () => {
  const nothing = { signedIn: false, demo: null, canReach: { targets: [], proxies: [] } };
  expect(await statusOf('')).toMatchObject(nothing);
  expect(await statusOf(`fairlead-${t.relay.port}=${'A'.repeat(43)}`)).toMatchObject(nothing);
});

test('a code signs in once, by a cookie no script can read', async () => {
  const before = codesUsed;
  const cookie = await t.signIn('ONCE');
  expect(codesUsed).toBe(before + 1);
  expect(cookie).toMatch(new RegExp(`^fairlead-${t.relay.port}=[A-Za-z0-9_-]{43}$`));
  expect(await statusOf(cookie)).toMatchObject({
    signedIn: true,
    demo: DEMO,
    canReach: { targets: ['srv1.corp'], proxies: ['proxy.corp:3128'] },
  });
  expect(await errorOf(await t.post(API_PATHS.signIn, { proof: await signInProof('ONCE') }))).toMatchObject({
    status: 401,
    code: 'relay.sign-in-required',
  });
  // Two cookies of the name: somebody planted one.
  expect(await statusOf(`${cookie}; ${cookie}`)).toMatchObject({ signedIn: false });
});

test('signing out ends the sign-in, not just the cookie', async () => {
  const cookie = await t.signIn();
  const answer = await t.post(API_PATHS.signOut, {}, { Cookie: cookie });
  expect(answer.headers.get('set-cookie')).toMatch(/=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict$/);
  expect(await statusOf(cookie)).toMatchObject({ signedIn: false });
  expect((await t.post(API_PATHS.signOut, {})).status).toBe(200);
});

test('tickets need a sign-in: relay.sign-in-required', async () => {
  const answer = await t.post(API_PATHS.tickets, { target: SRV1, route: { name: '', hops: [] } });
  expect(await errorOf(answer)).toMatchObject({ status: 401, code: 'relay.sign-in-required' });
});

test('a ticket is given for an allowed road and refused for another: relay.policy-denied', async () => {
  const cookie = await t.signIn();
  const ask = (target: unknown, hops: unknown[] = []) =>
    t.post(API_PATHS.tickets, { target, route: { name: '', hops } }, { Cookie: cookie });
  const given = await ask(SRV1);
  expect(given.status).toBe(200);
  expect(await given.json()).toMatchObject({
    ticket: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    expiresInMs: 30_000,
  });
  expect((await ask(DEMO.target, DEMO.route.hops)).status).toBe(200);
  expect((await ask(DEMO.https.target, DEMO.route.hops)).status).toBe(200);
  const proxy = { kind: 'http-connect', host: 'proxy.corp', port: 3128 };
  expect((await ask(SRV1, [proxy])).status).toBe(200);
  expect(await errorOf(await ask({ host: 'srv2.corp', port: 5985 }))).toEqual({
    status: 403,
    code: 'relay.policy-denied',
    details: { host: 'srv2.corp', port: 5985, rule: 'target' },
  });
  expect(await errorOf(await ask(SRV1, [{ ...proxy, port: 3129 }]))).toMatchObject({
    status: 403,
    details: { host: 'proxy.corp', rule: 'proxy' },
  });
  expect(await errorOf(await ask({ host: 't.co', port: 5985 }, DEMO.route.hops))).toMatchObject({ status: 403 });
});

test('the demo’s maze is open by its own ports only, and until the demo has ended: relay.policy-denied', async () => {
  const proxy = { host: '127.0.0.1', port: 40_100 };
  const maze = { rooms: [{ room: 'moves', proxy }], stripperPort: 40_101 };
  const own = await startTestRelay({ FAIRLEAD_DEMO: JSON.stringify({ ...DEMO, maze }) });
  try {
    const cookie = await own.signIn();
    const seen = async () => {
      const answer = await fetch(`${own.base}${API_PATHS.status}`, { headers: { Cookie: cookie } });
      return statusSchema.parse(await answer.json()).demo;
    };
    const road = (place: { host: string; port: number }, kind: 'http-connect' | 'http-forward' = 'http-connect') =>
      own.ticket(cookie, DEMO.target, [{ kind, ...place }]);
    expect(await seen()).toMatchObject({ maze });
    await road(proxy);
    await road(proxy, 'http-forward');
    await expect(own.ticket(cookie, SRV1, [{ kind: 'http-connect', ...proxy }])).rejects.toThrow('policy-denied');
    for (const port of [40_099, maze.stripperPort, own.relay.port]) {
      await expect(road({ ...proxy, port })).rejects.toThrow('relay.policy-denied');
      await expect(own.ticket(cookie, { ...proxy, port })).rejects.toThrow('relay.policy-denied');
    }
    own.relay.forgetDemo();
    expect(await seen()).toBeNull();
    await expect(road(proxy)).rejects.toThrow('relay.policy-denied');
    await expect(road({ host: '127.0.0.1', port: 3128 })).rejects.toThrow('relay.policy-denied');
  } finally {
    await own.close();
  }
});

test('a road that cannot be walked is a bad argument', async () => {
  const cookie = await t.signIn();
  const forward = { kind: 'http-forward', host: 'proxy.corp', port: 3128 };
  const hops = [forward, { ...forward, kind: 'http-connect' }];
  const answer = await t.post(API_PATHS.tickets, { target: SRV1, route: { name: '', hops } }, { Cookie: cookie });
  expect(await errorOf(answer)).toMatchObject({
    status: 400,
    code: 'misuse.bad-argument',
    details: { reason: 'forward-not-last' },
  });
});

test('bodies that are not the contract’s are refused', async () => {
  const cookie = await t.signIn();
  const bad: unknown[] = [
    '',
    '{',
    '[]',
    'null',
    { target: SRV1 },
    { target: { ...SRV1, port: '5985' }, route: { name: '', hops: [] } },
    { target: { ...SRV1, port: 70_000 }, route: { name: '', hops: [] } },
    { target: { ...SRV1, host: 'x'.repeat(300) }, route: { name: '', hops: [] } },
    { target: SRV1, route: { name: '', hops: Array(5).fill({ kind: 'http-connect', host: 'p', port: 1 }) } },
    { target: SRV1, route: { name: '', hops: [{ kind: 'socks', host: 'p', port: 1 }] } },
    { target: SRV1, route: { name: '', hops: [] }, extra: 1 },
    JSON.stringify({ pad: 'x'.repeat(20_000) }),
  ];
  for (const body of bad) {
    const answer = await t.post(API_PATHS.tickets, body, { Cookie: cookie });
    expect(await errorOf(answer), JSON.stringify(body).slice(0, 80)).toMatchObject({
      status: 400,
      code: 'misuse.bad-argument',
    });
  }
  const form = await t.post(API_PATHS.tickets, 'a=b', { Cookie: cookie, 'Content-Type': 'text/plain' });
  expect(form.status).toBe(415);
});

test('guessing codes runs into relay.limit-reached, and the right code is still taken', async () => {
  const own = await startTestRelay();
  try {
    const wrong = { proof: '0'.repeat(64) };
    const answers: number[] = [];
    for (let i = 0; i < 12; i++) answers.push((await own.post(API_PATHS.signIn, wrong)).status);
    expect(answers).toEqual([...Array(10).fill(401), 429, 429]);
    expect(await errorOf(await own.post(API_PATHS.signIn, wrong))).toEqual({
      status: 429,
      code: 'relay.limit-reached',
      details: { limit: 10 },
    });
    expect(await own.signIn()).toContain('fairlead');
  } finally {
    await own.close();
  }
});

test('too many tickets run into relay.limit-reached', async () => {
  const own = await startTestRelay({ FAIRLEAD_TARGETS: 'srv1.corp', FAIRLEAD_DIALS_PER_MINUTE: '2' });
  try {
    const cookie = await own.signIn();
    await own.ticket(cookie, SRV1);
    await own.ticket(cookie, SRV1);
    await expect(own.ticket(cookie, SRV1)).rejects.toThrow('relay.limit-reached');
  } finally {
    await own.close();
  }
});
