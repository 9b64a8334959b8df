import { HomePage } from '@/features/home/home-page.tsx';

/** The first screen: sign in, then the three ways to begin and the servers one knows. */
export default function Page() {
  return <HomePage />;
}
