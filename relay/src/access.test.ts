import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashProof, signInProof } from '@fairlead/contract';
import { expect, test } from 'vitest';
import { CodeDesk, hashToken, TICKET_MS, TicketDesk } from './access.ts';
import { RateLimit } from './rate-limit.ts';
import { IDLE_MS, LIFETIME_MS, openStore } from './store.ts';

const REQUEST = { target: { host: 'srv1.corp', port: 5985 }, route: { name: '', hops: [] } };

test('RateLimit gives a minute’s worth at once and then refills evenly, for each key', () => {
  const limit = new RateLimit(3);
  expect([1, 2, 3, 4].map(() => limit.take('a', 0))).toEqual([true, true, true, false]);
  expect(limit.take('b', 0)).toBe(true);
  expect(limit.take('a', 19_999)).toBe(false);
  expect(limit.take('a', 20_000)).toBe(true);
  expect(limit.take('a', 20_001)).toBe(false);
});

test('CodeDesk lets a proof in once', async () => {
  const desk = new CodeDesk();
  const proof = await signInProof('AB2C-DE3F-GH4J');
  expect(desk.redeem(proof, '::1', 0)).toBe('refused');
  desk.expect(await hashProof(proof));
  desk.expect(await hashProof(await signInProof('other')));
  expect(desk.redeem(await signInProof('wrong'), '::1', 0)).toBe('refused');
  expect(desk.redeem(proof, '::1', 0)).toBe('accepted');
  expect(desk.redeem(proof, '::1', 0)).toBe('refused');
});

test('CodeDesk stops a guesser at one address, and guessers at many', async () => {
  const desk = new CodeDesk();
  const proof = await signInProof('AB2C-DE3F-GH4J');
  desk.expect(await hashProof(proof));
  const wrong = '0'.repeat(64);
  for (let i = 0; i < 10; i++) expect(desk.redeem(wrong, 'guesser', 0)).toBe('refused');
  expect(desk.redeem(wrong, 'guesser', 0)).toBe('limited');
  for (let i = 0; i < 50; i++) expect(desk.redeem(wrong, `guesser ${i}`, 0)).toBe('refused');
  expect(desk.redeem(wrong, 'another', 0)).toBe('limited');
  expect(desk.redeem(wrong, 'another', 60_000)).toBe('refused');
  // Behind a reverse proxy the owner has the guesser's address.
  expect(desk.redeem(proof, 'guesser', 0)).toBe('accepted');
});

test('CodeDesk forgets the oldest of too many expected proofs', async () => {
  const desk = new CodeDesk();
  const proofs = await Promise.all(Array.from({ length: 17 }, (_unused, i) => signInProof(`${i}`)));
  for (const proof of proofs) desk.expect(await hashProof(proof));
  expect(desk.redeem(proofs[0] ?? '', 'a', 0)).toBe('refused');
  expect(desk.redeem(proofs[1] ?? '', 'a', 0)).toBe('accepted');
  expect(desk.redeem(proofs[16] ?? '', 'a', 0)).toBe('accepted');
});

test('TicketDesk redeems a ticket once, in time, for its person', () => {
  const desk = new TicketDesk();
  const give = (now: number) => desk.give('ana', REQUEST, now) ?? '';
  const ticket = give(0);
  expect(ticket).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(desk.redeem(ticket, 'ana', TICKET_MS - 1)).toBe(REQUEST);
  expect(desk.redeem(ticket, 'ana', TICKET_MS - 1)).toBe('used');
  expect(desk.redeem(give(0), 'ana', TICKET_MS)).toBe('expired');
  expect(desk.redeem('A'.repeat(43), 'ana', 0)).toBe('unknown');
});

test('TicketDesk calls another person’s ticket unknown and voids it', () => {
  const desk = new TicketDesk();
  const ticket = desk.give('ana', REQUEST, 0) ?? '';
  expect(desk.redeem(ticket, 'ben', 1)).toBe('unknown');
  expect(desk.redeem(ticket, 'ana', 1)).toBe('used');
});

test('TicketDesk bounds what one person holds and forgets what has expired', () => {
  const desk = new TicketDesk();
  for (let i = 0; i < desk.limit; i++) expect(desk.give('ana', REQUEST, 0)).not.toBeNull();
  expect(desk.give('ana', REQUEST, 1)).toBeNull();
  expect(desk.give('ben', REQUEST, 1)).not.toBeNull();
  expect(desk.give('ana', REQUEST, 2 * TICKET_MS)).not.toBeNull();
});

test('Store keeps a sign-in over a restart, by hash, and ends it when idle or old', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-store-'));
  const data = join(folder, 'new', 'data');
  try {
    const first = openStore(data);
    const token = first.begin('owner', 1000);
    first.close();
    const file = readFileSync(join(data, 'relay.sqlite')).toString('latin1');
    expect(file).not.toContain(token);
    expect(file).toContain(hashToken(token));
    expect(statSync(join(data, 'relay.sqlite')).mode & 0o077).toBe(0);
    expect(statSync(data).mode & 0o077).toBe(0);

    const second = openStore(data);
    expect(second.find(token, 2000)).toEqual({ id: hashToken(token), person: 'owner' });
    expect(second.find('A'.repeat(43), 2000)).toBeNull();
    expect(second.isValid(hashToken(token), 1000 + IDLE_MS)).toBe(false);
    // Used every hour it lasts, but not for ever.
    let now = 1000;
    while (now + 3600_000 < 1000 + LIFETIME_MS) {
      now += 3600_000;
      expect(second.find(token, now)).not.toBeNull();
    }
    expect(second.find(token, 1000 + LIFETIME_MS)).toBeNull();
    const idle = second.begin('owner', 0);
    expect(second.find(idle, IDLE_MS)).toBeNull();
    expect(second.find(idle, 1)).toBeNull();
    const ended = second.begin('owner', 0);
    second.end(hashToken(ended));
    expect(second.find(ended, 1)).toBeNull();
    second.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('openStore says in a sentence that it cannot keep data', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-store-'));
  try {
    writeFileSync(join(folder, 'file'), '');
    expect(() => openStore(join(folder, 'file', 'data'))).toThrow(
      /^Cannot keep data in .*: part of the path is a file\./,
    );
    writeFileSync(join(folder, 'relay.sqlite'), 'this is not a database, and long enough to be read as one'.repeat(20));
    expect(() => openStore(folder)).toThrow(/^Cannot keep data in .*not a database/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
