import messages from '../web/messages/en.json' with { type: 'json' };

/**
 * A sentence of the product by its key, so that a test survives another wording. Only plain parameters (`{name}`) are
 * filled in; a sentence with a choice in it is matched by what does not change.
 */
export function words(key: string, values: Readonly<Record<string, string | number>> = {}): string {
  let found: unknown = messages;
  for (const part of key.split('.')) found = isTree(found) ? found[part] : undefined;
  if (typeof found !== 'string') throw new Error(`en.json has no sentence ${key}`);
  return found.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
