/** One breach of a house rule, as it is printed. */
export interface Violation {
  readonly rule: string;
  readonly file: string;
  /** Counted from 1; 0 when the breach is of the file as a whole. */
  readonly line: number;
  readonly message: string;
}

/** `file:line rule: message`, the form editors can jump to. */
export function printViolation(violation: Violation): string {
  const place = violation.line > 0 ? `${violation.file}:${violation.line}` : violation.file;
  return `${place}  ${violation.rule}: ${violation.message}`;
}
