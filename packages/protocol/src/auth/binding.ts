import { ByteWriter } from '../bytes/cursor.ts';
import { md5 } from '../crypto/hash.ts';
import { serverEndPoint } from '../tls/end-point.ts';
import type { TrustedPeer } from '../tls/trust.ts';

/**
 * The MD5 of a gss_channel_bindings_struct with these application data and no addresses, 16 bytes: what NTLM carries as
 * MsvAvChannelBindings. [MS-NLMP] 2.2.2.1; RFC 2744, section 3.11; RFC 4121, section 4.1.1.2
 *
 * @param applicationData for TLS `tls-server-end-point:` and the hash of the server's certificate. RFC 5929, section 4.1
 */
export function channelBindingHash(applicationData: Uint8Array): Uint8Array {
  const struct = new ByteWriter()
    .u32le(0) // initiator_addrtype
    .u32le(0) // initiator_address.length
    .u32le(0) // acceptor_addrtype
    .u32le(0) // acceptor_address.length
    .u32le(applicationData.length)
    .bytes(applicationData);
  return md5(struct.finish());
}

/**
 * The channel binding of a session whose TLS ends at this peer, as `createAuthenticator` takes it. Only a judged peer has
 * one: bound to a certificate nobody checked, the binding would vouch for whoever sits between. RFC 5929, section 4.1
 */
export function serverBinding(peer: TrustedPeer): Uint8Array {
  return serverEndPoint(peer.certificate);
}
