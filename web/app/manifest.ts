import type { MetadataRoute } from 'next';
import messages from '@/messages/en.json';

/** Written once, at build time. */
export const dynamic = 'force-static';

/** Lets the app be installed as a window of its own, where the browser keeps fewer keys for itself. */
export default function manifest(): MetadataRoute.Manifest {
  return {
    name: messages.app.name,
    short_name: messages.app.name,
    description: messages.app.description,
    start_url: '/',
    display: 'standalone',
    background_color: '#0c1118',
    theme_color: '#0c1118',
    icons: [{ src: '/icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' }],
  };
}
