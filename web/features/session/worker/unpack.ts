/** Reads keys: fetched by no session but one that logs on with a certificate. */
export { unpackClientCertificate } from '@fairlead/protocol';
