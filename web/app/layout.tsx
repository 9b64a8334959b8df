import type { ReactNode } from 'react';
import { NextIntlClientProvider } from 'next-intl';
export default function Layout({ children }: { children: ReactNode }) {
  return <html lang="en"><body><NextIntlClientProvider>{children}</NextIntlClientProvider></body></html>;
}
