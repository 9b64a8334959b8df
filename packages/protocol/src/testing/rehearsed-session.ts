import { parseCredential } from '../auth/credential.ts';
import { utf8Decode } from '../bytes/bytes.ts';
import { Session, type SessionOptions } from '../session/session.ts';
import { parseTarget } from '../session/target.ts';
import { fixedPlatform } from './fixed-platform.ts';
import type { WinRmDouble } from './winrm-double.ts';

/** A session with a double, not yet opened: an interactive shell by NTLM over http unless the options say otherwise. */
export function sessionWith(double: WinRmDouble, options: Partial<SessionOptions> = {}) {
  const platform = fixedPlatform();
  const session = new Session({
    target: parseTarget('srv1').target,
    policy: 'ntlm',
    credential: parseCredential('CORP\\alice', 'Passw0rd!'),
    openRoad: double.openRoad,
    platform,
    shell: { kind: 'interactive', codePage: 65001 },
    ...options,
  });
  return { session, platform };
}

/** The output, "|" where some may be missing. */
export async function textOf(session: Session): Promise<string> {
  let text = '';
  for await (const { stream, bytes } of session.output) text += stream === 'gap' ? '|' : utf8Decode(bytes);
  return text;
}
