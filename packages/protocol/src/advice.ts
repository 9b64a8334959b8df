/**
 * What a person should know about a road that works, at most one of each code for a session. Sentences are in
 * `web/messages/<locale>.json` under `advice.<code>`. `proxy` is `host:port`, "" where only its words are known.
 */
export type Advice =
  /** It reads each request and does not promise to keep a sign-in on one connection. */
  | { readonly code: 'no-session-support'; readonly proxy: string; readonly via: string }
  /** The host refused a sign-in inside its tunnel, where it can split one if it looks into tunnels. */
  | { readonly code: 'doubtful-refusal'; readonly proxy: string }
  /** It moved a connection; the session signed in again and went on. */
  | { readonly code: 'moved-connection'; readonly proxy: string; readonly via: string; readonly status: number }
  /** Connections are lost so often that signing in takes much of the time. */
  | { readonly code: 'many-handshakes'; readonly handshakes: number; readonly requests: number }
  /** It refused a tunnel, and forwards requests instead. */
  | { readonly code: 'tunnel-refused'; readonly proxy: string; readonly status: number; readonly text: string };
