/** Fours, as an eye compares them. */
export function groupsOf(thumbprint: string): readonly string[] {
  return thumbprint.match(/.{1,4}/g) ?? [];
}
