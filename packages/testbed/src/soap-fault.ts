/**
 * A WS-Management fault. Codes are those of the Windows SDK's `wsmerror.h`; subcodes are DMTF DSP0226, section 14.
 */
export class SoapFault extends Error {
  /** WSManFault code, unsigned. */
  readonly code: number;
  /** QName with the prefixes our envelopes declare. */
  readonly subcode: string;

  constructor(code: number, subcode: string, text: string) {
    super(text);
    this.name = 'SoapFault';
    this.code = code;
    this.subcode = subcode;
  }
}

/** Codes a test or a client may want by name. */
export const FAULT_CODE = {
  accessDenied: 5,
  brokenPipe: 109, // ERROR_BROKEN_PIPE
  badDirectory: 267, // ERROR_DIRECTORY
  aborted: 995, // ERROR_OPERATION_ABORTED
  unsupportedAction: 2150858771, // ERROR_WSMAN_ACTION_NOT_SUPPORTED
  envelopeTooLarge: 2150858790, // ERROR_WSMAN_ENVELOPE_TOO_LARGE
  timedOut: 2150858793, // ERROR_WSMAN_OPERATION_TIMEDOUT
  badResource: 2150858811, // ERROR_WSMAN_INVALID_RESOURCE_URI
  badSchema: 2150858817, // ERROR_WSMAN_SCHEMA_VALIDATION_ERROR
  shellGone: 2150858843, // ERROR_WSMAN_UNEXPECTED_SELECTORS, what a lost shell is answered with
  tooManyShells: 2150859173, // ERROR_WSMAN_QUOTA_MAX_SHELLS
  tooManyOperations: 2150859174, // ERROR_WSMAN_QUOTA_MAX_OPERATIONS
} as const;

/** The faults this host gives, in the words of Windows. */
export const faults = {
  accessDenied: () => new SoapFault(FAULT_CODE.accessDenied, 'w:AccessDenied', 'Access is denied.'),
  brokenPipe: () => new SoapFault(FAULT_CODE.brokenPipe, 'w:InternalError', 'The pipe has been ended.'),
  badDirectory: () => new SoapFault(FAULT_CODE.badDirectory, 'w:InternalError', 'The directory name is invalid.'),
  aborted: () =>
    new SoapFault(
      FAULT_CODE.aborted,
      'w:InternalError',
      'The I/O operation has been aborted because of either a thread exit or an application request.',
    ),
  unsupportedAction: (action: string) =>
    new SoapFault(
      FAULT_CODE.unsupportedAction,
      'a:ActionNotSupported',
      `The WS-Management service does not support the action specified in the request: ${action}`,
    ),
  envelopeTooLarge: (limitBytes: number) =>
    new SoapFault(
      FAULT_CODE.envelopeTooLarge,
      'w:EncodingLimit',
      `The WS-Management service cannot process the message because it is larger than the maximum size allowed: ${limitBytes} bytes.`,
    ),
  timedOut: () =>
    new SoapFault(
      FAULT_CODE.timedOut,
      'w:TimedOut',
      'The WS-Management service cannot complete the operation within the time specified in OperationTimeout.',
    ),
  badResource: (uri: string) =>
    new SoapFault(
      FAULT_CODE.badResource,
      'a:DestinationUnreachable',
      `The WS-Management service cannot process the request because the resource URI is not valid: ${uri}`,
    ),
  badSchema: (problem: string) =>
    new SoapFault(
      FAULT_CODE.badSchema,
      'w:SchemaValidationError',
      `The SOAP XML in the message does not match the corresponding XML schema definition: ${problem}.`,
    ),
  shellGone: (shellId: string) =>
    new SoapFault(
      FAULT_CODE.shellGone,
      'w:InvalidSelectors',
      `The request for the Windows Remote Shell with ShellId ${shellId} failed because the shell was not found on the server.`,
    ),
  commandGone: (commandId: string) =>
    new SoapFault(
      FAULT_CODE.shellGone,
      'w:InvalidSelectors',
      `The request for the Windows Remote Shell failed because the command with CommandId ${commandId} was not found.`,
    ),
  tooManyShells: (limit: number) =>
    new SoapFault(
      FAULT_CODE.tooManyShells,
      'w:QuotaLimit',
      `This user is allowed a maximum number of ${limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user.`,
    ),
  tooManyOperations: (limit: number) =>
    new SoapFault(
      FAULT_CODE.tooManyOperations,
      'w:QuotaLimit',
      `This user has exceeded the maximum number of ${limit} concurrent operations. Close existing operations for this user, or raise the quota for this user.`,
    ),
};
