'use client';

import { useTranslations } from 'next-intl';
import type { Problem } from './problems.ts';

/** Says what is wrong with a field: quotes what was typed where that helps, else names the field. */
export function useProblemWords(): (problem: Problem, label: string) => string {
  const t = useTranslations();
  return (problem, label) => t(problem.key, { argument: problem.quote ?? label, limit: problem.limit });
}
