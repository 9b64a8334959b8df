/** Longest end of the output that is looked at. */
const TAIL_CHARS = 200;

// In the languages Windows speaks most; a miss costs one click, a false hit offers a choice and changes nothing.
const ASKS =
  /(pass ?word|pass ?phrase|pass ?code|\bpin\b|secret|kennwort|passwort|mot de passe|contraseña|clave|senha|wachtwoord|пароль|密碼|密码|パスワード|암호)[^\n]{0,60}[:：?]\s*$/iu;

/** Whether the last line a program wrote asks for something that should not be seen. */
export function asksForSecret(outputTail: string): boolean {
  return ASKS.test(outputTail.slice(-TAIL_CHARS));
}
