/** How much a peer may send before we stop believing that it is one. */
export interface HttpLimits {
  /** A whole head: start line and fields. */
  readonly headBytes: number;
  /** Lines of fields in a head. */
  readonly headerCount: number;
  /** A body, after chunks are joined. */
  readonly bodyBytes: number;
  /** What happens past `bodyBytes`: an error, or the message ends there and its connection is not used again. */
  readonly whenBodyTooLarge: 'fail' | 'cut';
  /** Interim replies (1xx) before the real one. */
  readonly interimCount: number;
  /** One chunk-size line, extensions included. */
  readonly chunkLineBytes: number;
  /** All chunk extensions of one body together. */
  readonly chunkExtensionBytes: number;
  /** The trailer after the last chunk. */
  readonly trailerBytes: number;
}

/** The largest envelope Windows sends unless told otherwise: MaxEnvelopeSizekb is 500. */
const LARGEST_ENVELOPE_BYTES = 500 * 1024;

/** Multipart lines, signature lengths and signatures around one sealed envelope; some hundred bytes in fact. */
const SEALING_BYTES = 64 * 1024;

/** The limits unless a caller says otherwise. */
export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  // A Kerberos ticket with many groups makes 48 KiB of base64 (Windows MaxTokenSize); no head of ours or theirs is larger.
  headBytes: 64 * 1024,
  // Proxies in a row each add a few; a hundred is what servers commonly stop at, and a list of cookies may double it.
  headerCount: 200,
  // Twice, because an envelope in UTF-16 is twice as long; past this nothing that we asked for can be on its way.
  bodyBytes: 2 * LARGEST_ENVELOPE_BYTES + SEALING_BYTES,
  whenBodyTooLarge: 'fail',
  // One 100 or a few 103 are usual, none is needed: nothing of ours asks for an interim reply.
  interimCount: 8,
  // A size takes at most eight digits; extensions are unheard of here.
  chunkLineBytes: 1024,
  // So that a body of one-byte chunks cannot bring a thousand times its size in extensions.
  chunkExtensionBytes: 16 * 1024,
  // We read no trailer.
  trailerBytes: 8 * 1024,
};
