import type { Metadata } from 'next';
import { SessionPage } from '@/features/session/view/session-page.tsx';
import messages from '@/messages/en.json';

/** The page's name in the tab. */
export const metadata: Metadata = { title: messages.session.title };

/** The open sessions, in tabs; the fragment says which one is shown. */
export default function Page() {
  return <SessionPage />;
}
