import { getRequestConfig } from 'next-intl/server';
import messages from '../messages/en.json';

/** English is the only language of the first release; others are added as `messages/<locale>.json` under the same keys. */
export default getRequestConfig(() => ({ locale: 'en', messages, timeZone: 'UTC' }));
