import * as z from 'zod/mini';

// Both ends run without code generation: the page's policy has no `unsafe-eval`, and the library's probe for it would
// be reported as a violation. Imported first by every file that makes a schema.
z.config({ jitless: true });
