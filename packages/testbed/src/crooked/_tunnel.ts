import { nodeDialer } from '@fairlead/protocol/node';
import { concatBytes } from '../../../protocol/src/bytes/bytes.ts';
import type { ByteStream } from '../../../protocol/src/bytes/stream.ts';
import type { AllowedTarget } from '../connect-proxy.ts';
import { INJECTED } from './_ways.ts';
import { dribbling } from './_wire.ts';
import type { ProxyScene } from './crooked-proxy.ts';

/** The target's end of a tunnel: one TCP connection, and the tunnel it answers to for the time being. */
interface UpstreamEnd {
  readonly number: number;
  readonly stream: ByteStream;
  owner: Tunnel | null;
}

/** A sign-in over http. */
const CALM_TURNS = 2;

/** The tunnels of one proxy, so that two of them can be spliced. */
export class TunnelYard {
  readonly #tunnels = new Set<Tunnel>();

  add(tunnel: Tunnel): void {
    this.#tunnels.add(tunnel);
  }

  remove(tunnel: Tunnel): void {
    this.#tunnels.delete(tunnel);
  }

  /** Another tunnel to the same target, with a sign-in behind it. */
  partnerOf(tunnel: Tunnel): Tunnel | null {
    return [...this.#tunnels].find((one) => one !== tunnel && one.key === tunnel.key && one.isSignedIn) ?? null;
  }
}

/** One client's tunnel to one target: bytes go both ways unread, and are bent as the proxy is crooked. */
export class Tunnel {
  readonly key: string;
  readonly #client: number;
  readonly #stream: ByteStream;
  readonly #target: AllowedTarget;
  readonly #scene: ProxyScene;
  #end: UpstreamEnd | null = null;
  /** How often the client has begun to speak after the target, the first time included. */
  #turns = 0;
  #lastSpeaker: 'client' | 'target' = 'target';
  #isOver = false;

  /** @param target where the bytes go @param key what the client asked for */
  constructor(client: number, stream: ByteStream, target: AllowedTarget, key: string, scene: ProxyScene) {
    this.key = key;
    this.#client = client;
    this.#stream = stream;
    this.#target = target;
    this.#scene = scene;
  }

  /** As far as can be told without reading. */
  get isSignedIn(): boolean {
    return this.#turns >= CALM_TURNS;
  }

  get #isPastCalm(): boolean {
    return this.#turns > this.#calmTurns;
  }

  get #calmTurns(): number {
    return this.#scene.calmTurns(CALM_TURNS);
  }

  /** Reaches the target. @throws the dialer's errors */
  async open(): Promise<void> {
    this.#join(await this.#dial());
    this.#scene.yard.add(this);
  }

  /** Takes bytes of the client. */
  async feed(bytes: Uint8Array): Promise<void> {
    const { crookedness } = this.#scene;
    if (this.#lastSpeaker === 'target') {
      this.#lastSpeaker = 'client';
      this.#turns += 1;
      if (crookedness === 're-pairs' && this.#isPastCalm) await this.#changeUpstream();
    }
    const end = this.#end;
    if (end !== null) await end.stream.write(bytes);
  }

  /** The client says no more. */
  async feedEnd(): Promise<void> {
    this.#scene.yard.remove(this);
    const end = this.#end;
    if (end !== null) await end.stream.end();
  }

  close(): void {
    this.#isOver = true;
    this.#scene.yard.remove(this);
    const end = this.#end;
    this.#end = null;
    if (end !== null) this.#letGo(end);
  }

  /** The splice: two tunnels change ends; a tunnel that is alone goes on over a new connection. */
  async #changeUpstream(): Promise<void> {
    this.#scene.journal.record({ event: 'bent', client: this.#client, what: 're-pairs' });
    const mine = this.#end;
    const partner = this.#scene.yard.partnerOf(this);
    const theirs = partner === null ? null : partner.#end;
    if (partner !== null && theirs !== null && mine !== null) {
      this.#join(theirs, false);
      partner.#join(mine, false);
      return;
    }
    const fresh = await this.#dial();
    if (mine !== null) this.#letGo(mine);
    this.#join(fresh);
  }

  async #dial(): Promise<UpstreamEnd> {
    const { crookedness, journal } = this.#scene;
    const stream = await nodeDialer(this.#target);
    const number = journal.openUpstream(this.key);
    return { number, stream: crookedness === 'dribbles' ? dribbling(stream) : stream, owner: null };
  }

  #join(end: UpstreamEnd, isNew = true): void {
    end.owner = this;
    this.#end = end;
    this.#scene.journal.record({ event: 'carried', client: this.#client, upstream: end.number, how: 'tunnel' });
    if (isNew) void this.#pump(end);
    if (this.#isOver) this.#letGo(end);
  }

  #letGo(end: UpstreamEnd): void {
    end.owner = null;
    end.stream.destroy();
    const { number: upstream } = end;
    this.#scene.journal.record({ event: 'upstream', upstream, what: 'closed', target: this.key });
  }

  /** From the target to whoever it answers to now. */
  async #pump(end: UpstreamEnd): Promise<void> {
    try {
      for (let bytes = await end.stream.read(); bytes !== null; bytes = await end.stream.read()) {
        await end.owner?.answer(bytes);
      }
      await end.owner?.answerEnd();
    } catch {
      end.owner?.fail();
    }
  }

  /** The target says no more. */
  async answerEnd(): Promise<void> {
    await this.#stream.end();
  }

  /** The target's end is broken. */
  fail(): void {
    this.#stream.destroy();
  }

  /** Bytes of the target for the client. */
  async answer(bytes: Uint8Array): Promise<void> {
    const isFirst = this.#lastSpeaker === 'client';
    this.#lastSpeaker = 'target';
    const { crookedness, journal } = this.#scene;
    const isCrooked = crookedness === 'injects' || crookedness === 'truncates';
    if (!isCrooked || !isFirst || !this.#isPastCalm) return await this.#stream.write(bytes);
    journal.record({ event: 'bent', client: this.#client, what: crookedness });
    if (crookedness === 'injects') return await this.#stream.write(concatBytes(INJECTED, bytes));
    await this.#stream.write(bytes.subarray(0, bytes.length >> 1));
    await this.#stream.end();
    this.close();
  }
}
