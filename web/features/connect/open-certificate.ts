/** A chunk of its own: reading key files costs as much as a TLS engine, and few people sign in with a certificate. */
export { clientCertificateWarnings, openClientCertificate } from '@fairlead/protocol';
