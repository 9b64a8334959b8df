'use client';

import type { DemoInfo } from '@fairlead/contract';
import { useTranslations } from 'next-intl';
import { Dialog } from '@/components/ui/dialog.tsx';
import { openWindow } from '@/features/frame/windows.ts';
import { useSessions } from '@/features/session/session-registry.ts';
import { leaveHandover } from '@/lib/demo-handover.ts';
import { outcomeOf, useTrials } from './maze-outcomes.ts';
import { MazeRoom } from './maze-room.tsx';
import { isHere, type MazeWay, planMaze, type RoomId } from './maze-ways.ts';

/** The demo's rooms: straight through, and the maze. Each says what it will do, and afterwards what came of it. */
export function MazeList({
  demo,
  password,
  lastRoom,
  onOpen,
}: {
  demo: DemoInfo;
  password: string;
  /** The room one comes back from, where the focus goes. */
  lastRoom: RoomId | null;
  onOpen: (way: MazeWay) => void;
}) {
  const t = useTranslations('demo');
  const trials = useTrials();
  const sessions = useSessions();
  const [straight, ...rooms] = planMaze(demo, location.port);
  const isAtDoor = isHere(demo.maze?.stripperPort, location.port);
  const first = lastRoom ?? (isAtDoor ? 'strips' : null);
  const roomOf = (plan: (typeof rooms)[number]) => (
    <MazeRoom
      key={plan.room}
      plan={plan}
      outcome={outcomeOf(trials.get(plan.room), sessions)}
      isFirst={plan.room === first}
      isHere={plan.room === 'strips' && isAtDoor}
      onOpen={onOpen}
      onDoor={() => void openDoor(demo, password)}
    />
  );
  return (
    <Dialog title={t('mazeTitle')} size="large" onClose={() => openWindow(null)}>
      <p className="max-w-[72ch] text-ink-soft">{t('maze.intro')}</p>
      <h3 className="mt-5 text-lg font-semibold">{t('maze.straightTitle')}</h3>
      <ul>{straight && roomOf(straight)}</ul>
      <h3 className="border-t border-line pt-5 text-lg font-semibold">{t('maze.mazeTitle')}</h3>
      {rooms.length === 0 && <p className="py-4 text-ink-soft">{t('maze.noMaze')}</p>}
      <ul className="divide-y divide-line">{rooms.map(roomOf)}</ul>
    </Dialog>
  );
}

/** Opens this page through what strips `Upgrade`, with the demo's password on its way there. */
async function openDoor(demo: DemoInfo, password: string): Promise<void> {
  const port = demo.maze?.stripperPort;
  if (port === undefined) return;
  // Without it the page there says that it has no password, and how it gets one.
  const fragment = await leaveHandover(password, globalThis.cookieStore).catch(() => '');
  // The name that is used here, so that the sign-in's cookie is good there too; the gateway listens on IPv4.
  const host = location.hostname === 'localhost' ? 'localhost' : '127.0.0.1';
  window.open(`http://${host}:${port}/${fragment}`, '_blank', 'noopener');
}
