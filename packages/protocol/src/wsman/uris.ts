/**
 * Names on the wire. All of them begin with `http://`, also where the transport is TLS: they are names, not addresses.
 * [MS-WSMV] 2.2.1 Namespaces; DMTF DSP0226, annex A.
 */

/** Namespace by the prefix our envelopes declare. Replies are matched by URI, never by prefix. */
export const NAMESPACES = {
  s: 'http://www.w3.org/2003/05/soap-envelope',
  a: 'http://schemas.xmlsoap.org/ws/2004/08/addressing',
  w: 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd',
  p: 'http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd',
  rsp: 'http://schemas.microsoft.com/wbem/wsman/1/windows/shell',
  x: 'http://schemas.xmlsoap.org/ws/2004/09/transfer',
  f: 'http://schemas.microsoft.com/wbem/wsman/1/wsmanfault',
  cfg: 'http://schemas.microsoft.com/wbem/wsman/1/config',
  wsmid: 'http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd',
} as const;

/** Where an error of the management layer puts its details instead of a WSManFault. [MS-WSMV] 2.2.4.43 */
export const WMI_ERROR_NAMESPACE = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError';

/** Actions. WS-Transfer, section 3; [MS-WSMV] 3.1.4 */
export const ACTIONS = {
  get: `${NAMESPACES.x}/Get`,
  create: `${NAMESPACES.x}/Create`,
  delete: `${NAMESPACES.x}/Delete`,
  command: `${NAMESPACES.rsp}/Command`,
  send: `${NAMESPACES.rsp}/Send`,
  receive: `${NAMESPACES.rsp}/Receive`,
  signal: `${NAMESPACES.rsp}/Signal`,
} as const;

/** Resource URIs. [MS-WSMV] 2.2.4.26, 3.1.4.1.3 */
export const RESOURCES = {
  cmd: `${NAMESPACES.rsp}/cmd`,
  config: NAMESPACES.cfg,
} as const;

/** What a Signal may say to a command. [MS-WSMV] 2.2.4.38 */
export const SIGNALS = {
  'ctrl-c': `${NAMESPACES.rsp}/signal/ctrl_c`,
  'ctrl-break': `${NAMESPACES.rsp}/signal/ctrl_break`,
  terminate: `${NAMESPACES.rsp}/signal/terminate`,
} as const;

/** A signal by our name for it. */
export type SignalName = keyof typeof SIGNALS;

/** The state in which a command has ended. [MS-WSMV] 2.2.4.10 */
export const COMMAND_DONE = `${NAMESPACES.rsp}/CommandState/Done`;

/** "Answer me on this connection." WS-Addressing, section 2.1 */
export const ANONYMOUS = `${NAMESPACES.a}/role/anonymous`;
