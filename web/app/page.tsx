'use client';
import { useTranslations } from 'next-intl';
export default function Page() { const t = useTranslations('app'); return <p>{t('name')}</p>; }
