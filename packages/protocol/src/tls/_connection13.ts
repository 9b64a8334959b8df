import { signOff13 } from './_client-auth.ts';
import type { Connection, Setting, Transcript } from './_handshake.ts';
import {
  checkNewSessionTicket13,
  decodeCertificateRequest13,
  decodeKeyUpdate,
  encodeMessage,
  illegal,
  MESSAGES,
  type MessageName,
} from './_messages.ts';
import { nextSecret, protect13 } from './_protection.ts';
import type { HandshakeMessage } from './_record.ts';
import type { SecretPair, Suite } from './_suites.ts';
import type { TrustedPeer } from './trust.ts';

/** What a handshake of TLS 1.3 leaves behind. */
export interface Outcome13 {
  readonly suite: Suite;
  readonly group: string;
  /** Up to the client's Finished: what a later client certificate is signed over. */
  readonly transcript: Transcript;
  readonly traffic: SecretPair;
  readonly peer: TrustedPeer;
}

/** TLS 1.3 after its handshake: tickets are dropped, keys change, and a client certificate may be asked for. RFC 8446, 4.6 */
export class Connection13 implements Connection {
  readonly version = '1.3';
  readonly suite: Suite;
  readonly group: string;
  readonly peer: TrustedPeer;
  readonly accepts: readonly MessageName[];
  readonly #setting: Setting;
  readonly #transcript: Transcript;
  #traffic: SecretPair;

  constructor(setting: Setting, outcome: Outcome13) {
    this.suite = outcome.suite;
    this.group = outcome.group;
    this.peer = outcome.peer;
    this.#setting = setting;
    this.#transcript = outcome.transcript;
    this.#traffic = outcome.traffic;
    const canShow = setting.clientCertificate !== null; // then post_handshake_auth was offered
    this.accepts = canShow
      ? ['NewSessionTicket', 'KeyUpdate', 'CertificateRequest']
      : ['NewSessionTicket', 'KeyUpdate'];
  }

  take(message: HandshakeMessage): null {
    this.#setting.wire.countIdle();
    if (message.type === MESSAGES.NewSessionTicket) checkNewSessionTicket13(message.body);
    else if (message.type === MESSAGES.KeyUpdate) this.#changeTheirKey(decodeKeyUpdate(message.body));
    else this.#showCertificate(message);
    return null;
  }

  /** RFC 8446, section 5.5: half of what a key may carry, and it is changed. */
  prepareToSend(): void {
    if (this.#setting.wire.sealedCount >= this.#setting.maxRecordsPerKey / 2) this.#changeOurKey();
  }

  /** RFC 8446, section 4.6.3. A peer's request is answered once per request; their number is limited by the flood count. */
  #changeTheirKey(wantsOurs: boolean): void {
    const server = nextSecret(this.suite, this.#traffic.server);
    this.#traffic = { ...this.#traffic, server };
    this.#setting.wire.changeOpener(protect13(this.suite, server, this.#setting.maxRecordsPerKey));
    if (wantsOurs) this.#changeOurKey();
  }

  #changeOurKey(): void {
    const client = nextSecret(this.suite, this.#traffic.client);
    this.#traffic = { ...this.#traffic, client };
    this.#setting.wire.sendMessage(encodeMessage('KeyUpdate', (w) => w.u8(0)));
    this.#setting.wire.changeSealer(protect13(this.suite, client, this.#setting.maxRecordsPerKey));
  }

  /** RFC 8446, section 4.6.2. Windows asks this way where TLS 1.2 would renegotiate. */
  #showCertificate({ body, raw }: HandshakeMessage): void {
    const request = decodeCertificateRequest13(body);
    if (request.context.length === 0) illegal('a CertificateRequest after the handshake without a context');
    this.#setting.wasAskedForCertificate = true;
    const transcript = this.#transcript.fork();
    transcript.add(raw);
    signOff13(this.#setting, { suite: this.suite, transcript, baseKey: this.#traffic.client, request });
  }
}
