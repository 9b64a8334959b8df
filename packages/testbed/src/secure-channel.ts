import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type CbtHardening, type ExpectedBinding, serverEndPointHash } from './channel-binding.ts';
import type { ClientCertificateDemand } from './tls-profile.ts';

/** What a listener with TLS asks of those who come in. */
export interface ChannelRules {
  readonly cbt: CbtHardening;
  readonly clientCertificate: ClientCertificateDemand;
}

/** The TLS of one connection, after its handshake. */
export class SecureChannel {
  readonly socket: TLSSocket;
  /** "TLSv1.3" */
  readonly version: string;
  /** As IANA lists it. */
  readonly suite: string;
  readonly isResumed: boolean;
  readonly binding: ExpectedBinding;
  readonly #rules: ChannelRules;

  constructor(socket: TLSSocket, rules: ChannelRules) {
    this.socket = socket;
    this.version = socket.getProtocol() ?? '';
    this.suite = socket.getCipher().standardName;
    this.isResumed = socket.isSessionReused();
    const own = socket.getX509Certificate();
    if (own === undefined) throw new RangeError('a TLS server without a certificate');
    // The certificate this handshake was made with: the listener may have another one by now.
    this.binding = { hardening: rules.cbt, hash: serverEndPointHash(own) };
    this.#rules = rules;
  }

  /** Whether people may log on with certificates here. */
  get admitsCertificates(): boolean {
    return this.#rules.clientCertificate !== 'none';
  }

  /**
   * The client's certificate, asked for now if that was not done in the handshake. Null when there is none; 'impossible'
   * when it cannot be asked for: in TLS 1.3 Windows does so after the handshake (RFC 8446, section 4.6.2), and cuts
   * clients that do not offer to be asked.
   */
  async clientCertificate(): Promise<X509Certificate | null | 'impossible'> {
    const shown = this.socket.getPeerX509Certificate();
    if (shown !== undefined || this.#rules.clientCertificate !== 'renegotiate') return shown ?? null;
    if (this.version === 'TLSv1.3') return 'impossible';
    return new Promise((resolve) => {
      const settle = (error: Error | null): void => {
        this.socket.removeListener('close', onClose);
        resolve(error === null ? (this.socket.getPeerX509Certificate() ?? null) : 'impossible');
      };
      const onClose = (): void => settle(new Error('closed'));
      this.socket.once('close', onClose);
      this.socket.renegotiate({ requestCert: true, rejectUnauthorized: false }, settle);
    });
  }
}
