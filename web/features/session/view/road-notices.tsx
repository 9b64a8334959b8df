'use client';

import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { IconButton } from '@/components/ui/button.tsx';
import type { SessionEntry } from '../session-registry.ts';
import { Strip } from './notices.tsx';

/** Remarks that were read, by session, attempt and code. */
const read = new Set<string>();

/** What the road gives reason to remark on, once: it stays readable in the hop view. */
export function RoadNotices({ entry }: { entry: SessionEntry }) {
  const t = useTranslations();
  const [, setRead] = useState(0);
  const drop = (key: string) => {
    read.add(key);
    setRead((was) => was + 1);
  };
  const remarks = roadRemarks(entry).filter(({ key }) => !read.has(key));
  return remarks.map(({ key, words, values }) => (
    <Strip
      key={key}
      tone="plain"
      actions={<IconButton label={t('session.road.drop')} icon="cross" onClick={() => drop(key)} />}
    >
      <p role="status">{t(words, values)}</p>
    </Strip>
  ));
}

interface Remark {
  readonly key: string;
  readonly words: string;
  readonly values: Record<string, string | number>;
}

/** Everything there is to remark on the road of a session. */
export function roadRemarks({ id, beganAt, link, advice, request }: SessionEntry): readonly Remark[] {
  const values = { name: request.label };
  const http = link?.via === 'http' ? [{ key: `${id} ${beganAt} http`, words: 'session.road.http', values }] : [];
  return [
    ...http,
    ...advice.map(({ code, ...facts }) => ({
      key: `${id} ${beganAt} ${code}`,
      words: `advice.${code}`,
      values: { ...values, ...facts, ...('proxy' in facts && { proxy: facts.proxy || 'none' }) },
    })),
  ];
}
