import type { Metadata } from 'next';
import { SeesPage } from '@/features/sees/sees-page.tsx';
import messages from '@/messages/en.json';

/** The page's name in the tab. */
export const metadata: Metadata = { title: messages.sees.title };

/** What each hop of a road can read, said exactly. */
export default function Page() {
  return <SeesPage />;
}
