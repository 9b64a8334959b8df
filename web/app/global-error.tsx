'use client';

import './globals.css';

/** A fault in the frame itself, where no provider stands any more: the same words as error.tsx, without any part of it. */
export default function GlobalCrash({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const { title, text, action } = JSON.parse(process.env.FAIRLEAD_CRASH ?? '{}') as Record<string, string>;
  return (
    <html lang="en">
      <head>
        <script src="/theme.js" />
      </head>
      <body>
        <main className="mx-auto max-w-lg px-4 py-16">
          <h1 className="text-xl font-semibold">{title}</h1>
          <p className="mt-2 mb-4 text-ink-soft">{text}</p>
          <pre className="mb-6 rounded-control border border-line bg-sunken p-3 font-mono text-sm break-words whitespace-pre-wrap">
            {error.name}: {error.message}
          </pre>
          <button type="button" onClick={reset} className="min-h-control rounded-control bg-accent px-3 text-on-accent">
            {action}
          </button>
        </main>
      </body>
    </html>
  );
}
