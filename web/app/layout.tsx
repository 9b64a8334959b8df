import type { Metadata, Viewport } from 'next';
import { NextIntlClientProvider } from 'next-intl';
import type { ReactNode } from 'react';
import { Shell } from '@/features/frame/shell.tsx';
import messages from '@/messages/en.json';
import './globals.css';

/** Sections the first screen needs; what opens later brings its own (see components/full-messages.tsx). */
const FIRST_SECTIONS = [
  'app',
  'common',
  'nav',
  'footer',
  'signIn',
  'home',
  'hops',
  'sees',
  'commands',
  'notFound',
  'crash',
  'standing',
] as const;

/** What the browser's tab, bookmarks and phones show. */
export const metadata: Metadata = {
  title: { default: messages.app.name, template: `%s · ${messages.app.name}` },
  description: messages.app.description,
  applicationName: messages.app.name,
  referrer: 'no-referrer',
  formatDetection: { telephone: false, email: false, address: false },
};

/** The colours of the two grounds, for the browser's own chrome. */
export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f9fafc' },
    { media: '(prefers-color-scheme: dark)', color: '#0c1118' },
  ],
};

/** The frame of every page: language, theme before paint, messages, and the dialogs that open from anywhere. */
export default function RootLayout({ children }: { children: ReactNode }) {
  const first = Object.fromEntries(FIRST_SECTIONS.map((section) => [section, messages[section]]));
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        <script src="/theme.js" />
      </head>
      <body>
        <NextIntlClientProvider locale="en" messages={first as never} timeZone="UTC">
          <Shell>{children}</Shell>
        </NextIntlClientProvider>
      </body>
    </html>
  );
}
